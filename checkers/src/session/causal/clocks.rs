//! Vector clocks: for every read, the last write of each session on that key which the read knows.
//!
//! A clock counts, for each session that writes, how many of its writes are known. It is kept per session, and saved for a
//! write only when it changed since the write before. It compares and reports; `mod.rs` decides.

use super::nodes::{NONE, Nodes};

/// A read and a write of its key that it knows, other than the one that it returned: the last such write of one session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meeting {
    pub(super) read: u32,
    /// The write that the read knows.
    pub(super) known: u32,
    /// The write whose value it returned; [`NONE`] for the initial value.
    pub(super) returned: u32,
    /// Whether the write that it knows knows the one that it returned.
    pub(super) is_overwritten: bool,
}

/// The writes of one key and one chain, in their order.
struct Lane {
    chain: u32,
    /// Where they begin and end in [`Lanes::numbers`] and [`Lanes::writes`].
    from: u32,
    to: u32,
    /// Which of them was asked for last.
    asked: u32,
}

struct Lanes {
    /// Where the lanes of each key begin.
    first: Vec<u32>,
    all: Vec<Lane>,
    /// The how-manieth write of its chain each is, counting from 1.
    numbers: Vec<u32>,
    writes: Vec<u32>,
    /// For each write, its lane.
    of_write: Vec<u32>,
}

impl Lanes {
    fn of(nodes: &Nodes, number: &[u32]) -> Lanes {
        let mut writes: Vec<u32> = (0..u32::try_from(nodes.len()).unwrap_or(NONE))
            .filter(|&node| !nodes.is_read[node as usize])
            .collect();
        let chain = |node: u32| nodes.chain[node as usize];
        writes.sort_by_key(|&node| (nodes.key[node as usize], chain(node)));
        let mut lanes: Vec<Lane> = Vec::new();
        let mut first = vec![0_u32; nodes.keys + 1];
        let mut key_before = NONE;
        let mut of_write = vec![NONE; nodes.len()];
        for (at, &node) in (0..).zip(&writes) {
            let key = nodes.key[node as usize];
            match lanes.last_mut() {
                Some(lane) if key == key_before && lane.chain == chain(node) => lane.to = at + 1,
                _ => {
                    first[key as usize + 1] += 1;
                    lanes.push(Lane {
                        chain: chain(node),
                        from: at,
                        to: at + 1,
                        asked: 0,
                    });
                }
            }
            key_before = key;
            of_write[node as usize] = u32::try_from(lanes.len() - 1).unwrap_or(NONE);
        }
        for key in 0..nodes.keys {
            first[key + 1] += first[key];
        }
        let numbers = writes.iter().map(|&node| number[node as usize]).collect();
        Lanes {
            first,
            all: lanes,
            numbers,
            writes,
            of_write,
        }
    }

    fn of_key(&self, key: u32) -> std::ops::Range<usize> {
        self.first[key as usize] as usize..self.first[key as usize + 1] as usize
    }

    /// The last write of a lane among the first `known` of its session. The walk goes along with time, so that is mostly
    /// where it was when anybody asked before.
    fn last(&mut self, lane: usize, known: u32) -> Option<u32> {
        let lane = &mut self.all[lane];
        let numbers = &self.numbers[lane.from as usize..lane.to as usize];
        let (at, next) = (lane.asked as usize, lane.asked as usize + 1);
        let is_there =
            numbers[at] <= known && numbers.get(next).is_none_or(|&number| number > known);
        if !is_there {
            let within = numbers.partition_point(|&number| number <= known);
            lane.asked = u32::try_from(within.checked_sub(1)?).unwrap_or(0);
        }
        Some(self.writes[(lane.from + lane.asked) as usize])
    }
}

/// The clocks of all sessions while the history is walked through.
struct Clocks<'a> {
    nodes: &'a Nodes,
    width: usize,
    /// One row per session.
    now: Vec<u32>,
    /// Rows as they were when something was written.
    saved: Vec<u32>,
    /// For each session the number of the saved row that equals its clock, but for its own writes.
    current: Vec<u32>,
    /// For each write, its saved row.
    row: Vec<u32>,
    /// For each write, the how-manieth of its chain it is.
    number: Vec<u32>,
}

impl<'a> Clocks<'a> {
    fn of(nodes: &'a Nodes) -> Clocks<'a> {
        let width = nodes.chains as usize;
        let mut number = vec![0; nodes.len()];
        let mut counted = vec![0_u32; width];
        for (number, &chain) in number.iter_mut().zip(&nodes.chain) {
            if let Some(count) = counted.get_mut(chain as usize) {
                *count += 1;
                *number = *count;
            }
        }
        Clocks {
            nodes,
            width,
            now: vec![0; width * nodes.processes],
            saved: Vec::new(),
            current: vec![NONE; nodes.processes],
            row: vec![NONE; nodes.len()],
            number,
        }
    }

    fn write(&mut self, node: u32) {
        let process = self.nodes.process[node as usize] as usize;
        let from = process * self.width;
        // A write of a chain of its own must bring the writes of its session along.
        if self.current[process] == NONE || !self.nodes.is_certain[node as usize] {
            let rows = self.saved.len() / self.width;
            self.current[process] = u32::try_from(rows).unwrap_or(NONE);
            self.saved
                .extend_from_slice(&self.now[from..from + self.width]);
        }
        self.row[node as usize] = self.current[process];
        if self.nodes.is_certain[node as usize] {
            self.now[from + self.nodes.chain[node as usize] as usize] = self.number[node as usize];
        }
    }

    /// Learns what a write knew, and the write itself.
    fn read(&mut self, node: u32, write: u32) {
        let process = self.nodes.process[node as usize] as usize;
        let (chain, number) = (
            self.nodes.chain[write as usize] as usize,
            self.number[write as usize],
        );
        let own = &mut self.now[process * self.width..(process + 1) * self.width];
        if own[chain] >= number {
            return;
        }
        let row = self.row[write as usize] as usize * self.width;
        for (own, saved) in own.iter_mut().zip(&self.saved[row..row + self.width]) {
            *own = (*own).max(*saved);
        }
        own[chain] = own[chain].max(number);
        self.current[process] = NONE;
    }

    /// Whether one write knows another.
    fn knows(&self, later: u32, earlier: u32) -> bool {
        let (chain, number) = (
            self.nodes.chain[earlier as usize],
            self.number[earlier as usize],
        );
        if chain == self.nodes.chain[later as usize] {
            return self.number[later as usize] > number;
        }
        let row = self.row[later as usize] as usize * self.width;
        self.saved[row + chain as usize] >= number
    }
}

/// Which meetings are told.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// For each write that was returned, those with a write at this place in the order of work or later; none if [`NONE`].
    Since(&'a [u32]),
    /// Those with a write that stands later in the order of work than the one returned. Without them nothing is wrong.
    Later,
}

/// Tells every read that meets a write which it knows and did not return.
pub(super) fn walk(nodes: &Nodes, wanted: Wanted<'_>, mut tell: impl FnMut(Meeting)) {
    let mut clocks = Clocks::of(nodes);
    let mut lanes = Lanes::of(nodes, &clocks.number);
    // Of each lane, where its last write so far stands in the order of work, counting from 1: it cannot know a write after that.
    let mut reached = vec![0_u32; lanes.all.len()];
    for &node in &nodes.order {
        let rank = |node: u32| nodes.rank.get(node as usize).map_or(0, |rank| rank + 1);
        if !nodes.is_read[node as usize] {
            reached[lanes.of_write[node as usize] as usize] = rank(node);
            clocks.write(node);
            continue;
        }
        let returned = nodes.source[node as usize];
        if returned != NONE {
            clocks.read(node, returned);
        }
        let since = match wanted {
            Wanted::Later => rank(returned),
            Wanted::Since(places) => match places.get(returned as usize) {
                Some(&place) if place != NONE => place,
                _ => continue,
            },
        };
        let process = nodes.process[node as usize] as usize;
        let now = &clocks.now[process * clocks.width..(process + 1) * clocks.width];
        for lane in lanes.of_key(nodes.key[node as usize]) {
            if reached[lane] <= since {
                continue;
            }
            let known = now[lanes.all[lane].chain as usize];
            let Some(known) = (known > 0).then(|| lanes.last(lane, known)).flatten() else {
                continue;
            };
            let is_later = rank(known) > rank(returned);
            if known == returned || rank(known) <= since {
                continue;
            }
            tell(Meeting {
                read: node,
                known,
                returned,
                // A write that stands before another in the order of work cannot know it.
                is_overwritten: returned == NONE || is_later && clocks.knows(known, returned),
            });
        }
    }
}
