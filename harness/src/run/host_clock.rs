//! Watches the wall clock of the machine: if it is stepped, stamps no longer follow real time, whatever the plan says.
//!
//! It corrects nothing. The step goes into the history, and the contract then promises less.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A step smaller than this is slewing or the noise of reading two clocks, ns.
const STEP_NS_MIN: i64 = 500_000;
/// Two clocks read further apart than this do not belong together: the process was interrupted in between.
const READ_APART_MAX: Duration = Duration::from_micros(100);

/// Compares the wall clock with the monotonic clock from time to time.
pub(super) struct HostClock {
    began: Instant,
    /// Wall time minus monotonic time, ns, at the last reading.
    last_gap_ns: Option<i64>,
}

impl HostClock {
    pub(super) fn new() -> HostClock {
        HostClock {
            began: Instant::now(),
            last_gap_ns: None,
        }
    }

    /// The step since the last reading, ns, if there was one.
    pub(super) fn step_ns(&mut self) -> Option<i64> {
        let gap_ns = self.gap_ns()?;
        let step_ns = gap_ns - self.last_gap_ns.replace(gap_ns)?;
        (step_ns.abs() >= STEP_NS_MIN).then_some(step_ns)
    }

    fn gap_ns(&self) -> Option<i64> {
        let before = Instant::now();
        let wall = SystemTime::now();
        let after = Instant::now();
        if after - before > READ_APART_MAX {
            return None;
        }
        let wall_ns = i64::try_from(wall.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()?;
        let monotonic_ns = i64::try_from((before - self.began).as_nanos()).ok()?;
        Some(wall_ns - monotonic_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::HostClock;

    #[test]
    fn a_changed_gap_is_a_step_and_an_unchanged_one_is_none() {
        let mut clock = HostClock::new();
        // The first reading has nothing to compare with. A reading may be given up when the machine is busy.
        assert_eq!(clock.step_ns(), None);
        let Some(gap_ns) = (0..1_000).find_map(|_| clock.gap_ns()) else {
            panic!("the two clocks could never be read together");
        };
        clock.last_gap_ns = Some(gap_ns - 5_000_000);
        let step_ns = (0..1_000).find_map(|_| clock.step_ns());
        assert!(
            step_ns.is_some_and(|step_ns| (4_000_000..6_000_000).contains(&step_ns)),
            "{step_ns:?}"
        );
    }
}
