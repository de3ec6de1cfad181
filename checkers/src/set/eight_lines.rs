//! The eight lines that have been printed for tests of sets since 2013, and beside them what explains the loss where versions are
//! kept by their stamps alone.
//!
//! Counts and words only; who counts them is in `read_modify_write.rs` and `multivalue/updates.rs`.

use std::fmt;

use serde::Serialize;

use crate::statistics::Rate;

/// What became of the elements that clients added to a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EightLines {
    /// Elements that somebody tried to add.
    pub total: u64,
    /// Elements that were acknowledged.
    pub acknowledged: u64,
    /// Elements that are there in the end and that somebody tried to add.
    pub survivors: u64,
    /// Acknowledged elements that are not there in the end.
    pub lost: u64,
    /// Elements that are there in the end and were not acknowledged.
    pub found: u64,
}

/// The lines, each with its newline; rates with intervals of 95 % confidence.
impl fmt::Display for EightLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ack = Rate::new(self.acknowledged, self.total);
        let loss = Rate::new(self.lost, self.acknowledged);
        let found = Rate::new(self.found, self.total.saturating_sub(self.acknowledged));
        writeln!(f, "{} total", self.total)?;
        writeln!(f, "{} acknowledged", self.acknowledged)?;
        writeln!(f, "{} survivors", self.survivors)?;
        writeln!(f, "{} acknowledged writes lost", self.lost)?;
        writeln!(f, "{} unacknowledged writes found", self.found)?;
        writeln!(f, "{} ack rate ({})", ratio(ack.seen, ack.of), bounds(ack))?;
        writeln!(
            f,
            "{} loss rate ({})",
            ratio(loss.seen, loss.of),
            bounds(loss)
        )?;
        writeln!(
            f,
            "{} unacknowledged but successful rate ({} of {} unacknowledged, {}; {})",
            ratio(found.seen, self.acknowledged),
            found.seen,
            found.of,
            ratio(found.seen, found.of),
            bounds(found)
        )
    }
}

/// How many writes started from the same version: of c that did, last-write-wins keeps one at most, and so loses the share 1 - 1/c at
/// least. It loses more where versions that lost were read and built upon before they were gone; what is measured says which c would
/// explain it all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contention {
    /// Acknowledged additions whose client had read a version.
    pub additions: u64,
    /// Different versions that they had read.
    pub versions: u64,
    /// Those of the additions that were lost.
    pub lost: u64,
}

/// One line without a newline: c, the loss that it explains, the loss that was measured, and the c that would explain that.
impl fmt::Display for Contention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let explained = self.additions.saturating_sub(self.versions);
        write!(
            f,
            "c = {} additions per version read: last-write-wins loses 1 - 1/c = {} or more; measured {}, as of c = {}",
            ratio(self.additions, self.versions),
            ratio(explained, self.additions),
            ratio(self.lost, self.additions),
            ratio(self.additions, self.additions.saturating_sub(self.lost))
        )
    }
}

/// Such as `0.7255`; `no` of nothing.
fn ratio(count: u64, of: u64) -> String {
    let parts = (u128::from(count) * 10_000 + u128::from(of / 2)).checked_div(u128::from(of));
    parts.map_or("no".to_owned(), |parts| {
        format!("{}.{:04}", parts / 10_000, parts % 10_000)
    })
}

fn bounds(rate: Rate) -> String {
    let bound = |ppm: u32| ratio(u64::from(ppm), 1_000_000);
    format!("95 %: {} to {}", bound(rate.low_ppm), bound(rate.high_ppm))
}

#[cfg(test)]
mod tests {
    use super::Contention;

    #[test]
    fn five_clients_in_lockstep_lose_four_of_five() {
        let contention = Contention {
            additions: 500,
            versions: 100,
            lost: 400,
        };
        assert_eq!(
            contention.to_string(),
            "c = 5.0000 additions per version read: last-write-wins loses 1 - 1/c = 0.8000 or more; measured 0.8000, as of c = 5.0000"
        );
    }
}
