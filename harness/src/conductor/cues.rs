//! Signs: what has happened already of the things that a script or a timeline waits for.
//!
//! A sign is the name of an operation (it came back), of a fault (it was injected, or could not be) or a fault's name and `/healed`.
//! Nothing here decides what happens next.
//!
//! Also who is meant by which number, in a script that looks for a leader.

use std::collections::BTreeMap;

use quorate_checkers::history::Nanos;

use crate::plan::healed_sign;

/// The signs that were given, each with the time when it first was.
#[derive(Default)]
pub(super) struct Signs(BTreeMap<String, Nanos>);

impl Signs {
    /// An operation came back, or a fault was injected.
    pub(super) fn give(&mut self, name: &str, now: Nanos) {
        self.0.entry(name.to_owned()).or_insert(now);
    }

    /// A fault was healed.
    pub(super) fn give_healed(&mut self, fault: &str, now: Nanos) {
        self.give(&healed_sign(fault), now);
    }

    /// When the last of `names` was given, `began` if there are none; nothing if one is still to come.
    pub(super) fn last_of(&self, names: &[String], began: Nanos) -> Option<Nanos> {
        names.iter().try_fold(began, |last, name| {
            let at = self.0.get(name)?;
            Some(last.max(*at))
        })
    }
}
