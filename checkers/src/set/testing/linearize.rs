//! Whether a grow-only set is linearizable, by trying every order (Wing and Gong): slow, and obviously right.

use std::collections::BTreeSet;

use super::random::Draft;
use crate::history::Status;

/// Whether some order of the operations explains every reply. Repetitions in a reply count once.
pub(super) fn linearizable(drafts: &[Draft]) -> bool {
    let open: Vec<&Draft> = drafts
        .iter()
        .filter(|draft| {
            draft.status == Status::Ok || (draft.add.is_some() && draft.status == Status::Info)
        })
        .collect();
    explore(&open, &BTreeSet::new())
}

fn explore(open: &[&Draft], set: &BTreeSet<i64>) -> bool {
    if open.iter().all(|draft| draft.status == Status::Info) {
        return true;
    }
    (0..open.len()).any(|at| {
        let draft = open[at];
        let first_return = open
            .iter()
            .filter(|other| other.status == Status::Ok)
            .map(|other| other.ret)
            .min();
        if first_return.is_some_and(|ret| ret < draft.call) {
            return false;
        }
        let mut after = set.clone();
        match draft.add {
            Some(element) => {
                after.insert(element);
            }
            None if draft.reply.iter().copied().collect::<BTreeSet<i64>>() != *set => return false,
            None => {}
        }
        let mut rest = open.to_vec();
        rest.remove(at);
        explore(&rest, &after)
    })
}
