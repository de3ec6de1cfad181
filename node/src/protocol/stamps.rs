//! Takes last-write-wins stamps from the wall clock that it is told.
//!
//! It does not remember across restarts: a wall clock that went back while the node was down goes back for its stamps too, as in the
//! systems that this store imitates.

use crate::config::{
    NodeId, Resolution, Sabotage, StampSource, Stamping, StoreConfig, Tie, Versions,
};
use crate::wire::Stamp;

use super::time::WallNanos;

/// A millisecond, ns.
const MS_NS: i64 = 1_000_000;

/// How far apart a coordinator's stamps are within one millisecond, ns, if its clock shows no less.
const STEP_NS: i64 = 1_000;

/// Where a node's stamps come from.
#[derive(Debug)]
pub(super) struct Stamps {
    node: NodeId,
    settings: Stamping,
    /// [`Sabotage::MillisecondStamps`].
    repeats: bool,
    last: Option<i64>,
}

impl Stamps {
    pub(super) fn new(config: &StoreConfig, node: NodeId) -> Stamps {
        let settings = match config.options.versions {
            Versions::Lww(settings) => settings,
            Versions::Dvv { .. } => Stamping::default(),
        };
        Stamps {
            node,
            settings,
            repeats: config.has(Sabotage::MillisecondStamps),
            last: None,
        }
    }

    /// The stamp of a client's write. `own` is what the client brought along, `read` what it had read before.
    pub(super) fn of_write(
        &mut self,
        wall: WallNanos,
        own: Option<i64>,
        read: Option<Stamp>,
    ) -> Result<Stamp, String> {
        match (self.settings.source, own) {
            (StampSource::Client, Some(wall_ns)) => Ok(self.signed(wall_ns)),
            (_, Some(_)) => Err("this store stamps writes itself: send none".to_owned()),
            (StampSource::Hybrid, None) => {
                if let Some(read) = read {
                    self.see(read);
                }
                Ok(self.take(wall))
            }
            (_, None) => Ok(self.take(wall)),
        }
    }

    /// A stamp larger than every earlier one from here, even if the wall clock stands still or runs backwards.
    pub(super) fn take(&mut self, wall: WallNanos) -> Stamp {
        let in_ms = wall.0.saturating_sub(wall.0.rem_euclid(MS_NS));
        let (shown, step_ns) = match self.settings.resolution {
            _ if self.repeats => (in_ms, 0),
            Resolution::Nanosecond => (wall.0, 1),
            Resolution::Millisecond => (in_ms, STEP_NS),
        };
        let wall_ns = match self.last {
            Some(last) if !self.repeats => shown.max(last.saturating_add(step_ns)),
            _ => shown,
        };
        self.last = Some(wall_ns);
        self.signed(wall_ns)
    }

    /// Takes only larger stamps from now on than this one, if the clock is a hybrid one.
    pub(super) fn see(&mut self, stamp: Stamp) {
        if self.settings.source == StampSource::Hybrid {
            self.last = self.last.max(Some(stamp.wall_ns));
        }
    }

    fn signed(&self, wall_ns: i64) -> Stamp {
        let node = match self.settings.tie {
            Tie::NodeId => self.node.0,
            Tie::LargerValue => 0,
        };
        Stamp { wall_ns, node }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::tests::cluster::config;

    fn stamps(settings: Stamping) -> Stamps {
        let mut config = config(3, 2, 2);
        config.options.versions = Versions::Lww(settings);
        Stamps::new(&config, NodeId(2))
    }

    #[test]
    fn a_coordinators_stamps_only_grow() {
        let mut stamps = stamps(Stamping::default());
        let taken = [5, 5, 3, 9].map(|wall| stamps.take(WallNanos(wall)).wall_ns);
        assert_eq!(taken, [5, 6, 7, 9]);
    }

    #[test]
    fn a_coarse_clock_counts_microseconds_within_a_millisecond() {
        let mut stamps = stamps(Stamping {
            resolution: Resolution::Millisecond,
            ..Stamping::default()
        });
        let taken =
            [1_999_999, 1_999_999, 2_000_001].map(|wall| stamps.take(WallNanos(wall)).wall_ns);
        assert_eq!(taken, [1_000_000, 1_001_000, 2_000_000]);
    }

    #[test]
    fn only_a_store_that_takes_the_clients_stamps_is_given_them() {
        let mut client = stamps(Stamping {
            source: StampSource::Client,
            tie: Tie::LargerValue,
            ..Stamping::default()
        });
        let stamp = client.of_write(WallNanos(100), Some(7), None).unwrap();
        assert_eq!((stamp.wall_ns, stamp.node), (7, 0));
        assert_eq!(
            client.of_write(WallNanos(100), None, None).unwrap().wall_ns,
            100
        );
        let mut own = stamps(Stamping::default());
        assert!(own.of_write(WallNanos(100), Some(7), None).is_err());
    }

    #[test]
    fn a_hybrid_clock_goes_beyond_what_was_read_and_seen() {
        let stamp = |wall_ns| Stamp { wall_ns, node: 3 };
        let mut hybrid = stamps(Stamping {
            source: StampSource::Hybrid,
            ..Stamping::default()
        });
        let read = Some(stamp(50));
        assert_eq!(
            hybrid.of_write(WallNanos(10), None, read).unwrap().wall_ns,
            51
        );
        hybrid.see(stamp(80));
        assert_eq!(
            hybrid.of_write(WallNanos(10), None, None).unwrap().wall_ns,
            81
        );
        let mut plain = stamps(Stamping::default());
        plain.see(stamp(80));
        assert_eq!(
            plain.of_write(WallNanos(10), None, read).unwrap().wall_ns,
            10
        );
    }
}
