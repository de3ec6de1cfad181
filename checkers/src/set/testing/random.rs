//! Random small histories of a set: mostly what a sound set would show, then spoilt in one way or another.

use crate::history::Status;
use crate::set::{SetHistory, SetOp};

/// `SplitMix64`.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// One operation, before anybody gave it an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) status: Status,
    pub(super) process: u64,
    pub(super) call: u64,
    pub(super) ret: u64,
    /// The element to add; none for a read.
    pub(super) add: Option<i64>,
    /// What a read returned.
    pub(super) reply: Vec<i64>,
}

/// What a random history is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) operations: u64,
    pub(super) elements: u64,
    pub(super) times: u64,
    /// Whether an element may be added more than once.
    pub(super) again: bool,
}

/// A random history; two of three are spoilt.
pub(super) fn drafts(rng: &mut Rng, shape: Shape) -> Vec<Draft> {
    let count = 1 + rng.below(shape.operations);
    let mut next = 0;
    let mut drafts: Vec<(u64, Draft)> = (0..count)
        .map(|process| {
            let call = rng.below(shape.times);
            let ret = call + rng.below(shape.times / 2 + 1);
            let adds = rng.below(5) < 2 && (shape.again || next < shape.elements);
            let status = match rng.below(12) {
                0..2 if adds => Status::Info,
                2 if adds => Status::Fail,
                _ => Status::Ok,
            };
            let element = if shape.again {
                rng.below(shape.elements)
            } else {
                next
            };
            let add = adds.then_some(element.cast_signed());
            next += u64::from(adds);
            let point = match status {
                Status::Ok => call + rng.below(ret - call + 1),
                Status::Info => call + rng.below(2 * shape.times),
                Status::Fail => u64::MAX,
            };
            let draft = Draft {
                status,
                process,
                call,
                ret,
                add,
                reply: Vec::new(),
            };
            (point, draft)
        })
        .collect();
    drafts.sort_by_key(|(point, _)| *point);
    let mut set: Vec<i64> = Vec::new();
    for (_, draft) in &mut drafts {
        match draft.add {
            Some(element) if draft.status != Status::Fail && !set.contains(&element) => {
                let at = rng.below(set.len() as u64 + 1);
                set.insert(usize::try_from(at).expect("small"), element);
            }
            Some(_) => {}
            None => draft.reply.clone_from(&set),
        }
    }
    let mut drafts: Vec<Draft> = drafts.into_iter().map(|(_, draft)| draft).collect();
    drafts.sort_by_key(|draft| draft.process);
    while !rng.one_in(3) {
        spoil(rng, &mut drafts, shape);
    }
    drafts
}

/// Spoils one reply, or how an operation ended.
fn spoil(rng: &mut Rng, drafts: &mut [Draft], shape: Shape) {
    let at = usize::try_from(rng.below(drafts.len() as u64)).expect("small");
    let draft = &mut drafts[at];
    let nowhere = u64::from(rng.one_in(4));
    let any = rng.below(shape.elements + nowhere).cast_signed();
    match (draft.add, rng.below(5)) {
        (Some(_), 0) => draft.status = Status::Fail,
        (Some(_), 1) => draft.status = Status::Info,
        (Some(_), 2) => draft.status = Status::Ok,
        (None, 0..2) => draft.reply.retain(|&element| element != any),
        (None, 2) => draft.reply.push(any),
        (None, 3) if !draft.reply.contains(&any) => draft.reply.insert(0, any),
        (None, 4) if rng.one_in(3) => draft.status = Status::Info,
        _ => draft.call = draft.call.saturating_sub(1),
    }
}

/// The history of some operations, whose places are their positions in the list.
pub(super) fn history(drafts: &[Draft]) -> SetHistory {
    let mut builder = SetHistory::builder();
    for (place, draft) in (0..).zip(drafts) {
        let op = SetOp::new(draft.status, draft.process, place, draft.call, draft.ret);
        match draft.add {
            Some(element) => builder.add(op, element),
            None => builder.read(op, draft.reply.iter().copied()),
        }
    }
    builder.finish()
}

/// The same history as a log that knows an order also where times are equal.
pub(super) fn logged(drafts: &[Draft], rng: &mut Rng) -> SetHistory {
    let mut events: Vec<(u64, u64, bool, usize)> = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        let tie = rng.below(100);
        events.push((draft.call, tie, false, at));
        let later = tie * u64::from(draft.ret == draft.call) + rng.below(100);
        events.push((draft.ret, later, true, at));
    }
    events.sort_unstable();
    let position = |completes: bool, at: usize| {
        let found = events
            .iter()
            .position(|event| (event.2, event.3) == (completes, at));
        found.map_or(0, |position| position as u64)
    };
    let mut builder = SetHistory::builder();
    for (at, draft) in drafts.iter().enumerate() {
        let place = u32::try_from(at).expect("small");
        let op = SetOp::new(draft.status, draft.process, place, draft.call, draft.ret);
        let op = op.at(position(false, at), position(true, at));
        match draft.add {
            Some(element) => builder.add(op, element),
            None => builder.read(op, draft.reply.iter().copied()),
        }
    }
    builder.finish()
}
