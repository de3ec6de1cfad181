//! All small histories of a set: every order of invocations and returns, every mix of operations.

use super::random::Draft;
use crate::history::Status;

/// What an operation may be: add 0 or 1 (acknowledged or unknown), or return one of the four sets.
const KINDS: usize = 8;

/// Calls `judge` with every history of `n` operations on the elements 0 and 1, and counts them.
///
/// Operations are numbered by their invocations; what never returned has no place among the returns. Of two histories that differ only
/// in which element is called 0, one is left out.
pub(super) fn all(n: usize, judge: &mut dyn FnMut(&[Draft])) -> u64 {
    let mut count = 0;
    for code in 0..KINDS.pow(u32::try_from(n).expect("small")) {
        let kinds: Vec<usize> = (0..n)
            .map(|at| code / KINDS.pow(u32::try_from(at).expect("small")) % KINDS)
            .collect();
        if first_asymmetric(&kinds) {
            let mut drafts: Vec<Draft> = kinds.iter().map(|&kind| draft(kind)).collect();
            spans(&mut drafts, 0, 0, 0, &mut |drafts| {
                count += 1;
                judge(drafts);
            });
        }
    }
    count
}

/// Whether the first operation that tells the elements apart is about 0.
fn first_asymmetric(kinds: &[usize]) -> bool {
    kinds
        .iter()
        .find(|kind| !matches!(kind, 4 | 7))
        .is_none_or(|kind| matches!(kind, 0 | 2 | 5))
}

fn draft(kind: usize) -> Draft {
    let (status, add, reply) = match kind {
        0 => (Status::Ok, Some(0), vec![]),
        1 => (Status::Ok, Some(1), vec![]),
        2 => (Status::Info, Some(0), vec![]),
        3 => (Status::Info, Some(1), vec![]),
        4 => (Status::Ok, None, vec![]),
        5 => (Status::Ok, None, vec![0]),
        6 => (Status::Ok, None, vec![1]),
        _ => (Status::Ok, None, vec![1, 0]),
    };
    Draft {
        status,
        process: 0,
        call: 0,
        ret: u64::MAX,
        add,
        reply,
    }
}

/// Every order of the invocations (in the order of the list) and the returns.
fn spans(
    drafts: &mut Vec<Draft>,
    time: u64,
    begun: usize,
    returned: u32,
    judge: &mut dyn FnMut(&[Draft]),
) {
    let returns = |at: usize| returned & (1 << at) != 0;
    let acked = |drafts: &[Draft], at: usize| drafts[at].status == Status::Ok;
    if begun == drafts.len() && (0..begun).all(|at| returns(at) || !acked(drafts, at)) {
        judge(drafts);
        return;
    }
    if begun < drafts.len() {
        (drafts[begun].call, drafts[begun].process) = (time, begun as u64);
        spans(drafts, time + 1, begun + 1, returned, judge);
    }
    for at in 0..begun {
        if !returns(at) && acked(drafts, at) {
            drafts[at].ret = time;
            spans(drafts, time + 1, begun, returned | 1 << at, judge);
        }
    }
}
