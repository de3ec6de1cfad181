//! The census: what the replicas of each key hold in the end, and which acknowledged writes that leaves no room for.
//!
//! Shared by the judges of lost writes, clock loss, concurrent loss and resurrection. It classifies and counts nothing
//! for itself. A census proves something only if every one of the N replicas answered: one that did not may hold anything.

use crate::finding::Finding;
use crate::history::index::{InEffect, KeyIndex, Read, Source, Write};
use crate::history::{History, Index, KeyId, Nanos};
use crate::missing::INCOMPLETE;
use crate::witness::Witness;

/// Why an acknowledged write is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its replicas lost it.
    Lost,
    /// An older write beat it, by its stamp.
    Beaten,
}

/// A key whose census is complete.
pub(crate) struct Settled<'a> {
    pub(crate) key: KeyId,
    pub(crate) index: &'a KeyIndex,
    /// When the last answer of the census came.
    pub(crate) ret: Nanos,
    /// When the first question of the census was asked.
    pub(crate) call: Nanos,
    /// When the youngest survivor was in effect; [`Nanos::NEVER`] if some answer cannot be explained.
    pub(crate) in_effect: InEffect,
    /// Acknowledged writes that began after that, as places in [`KeyIndex::writes`].
    pub(crate) gone: Vec<u32>,
    /// The read that returned nothing and was the last to end.
    nothing_last: Option<&'a Read>,
}

/// The number of distinct replicas that must answer.
pub(crate) fn is_complete(history: &History, key: &KeyIndex) -> bool {
    let answers = u32::try_from(key.census.len()).unwrap_or(u32::MAX);
    answers > 0 && answers >= history.header.quorum.n
}

/// The keys with a complete census. Incomplete ones are counted as skipped; keys that nobody asked about are not.
pub(crate) fn settle<'a>(
    history: &History,
    index: &'a Index,
    finding: &mut Finding,
) -> Vec<Settled<'a>> {
    let held = index.keys.iter().any(|key| !key.census.is_empty());
    let mut settled = Vec::new();
    for (key, at) in index.mapped() {
        if is_complete(history, at) {
            settled.push(Settled::of(key, at));
        } else if held {
            finding.skip(INCOMPLETE);
        }
    }
    settled
}

impl<'a> Settled<'a> {
    fn of(key: KeyId, index: &'a KeyIndex) -> Settled<'a> {
        let census = &index.census;
        let in_effect = census.iter().map(Read::in_effect).max().flatten();
        let from = index
            .acked
            .partition_point(|&at| Some(index.writes[at as usize].call) <= in_effect);
        let nothing = index
            .reads
            .iter()
            .filter(|read| read.source() == Source::Nothing);
        Settled {
            key,
            index,
            ret: census.iter().map(|read| read.ret).max().unwrap_or_default(),
            call: census
                .iter()
                .map(|read| read.call)
                .min()
                .unwrap_or_default(),
            in_effect,
            gone: index.acked[from..].to_vec(),
            nothing_last: nothing.max_by_key(|read| read.ret),
        }
    }

    /// Whether every answer can be explained by the order of events.
    pub(crate) fn is_sound(&self) -> bool {
        self.index
            .census
            .iter()
            .all(|read| read.source().is_sound())
    }

    /// Whether some replica holds a value.
    pub(crate) fn has_value(&self) -> bool {
        self.index
            .census
            .iter()
            .any(|read| matches!(read.source(), Source::Written(_)))
    }

    /// Whether some replica may hold the outcome of an older write or delete, and not just the initial value.
    fn has_older(&self) -> bool {
        self.has_value() || self.index.has_delete() && self.holds_nothing()
    }

    /// Whether some replica holds nothing.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.index
            .census
            .iter()
            .any(|read| read.source() == Source::Nothing)
    }

    /// The youngest survivor: the answer whose value was in effect last.
    fn youngest(&self) -> Option<&'a Read> {
        self.index.census.iter().max_by_key(|read| read.in_effect())
    }

    /// The operations of the census.
    pub(crate) fn answers(&self) -> impl Iterator<Item = usize> + 'a {
        self.index.census.iter().map(Read::operation)
    }

    /// A witness of what the survivors are and since when they were in effect, the youngest first.
    pub(crate) fn trace(&self) -> Witness {
        let mut witness = Witness::default();
        for read in self.youngest().into_iter().chain(&self.index.census) {
            witness = self.index.trace(witness, read);
        }
        witness
    }

    /// Whether any read returned a gone write's value. Nothing read after a delete began may be the delete.
    pub(crate) fn shown(&self, gone: &Write) -> Option<usize> {
        if !gone.is_delete() {
            return gone.first_read().map(|read| read.operation);
        }
        self.nothing_last
            .filter(|read| read.ret >= gone.call)
            .map(Read::operation)
    }
}

/// Decides why writes are gone.
pub(crate) struct Coroner {
    synchronised: bool,
    /// Spans in which nodes may have forgotten, by their ends, with the earliest beginning from there on.
    forgetting: Vec<(Nanos, Nanos)>,
}

impl Coroner {
    pub(crate) fn new(history: &History, index: &Index) -> Coroner {
        let forgets = history.faults.iter().filter(|fault| fault.may_forget());
        let mut forgetting: Vec<(Nanos, Nanos)> = forgets
            .map(|fault| (fault.span().1, fault.span().0))
            .collect();
        forgetting.sort_unstable();
        for at in (1..forgetting.len()).rev() {
            forgetting[at - 1].1 = forgetting[at - 1].1.min(forgetting[at].1);
        }
        Coroner {
            synchronised: index.exposure.is_synchronised(),
            forgetting,
        }
    }

    /// Why a write is gone. An older survivor proves that a stamp was at fault when clocks are known to be skewed.
    /// Otherwise it does so only if no read ever returned the write (it was there once, so something lost it) and if no
    /// node that restarted in between may have forgotten it, which also leaves an older value in its place.
    pub(crate) fn fate(&self, settled: &Settled<'_>, gone: &Write) -> Fate {
        if !settled.has_older() {
            return Fate::Lost;
        }
        if !self.synchronised {
            return Fate::Beaten;
        }
        if settled.shown(gone).is_some() || self.may_be_forgotten(gone.call, settled.ret) {
            return Fate::Lost;
        }
        Fate::Beaten
    }

    /// Whether a node was away within this time that may have come back without what it had.
    pub(crate) fn may_be_forgotten(&self, from: Nanos, to: Nanos) -> bool {
        let at = self.forgetting.partition_point(|&(end, _)| end < from);
        self.forgetting
            .get(at)
            .is_some_and(|&(_, began)| began <= to)
    }
}
