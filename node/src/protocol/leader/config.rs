//! The settings of a single-leader store, and presets of systems that are known to behave so.
//!
//! Presets have the times of the original; [`LeaderConfig::scaled_down`] makes them fit a test.

use serde::{Deserialize, Serialize};

/// When a write is acknowledged. The leader's own copy must be durable in any case, but for [`Replication::Majority`], where it counts as one
/// of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replication {
    /// At once (`PostgreSQL` with `synchronous_commit = local`, `MySQL` by default).
    Async,
    /// When `k` followers have a durable copy.
    SemiSync {
        /// How many (`rpl_semi_sync_source_wait_for_replica_count`; `ANY k (...)`).
        k: u16,
        /// After waiting so long in vain, ms, writes are acknowledged at once, until `k` followers have caught up
        /// (`rpl_semi_sync_source_timeout`, 10000 ms by default). None: wait for ever, as `PostgreSQL` does.
        fallback_ms: Option<u64>,
    },
    /// When a majority of all nodes has a durable copy (Raft; `DynamoDB`'s replication groups).
    Majority,
}

/// Who takes the place of a leader that is not heard any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promotion {
    /// Whoever notices first, whatever it holds.
    AnyFollower,
    /// The most advanced of those that answer; they must be a majority of all nodes.
    MostAdvancedOfMajority,
    /// The most advanced of those that answer, however few (Patroni, orchestrator).
    MostAdvancedOfReachable,
    /// A candidate for which a majority votes; nobody votes for a log that is behind its own (Raft, section 5.4.1).
    Election,
}

/// What a node does with requests that only the leader may serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redirect {
    /// Passes them on to the leader that it knows, and the answer back.
    Forward,
    /// Refuses them, and names the leader.
    Refuse,
}

/// Who answers reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// The leader only (`DynamoDB`'s strongly consistent reads).
    Leader,
    /// The node that was asked, from what it has (eventual reads, hot standby).
    Any,
}

/// Settings that all nodes of a single-leader store share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderConfig {
    /// When a write is acknowledged.
    pub replication: Replication,
    /// Who replaces a silent leader.
    pub promotion: Promotion,
    /// How long, ms, a leader may serve after a majority heard it last (a lease; Gray and Cheriton, SOSP 1989); a new leader waits until every
    /// lease that its voters granted has run out. None: no leases. They protect reads only where a promotion needs a majority, and only
    /// together with `fencing`. Followers answer when their disks have what they were sent: choose it longer than a heartbeat and a slow
    /// sync together.
    pub lease_ms: Option<u64>,
    /// How fast or slow a monotonic clock may be at most, µs in a second. The leader takes its lease to be shorter by twice that.
    pub clock_error_ppm: u32,
    /// Whether the leader looks at the clock with every request. Otherwise it trusts the timer that ends its lease, and what it finds waiting
    /// after a pause it serves before that timer.
    pub lease_check_at_reply: bool,
    /// Whether nodes refuse messages of a smaller term than they promised to follow. Without it whoever resumes after a pause goes on leading
    /// until it hears of its successor, and followers take entries from both.
    pub fencing: bool,
    /// Whether a node asks the others if they still hear the leader before it tries to replace it (`DynamoDB`, ATC 2022, section 5.2; Raft's
    /// pre-vote). Without effect on [`Promotion::AnyFollower`].
    pub ask_first: bool,
    /// How often the leader is heard, ms (Patroni: `loop_wait`, 10 s).
    pub heartbeat_ms: u64,
    /// A leader not heard for so long, ms, is to be replaced (Patroni: `ttl`, 30 s).
    pub detect_ms: u64,
    /// Up to so much is added to waiting times, ms, so that nodes do not try at the same time (Raft, section 5.2).
    pub jitter_ms: u64,
    /// How long a node waits for the others' answers, ms (Patroni: `retry_timeout`, 10 s).
    pub poll_ms: u64,
    /// What becomes of requests at a node that does not lead.
    pub redirect: Redirect,
    /// Who answers reads that do not say.
    pub reads: Reads,
    /// How long a client waits for copies before it is answered "unknown", ms.
    pub request_timeout_ms: u64,
    /// Most entries that a log may have; a leader refuses writes beyond. Logs are kept whole, in memory too: nothing is folded into a snapshot.
    pub log_entries_max: u64,
}

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaderConfigError {
    /// More copies than there are followers, or none.
    #[error("k = {k} copies with {followers} followers: choose 1 to {followers}, or async")]
    Copies {
        /// Copies to wait for.
        k: u16,
        /// Nodes that are not the leader.
        followers: u16,
    },
    /// A time of nothing.
    #[error("{0} = 0: choose at least 1 ms")]
    NoTime(&'static str),
    /// A log that takes nothing.
    #[error("log_entries_max = 0 refuses all writes: choose at least 1")]
    NoLog,
    /// The leader would be taken for dead between two heartbeats.
    #[error(
        "detect_ms = {detect_ms} does not exceed heartbeat_ms = {heartbeat_ms}: choose a longer detection time"
    )]
    Detection {
        /// After this a leader is taken for dead, ms.
        detect_ms: u64,
        /// So often it is heard, ms.
        heartbeat_ms: u64,
    },
    /// The lease would run out between two heartbeats.
    #[error(
        "lease_ms = {lease_ms} does not exceed heartbeat_ms = {heartbeat_ms}: choose a longer lease"
    )]
    Lease {
        /// The lease, ms.
        lease_ms: u64,
        /// So often it is renewed, ms.
        heartbeat_ms: u64,
    },
    /// Clocks so bad that no lease is left.
    #[error("clock_error_ppm = {0} leaves nothing of a lease: choose less than 500000")]
    Clocks(u32),
}

/// Clock errors from here on leave nothing of a lease, ppm.
const CLOCK_ERROR_PPM_END: u32 = 500_000;

impl LeaderConfig {
    /// The usual limit of a log: some 100 bytes and the values for each of these.
    pub const LOG_ENTRIES_MAX: u64 = 1 << 22;

    /// `PostgreSQL` with asynchronous standbys under Patroni, with its default times. Patroni keeps the lease in a store of its own; here the
    /// followers grant it.
    pub const POSTGRESQL_ASYNC: LeaderConfig = LeaderConfig {
        replication: Replication::Async,
        promotion: Promotion::MostAdvancedOfReachable,
        lease_ms: Some(30_000),
        clock_error_ppm: 0,
        lease_check_at_reply: true,
        fencing: true,
        ask_first: false,
        heartbeat_ms: 10_000,
        detect_ms: 30_000,
        jitter_ms: 1_000,
        poll_ms: 10_000,
        redirect: Redirect::Refuse,
        reads: Reads::Leader,
        request_timeout_ms: 10_000,
        log_entries_max: LeaderConfig::LOG_ENTRIES_MAX,
    };

    /// The same with `synchronous_standby_names = 'ANY 1 (...)'`, and a majority needed for a promotion: nothing acknowledged is lost, and
    /// writes hang without a standby.
    pub const POSTGRESQL_SYNC: LeaderConfig = LeaderConfig {
        replication: Replication::SemiSync {
            k: 1,
            fallback_ms: None,
        },
        promotion: Promotion::MostAdvancedOfMajority,
        ..LeaderConfig::POSTGRESQL_ASYNC
    };

    /// `MySQL` with its semi-synchronous plug-in and its default time-out, and a tool that promotes the most advanced replica that it reaches.
    /// Nothing fences the old source.
    pub const MYSQL_SEMI_SYNC: LeaderConfig = LeaderConfig {
        replication: Replication::SemiSync {
            k: 1,
            fallback_ms: Some(10_000),
        },
        promotion: Promotion::MostAdvancedOfReachable,
        lease_ms: None,
        lease_check_at_reply: false,
        fencing: false,
        ..LeaderConfig::POSTGRESQL_ASYNC
    };

    /// `DynamoDB`'s replication groups: a replicated log, a leader with a lease of "a couple of seconds", and followers that ask each other
    /// before they call an election (ATC 2022, sections 3 and 5.2). Their other times are not published; these are guesses.
    pub const DYNAMODB: LeaderConfig = LeaderConfig {
        replication: Replication::Majority,
        promotion: Promotion::Election,
        lease_ms: Some(2_000),
        clock_error_ppm: 200,
        lease_check_at_reply: true,
        fencing: true,
        ask_first: true,
        heartbeat_ms: 500,
        detect_ms: 1_500,
        jitter_ms: 500,
        poll_ms: 500,
        redirect: Redirect::Forward,
        reads: Reads::Leader,
        request_timeout_ms: 1_000,
        log_entries_max: LeaderConfig::LOG_ENTRIES_MAX,
    };

    /// The same with all times divided, none below 1 ms.
    #[must_use]
    pub fn scaled_down(self, divisor: u64) -> LeaderConfig {
        let scaled = |ms: u64| (ms / divisor.max(1)).max(1);
        LeaderConfig {
            replication: match self.replication {
                Replication::SemiSync { k, fallback_ms } => Replication::SemiSync {
                    k,
                    fallback_ms: fallback_ms.map(scaled),
                },
                other => other,
            },
            lease_ms: self.lease_ms.map(scaled),
            heartbeat_ms: scaled(self.heartbeat_ms),
            detect_ms: scaled(self.detect_ms),
            jitter_ms: self.jitter_ms / divisor.max(1),
            poll_ms: scaled(self.poll_ms),
            request_timeout_ms: scaled(self.request_timeout_ms),
            ..self
        }
    }

    /// Refuses settings that no cluster of so many nodes can run with.
    pub fn validate(&self, nodes: u16) -> Result<(), LeaderConfigError> {
        let followers = nodes.saturating_sub(1);
        if let Replication::SemiSync { k, .. } = self.replication
            && (k == 0 || k > followers)
        {
            return Err(LeaderConfigError::Copies { k, followers });
        }
        let times = [
            ("heartbeat_ms", self.heartbeat_ms),
            ("poll_ms", self.poll_ms),
            ("request_timeout_ms", self.request_timeout_ms),
        ];
        if let Some((name, _)) = times.into_iter().find(|(_, ms)| *ms == 0) {
            return Err(LeaderConfigError::NoTime(name));
        }
        if self.log_entries_max == 0 {
            return Err(LeaderConfigError::NoLog);
        }
        let heartbeat_ms = self.heartbeat_ms;
        if self.detect_ms <= heartbeat_ms {
            return Err(LeaderConfigError::Detection {
                detect_ms: self.detect_ms,
                heartbeat_ms,
            });
        }
        if let Some(lease_ms) = self.lease_ms.filter(|lease_ms| *lease_ms <= heartbeat_ms) {
            return Err(LeaderConfigError::Lease {
                lease_ms,
                heartbeat_ms,
            });
        }
        if self.clock_error_ppm >= CLOCK_ERROR_PPM_END {
            return Err(LeaderConfigError::Clocks(self.clock_error_ppm));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRESETS: [LeaderConfig; 4] = [
        LeaderConfig::POSTGRESQL_ASYNC,
        LeaderConfig::POSTGRESQL_SYNC,
        LeaderConfig::MYSQL_SEMI_SYNC,
        LeaderConfig::DYNAMODB,
    ];

    #[test]
    fn presets_are_valid_at_any_scale_and_come_back_from_json() {
        for preset in PRESETS {
            for divisor in [1, 10, 100] {
                let scaled = preset.scaled_down(divisor);
                assert_eq!(scaled.validate(3), Ok(()));
                let json = serde_json::to_string(&scaled).unwrap();
                assert_eq!(serde_json::from_str::<LeaderConfig>(&json).unwrap(), scaled);
            }
        }
    }

    /// Patroni's own rule: `loop_wait` + 2 `retry_timeout` <= `ttl`. Else a leader that has to retry loses its lease.
    #[test]
    fn presets_leave_time_to_retry_within_a_lease() {
        for preset in PRESETS {
            let lease_ms = preset.lease_ms.unwrap_or(u64::MAX);
            assert!(preset.heartbeat_ms + 2 * preset.poll_ms <= lease_ms);
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let base = LeaderConfig::DYNAMODB;
        let semi_sync = |k| LeaderConfig {
            replication: Replication::SemiSync {
                k,
                fallback_ms: None,
            },
            ..base
        };
        assert_eq!(semi_sync(2).validate(3), Ok(()));
        for k in [0, 3] {
            let refused = LeaderConfigError::Copies { k, followers: 2 };
            assert_eq!(semi_sync(k).validate(3), Err(refused));
        }
        let bad = [
            LeaderConfig {
                heartbeat_ms: 0,
                ..base
            },
            LeaderConfig {
                detect_ms: base.heartbeat_ms,
                ..base
            },
            LeaderConfig {
                lease_ms: Some(base.heartbeat_ms),
                ..base
            },
            LeaderConfig {
                clock_error_ppm: 500_000,
                ..base
            },
            LeaderConfig {
                log_entries_max: 0,
                ..base
            },
        ];
        for config in bad {
            assert!(config.validate(3).is_err(), "{config:?}");
        }
    }
}
