//! Stores whose keys hold several values at once, and clients that write sets: the same guarantees, by contexts instead of stamps.
//!
//! A read returns all values that no write has replaced, and a write says in its context what it had read. With that the order of versions is
//! known from the history alone, so clocks decide nothing here. A key is not a register then (a *multi-value register*, Shapiro et
//! al., 2011), and what only registers can promise is not judged: see [`Guarantee::is_about`](crate::Guarantee::is_about). Sets under
//! last-write-wins are read as siblings of which there is never more than one. Histories of other tools with siblings are
//! judged by `siblings/`.

mod cast;
mod causal;
mod ending;
pub(crate) mod keys;
mod reads;
mod sweep;
#[cfg(test)]
mod tests;
mod updates;
mod values;

use crate::finding::Checker;
use crate::guarantee::Guarantee;
use crate::history::Header;
use crate::{availability, divergence};

/// All judges that there are for such stores, in the order of [`Guarantee::ALL`].
fn all() -> [&'static dyn Checker; 15] {
    [
        &values::Values(Guarantee::NoPhantoms),
        &values::Values(Guarantee::NoFailedWrites),
        &reads::Reads(Guarantee::FreshReads),
        &reads::Reads(Guarantee::NoInversion),
        &reads::Reads(Guarantee::ReadYourWrites),
        &reads::Reads(Guarantee::MonotonicReads),
        &causal::Causal,
        &ending::Ending(Guarantee::NoLostWrites),
        &reads::Reads(Guarantee::NoResurrection),
        &ending::Ending(Guarantee::NoClockLoss),
        &ending::Ending(Guarantee::NoConcurrentLoss),
        &updates::LostUpdate,
        &values::Values(Guarantee::NoSiblingExplosion),
        &divergence::Divergence,
        &availability::Availability,
    ]
}

/// The judges of histories with such a header, in the order of [`Guarantee::ALL`].
pub(crate) fn judges(header: &Header) -> Vec<&'static dyn Checker> {
    let mut judges = all().to_vec();
    judges.retain(|judge| judge.guarantee().is_about(header.versions, header.values));
    judges
}
