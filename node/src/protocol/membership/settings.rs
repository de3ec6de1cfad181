//! How fast the failure detector probes, how patient it is, how widely it gossips.

use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Largest SWIM message, bytes: room for what there is to say about a cluster of a thousand nodes.
pub(super) const SWIM_BYTES_MAX: usize = 1 << 14;

/// Settings of the failure detector and the gossip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// One node is probed per period, ms. A node that did not answer by its end, directly or indirectly, is suspected.
    pub probe_period_ms: u64,
    /// How long the direct answer may take before others are asked to probe too, ms.
    pub probe_timeout_ms: u64,
    /// How long a suspect has to refute before it is declared dead, ms.
    pub suspicion_ms: u64,
    /// How many others are asked to probe indirectly (k of the SWIM paper), and how many are gossiped to per round.
    pub indirect_probes: u8,
    /// One round of gossip, ms. Nothing is sent in a round when there is no news.
    pub gossip_period_ms: u64,
    /// How often a node that is suspected, believed dead or was never heard of is called, ms: what heals a partition. One node per period.
    pub announce_period_ms: u64,
}

impl Default for Settings {
    /// A period of a second as in the SWIM paper and Dynamo 4.8, the rest in proportion as in memberlist's settings for a LAN.
    fn default() -> Settings {
        Settings {
            probe_period_ms: 1_000,
            probe_timeout_ms: 300,
            suspicion_ms: 4_000,
            indirect_probes: 3,
            gossip_period_ms: 200,
            announce_period_ms: 2_000,
        }
    }
}

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A time of nothing.
    #[error("{0} is 0 ms: choose at least 1 ms")]
    Zero(&'static str),
    /// No time is left for the indirect probe.
    #[error(
        "a probe time-out of {timeout_ms} ms leaves no time for indirect probes: choose less than half the probe period of {period_ms} ms"
    )]
    Timeout {
        /// The time-out, ms.
        timeout_ms: u64,
        /// The period, ms.
        period_ms: u64,
    },
    /// Nobody to probe indirectly.
    #[error("0 indirect probes: choose 1 or more, 3 is usual")]
    NoIndirectProbes,
}

impl Settings {
    /// Refuses settings that no detector can work with.
    pub fn validate(&self) -> Result<(), SettingsError> {
        for (name, ms) in [
            ("the probe period", self.probe_period_ms),
            ("the probe time-out", self.probe_timeout_ms),
            ("the suspicion time", self.suspicion_ms),
            ("the gossip period", self.gossip_period_ms),
            ("the announce period", self.announce_period_ms),
        ] {
            if ms == 0 {
                return Err(SettingsError::Zero(name));
            }
        }
        // An indirect probe takes two round trips where the direct one takes one.
        if self.probe_timeout_ms > self.probe_period_ms.saturating_sub(1) / 2 {
            return Err(SettingsError::Timeout {
                timeout_ms: self.probe_timeout_ms,
                period_ms: self.probe_period_ms,
            });
        }
        if self.indirect_probes == 0 {
            return Err(SettingsError::NoIndirectProbes);
        }
        Ok(())
    }

    /// The same for the SWIM library, in a cluster of `nodes`. What it could do on timers of its own (gossip, calling the dead) is left
    /// out: it stops these when it believes itself alone, just when they are needed, so `Membership` keeps them. Nor does it tell the dead
    /// that they are: `foca` 2.0 says so also to a node that has refuted a suspicion in time, when the suspicion's time is up.
    pub(super) fn swim(&self, nodes: usize) -> foca::Config {
        foca::Config {
            probe_period: self.probe_period(),
            probe_rtt: Duration::from_millis(self.probe_timeout_ms),
            num_indirect_probes: NonZeroUsize::new(self.indirect_probes.into())
                .unwrap_or(NonZeroUsize::MIN),
            max_transmissions: transmissions(nodes),
            suspect_to_down_after: Duration::from_millis(self.suspicion_ms),
            remove_down_after: None,
            max_packet_size: NonZeroUsize::new(SWIM_BYTES_MAX).unwrap_or(NonZeroUsize::MIN),
            notify_down_members: false,
            periodic_announce: None,
            periodic_announce_to_down_members: None,
            periodic_gossip: None,
        }
    }

    pub(super) fn probe_period(&self) -> Duration {
        Duration::from_millis(self.probe_period_ms)
    }

    pub(super) fn gossip_period(&self) -> Duration {
        Duration::from_millis(self.gossip_period_ms)
    }

    pub(super) fn announce_period(&self) -> Duration {
        Duration::from_millis(self.announce_period_ms)
    }
}

/// How often one piece of news is passed on by each node that has it: 3 log2(nodes + 1), a small multiple of log(M), after which
/// all have it with high probability (Das, Gupta and Motivala, DSN 2002, section 4.1).
pub(super) fn transmissions(nodes: usize) -> NonZeroU8 {
    let bits = usize::BITS - nodes.leading_zeros();
    let times = u8::try_from(3 * bits).unwrap_or(u8::MAX);
    NonZeroU8::new(times).unwrap_or(NonZeroU8::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transmissions_grow_with_the_logarithm() {
        let times: Vec<_> = [0, 1, 4, 8, 64, 1_000]
            .map(|nodes| transmissions(nodes).get())
            .into();
        assert_eq!(times, [1, 3, 9, 12, 21, 30]);
    }

    #[test]
    fn senseless_settings_are_refused() {
        let ok = Settings::default();
        assert_eq!(ok.validate(), Ok(()));
        let late = Settings {
            probe_timeout_ms: 500,
            ..ok.clone()
        };
        let refused = late.validate().expect_err("refused").to_string();
        assert!(
            refused.contains("choose less than half the probe period of 1000 ms"),
            "{refused}"
        );
        let still = Settings {
            gossip_period_ms: 0,
            ..ok.clone()
        };
        assert_eq!(
            still.validate(),
            Err(SettingsError::Zero("the gossip period"))
        );
        let alone = Settings {
            indirect_probes: 0,
            ..ok
        };
        assert_eq!(alone.validate(), Err(SettingsError::NoIndirectProbes));
    }
}
