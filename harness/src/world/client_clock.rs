//! The clock that clients take stamps from, where the store wants them from its clients (Cassandra's `USING TIMESTAMP`, which its drivers
//! do by themselves).
//!
//! All clients of a run are one program on one machine, as the sessions of one driver are: they share a generator whose stamps grow,
//! so that no two of them are equal. It is not a node's clock: no fault skews it.

use quorate_node::config::{Resolution, StampSource, StoreConfig, Versions};

/// Nanoseconds in a millisecond.
const NS_PER_MS: i64 = 1_000_000;

/// By how much stamps of the same millisecond differ at least, ns.
const STEP_NS: i64 = 1_000;

/// The generator.
#[derive(Debug)]
pub(super) struct ClientClock {
    resolution: Resolution,
    last_ns: i64,
}

impl ClientClock {
    /// The clock for clients of this store; none if it stamps by itself or needs no stamps.
    pub(super) fn of(store: &StoreConfig) -> Option<ClientClock> {
        match store.options.versions {
            Versions::Lww(stamping) if stamping.source == StampSource::Client => {
                Some(ClientClock {
                    resolution: stamping.resolution,
                    last_ns: i64::MIN,
                })
            }
            _ => None,
        }
    }

    /// The stamp of an operation that is sent when the wall clock shows `wall_ns`, ns since the Unix epoch.
    pub(super) fn stamp(&mut self, wall_ns: i64) -> i64 {
        let (shown_ns, step_ns) = match self.resolution {
            Resolution::Nanosecond => (wall_ns, 1),
            Resolution::Millisecond => (wall_ns - wall_ns.rem_euclid(NS_PER_MS), STEP_NS),
        };
        self.last_ns = shown_ns.max(self.last_ns.saturating_add(step_ns));
        self.last_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(resolution: Resolution) -> ClientClock {
        ClientClock {
            resolution,
            last_ns: i64::MIN,
        }
    }

    #[test]
    fn stamps_grow_although_the_clock_stands_still_or_goes_back() {
        let mut clock = clock(Resolution::Nanosecond);
        let stamps = [70, 70, 60, 90].map(|wall_ns| clock.stamp(wall_ns));
        assert_eq!(stamps, [70, 71, 72, 90]);
    }

    #[test]
    fn milliseconds_leave_room_for_what_comes_in_the_same_one() {
        let mut clock = clock(Resolution::Millisecond);
        let stamps = [5_400_000, 5_900_000, 6_000_000].map(|wall_ns| clock.stamp(wall_ns));
        assert_eq!(stamps, [5_000_000, 5_001_000, 6_000_000]);
    }
}
