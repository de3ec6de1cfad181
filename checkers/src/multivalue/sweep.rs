//! Reads that miss what they had to return, and reads that return what was replaced: one pass over a key in the order of time.
//!
//! Only what is *live* is looked for, that is what nothing known has replaced yet: whoever shows the newer shows the older. So a pass costs
//! little more than the lists that reads returned. What the sessions of such reads had to know is in `reads.rs`.

use crate::history::Nanos;

use super::keys::{Key, Read};

/// What is wrong with one read. Numbers of reads are places in [`Key::reads`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wrong {
    /// An acknowledged write that it misses: of all, the one that ended first.
    pub(super) missed: Option<u32>,
    /// How many such writes are live.
    pub(super) missed_count: u64,
    /// Live writes that it misses, acknowledged or shown by then.
    pub(super) missing: Vec<u32>,
    /// A value that it returns, and the acknowledged delete that had replaced it.
    pub(super) back: Option<(u32, u32)>,
    /// A write that it misses, and a read that had shown it.
    pub(super) forgot: Option<(u32, u32)>,
    /// A value that it returns, a read that had shown it, and a later one that had not.
    pub(super) flipped: Option<(u32, u32, u32)>,
}

/// What is wrong with the reads of a key.
#[derive(Clone, Debug, Default)]
pub(super) struct Sweep {
    /// One per read.
    pub(super) wrong: Vec<Wrong>,
}

/// What must be shown by now, or something that replaced it.
struct Known {
    /// Writes that must be shown, each with what made it known.
    live: Vec<(u32, u32)>,
    /// For each write that something known replaced, what did.
    dead: Vec<Option<u32>>,
}

impl Known {
    fn new(key: &Key) -> Known {
        Known {
            live: Vec::new(),
            dead: vec![None; key.writes.len()],
        }
    }

    /// Learns of a write: all that it replaced is dead.
    fn learn(&mut self, key: &Key, write: u32, by: u32) {
        let dead = &mut self.dead;
        key.walk(&[write], |at| {
            let fresh = dead[at as usize].is_none();
            dead[at as usize].get_or_insert(write);
            fresh
        });
        self.live.retain(|&(at, _)| dead[at as usize].is_none());
        let is_new = self.live.iter().all(|&(at, _)| at != write);
        if is_new && !key.write(write).is_delete && self.dead[write as usize].is_none() {
            self.live.push((write, by));
        }
    }
}

/// What of two things that touch: the one ends when the other begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touching {
    /// They are concurrent, because nobody knows which came first.
    Concurrent,
    /// The one may have come before the other, as two operations of one session do.
    Ordered,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    ReadBegins(u32),
    WriteEnds(u32),
    ReadEnds(u32),
}

impl Moment {
    /// The order at equal times: reads that are concurrent with what ends then begin first.
    fn rank(self, touching: Touching) -> bool {
        let begins = matches!(self, Moment::ReadBegins(_));
        begins == (touching == Touching::Ordered)
    }
}

impl Sweep {
    /// Looks at the sound reads of a key.
    pub(super) fn of(key: &Key, touching: Touching) -> Sweep {
        let mut wrong = vec![Wrong::default(); key.reads.len()];
        let (mut acked, mut shown) = (Known::new(key), Known::new(key));
        let mut buried: Vec<Option<u32>> = vec![None; key.writes.len()];
        let hidden = hidden(key, touching);
        let looks = Looks { key, touching };
        for (_, moment) in moments(key, touching) {
            match moment {
                Moment::ReadBegins(at) => {
                    let read = &key.reads[at as usize];
                    wrong[at as usize] = looks.at(read, &acked, &shown, &buried, &hidden);
                }
                Moment::WriteEnds(at) => {
                    acked.learn(key, at, at);
                    if key.write(at).is_delete {
                        key.walk(&[at], |other| {
                            let fresh = buried[other as usize].is_none();
                            buried[other as usize].get_or_insert(at);
                            fresh
                        });
                    }
                }
                Moment::ReadEnds(at) => {
                    for write in key.reads[at as usize].writes() {
                        shown.learn(key, write, at);
                    }
                }
            }
        }
        Sweep { wrong }
    }
}

fn moments(key: &Key, touching: Touching) -> Vec<(Nanos, Moment)> {
    let mut moments = Vec::new();
    for (at, read) in (0..).zip(&key.reads).filter(|(_, read)| read.is_sound()) {
        moments.push((read.call, Moment::ReadBegins(at)));
        moments.push((read.ret, Moment::ReadEnds(at)));
    }
    let acked = (0..).zip(&key.writes).filter(|(_, write)| write.is_acked());
    moments.extend(acked.map(|(at, write)| (write.ret, Moment::WriteEnds(at))));
    moments.sort_by_key(|&(time, moment)| (time, moment.rank(touching), moment));
    moments
}

/// Looks at reads of a key.
struct Looks<'a> {
    key: &'a Key,
    touching: Touching,
}

impl Looks<'_> {
    fn at(
        &self,
        read: &Read,
        acked: &Known,
        shown: &Known,
        buried: &[Option<u32>],
        hidden: &[Option<Hidden>],
    ) -> Wrong {
        let key = self.key;
        let missing = |known: &Known| -> Vec<(u32, u32)> {
            let live = known.live.iter().copied();
            live.filter(|&(write, _)| !key.explains(read, write))
                .collect()
        };
        let (missed, forgot) = (missing(acked), missing(shown));
        let mut all: Vec<u32> = missed
            .iter()
            .chain(&forgot)
            .map(|&(write, _)| write)
            .collect();
        all.sort_unstable();
        all.dedup();
        let first = missed.iter().map(|&(write, _)| write);
        let returned = |test: &dyn Fn(u32) -> bool| read.writes().filter(|&at| test(at)).min();
        let back = returned(&|at| buried[at as usize].is_some());
        let flipped = returned(&|at| {
            hidden[at as usize].is_some_and(|hidden| self.touching.precedes(hidden.ret, read.call))
        });
        Wrong {
            missed: first.min_by_key(|&write| (key.write(write).ret, write)),
            missed_count: missed.len() as u64,
            back: back.and_then(|at| Some((at, buried[at as usize]?))),
            missing: all,
            forgot: forgot.into_iter().min(),
            flipped: flipped.and_then(|at| {
                let Hidden { shown, by, .. } = hidden[at as usize]?;
                Some((at, shown, by))
            }),
        }
    }
}

impl Touching {
    fn precedes(self, ret: Nanos, call: Nanos) -> bool {
        ret < call || self == Touching::Ordered && ret == call
    }
}

/// A value that had been shown, and was not any more.
#[derive(Clone, Copy)]
struct Hidden {
    /// The read that showed it, and was the first of those to end.
    shown: u32,
    /// The read that began after that, did not show it, and was the first of those to end.
    by: u32,
    /// When that one ended.
    ret: Nanos,
}

/// For each write since when its value, once shown, was not shown.
fn hidden(key: &Key, touching: Touching) -> Vec<Option<Hidden>> {
    let mut shown: Vec<Option<u32>> = vec![None; key.writes.len()];
    let ret = |at: u32| key.reads[at as usize].ret;
    let sound = || (0..).zip(&key.reads).filter(|(_, read)| read.is_sound());
    for (at, read) in sound() {
        for write in read.writes() {
            let first = &mut shown[write as usize];
            if first.is_none_or(|first| read.ret < ret(first)) {
                *first = Some(at);
            }
        }
    }
    let sound: Vec<(u32, &Read)> = sound().collect();
    let of = |(write, shown): (u32, &Option<u32>)| {
        let shown = (*shown)?;
        let from = sound.partition_point(|(_, read)| !touching.precedes(ret(shown), read.call));
        let mut by: Option<u32> = None;
        for &(at, read) in &sound[from..] {
            // Whatever begins later ends later, too.
            if by.is_some_and(|by| ret(by) <= read.call) {
                break;
            }
            if !read.shows(write) && by.is_none_or(|by| read.ret < ret(by)) {
                by = Some(at);
            }
        }
        let by = by?;
        Some(Hidden {
            shown,
            by,
            ret: ret(by),
        })
    };
    (0..).zip(&shown).map(of).collect()
}
