//! What the sessions of a history saw by the stamps that the nodes claim: how often an operation's stamp is older than one of its session's before.
//!
//! A node may claim what it likes, so this stands beside a row as a number: it changes no ruling, and a history without claims lacks
//! nothing but the number. What the values themselves prove is in `rows.rs`.

use crate::history::operation::Operation;
use crate::history::{History, Index, Stamp};
use crate::statistics::Rate;

use super::exposed::judge;
use super::import::{Processes, of_key};
use super::order::Kind;

/// The name of the number.
pub(crate) const MEASURE: &str = "older by the stamps that nodes claim";

/// Pairs of operations of one session, by kind, in the order of [`Kind::ALL`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    judged: [u64; 4],
    older: [u64; 4],
}

impl Claims {
    fn of(history: &History, index: &Index) -> Claims {
        let mut claims = Claims::default();
        if !history.operations.iter().any(Operation::has_claims) {
            return claims;
        }
        let processes = Processes::of(history);
        for (key, at) in index.mapped() {
            let ops = of_key(history, &processes, key, at);
            let stamps: Vec<Option<Stamp>> = ops
                .iter()
                .map(|op| history.operations[op.place as usize].evidence()?.version)
                .collect();
            let versions: Vec<Option<&Stamp>> = stamps.iter().map(Option::as_ref).collect();
            let report = judge(&ops, &versions);
            for (sum, judged) in claims.judged.iter_mut().zip(report.judged) {
                *sum += judged;
            }
            for older in report.violations {
                claims.older[older.kind as usize] += 1;
            }
        }
        claims
    }

    /// What the nodes of a history claim; computed once.
    pub(super) fn get<'a>(history: &History, index: &'a Index) -> &'a Claims {
        index.claims.get_or_init(|| Claims::of(history, index))
    }

    /// How many pairs of a kind go back, of all that the claims tell; none if they tell nothing.
    pub(super) fn rate(&self, kind: Kind) -> Option<Rate> {
        let (older, judged) = (self.older[kind as usize], self.judged[kind as usize]);
        (judged > 0).then(|| Rate::new(older, judged))
    }
}
