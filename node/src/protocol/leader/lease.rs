//! Leases: how long a leader may serve, and how long its successor must wait.
//!
//! A follower that answers a heartbeat promises that no other leader will serve within a lease from the moment in which it *received* it.
//! The leader counts from the moment in which it *sent* it, which is earlier, so that its lease ends first. A voter tells a candidate how
//! much of its promises is left, and the candidate waits for that long after it won. Both sides measure durations only, on clocks of their
//! own, which need not agree on the time; how wrong their rates may be is a setting.

use std::time::Duration;

use crate::protocol::time::{Nanos, Now};

use super::config::LeaderConfig;

/// Parts of a million.
const MILLION: u64 = 1_000_000;

/// What a node promised to the leaders that it heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Promise {
    /// None if there are no leases.
    length: Option<Duration>,
    until: Nanos,
}

impl Promise {
    pub(super) fn new(config: &LeaderConfig) -> Promise {
        Promise {
            length: config.lease_ms.map(Duration::from_millis),
            until: Nanos(0),
        }
    }

    /// A leader is told that it was heard. Also after a start: nobody knows what was promised before it.
    pub(super) fn renew(&mut self, now: Now) {
        if let Some(length) = self.length {
            self.until = self.until.max(now.monotonic.after(length));
        }
    }

    /// When no promise is in force any more.
    pub(super) fn until(self) -> Nanos {
        self.until
    }

    /// How long until then, ns.
    pub(super) fn left_ns(self, now: Now) -> u64 {
        self.until.0.saturating_sub(now.monotonic.0)
    }
}

/// What a leader may rely on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    /// None if there are no leases: then it may always serve.
    length: Option<Duration>,
    looks_at_clock: bool,
    until: Nanos,
    /// Whether the timer has not ended it yet.
    running: bool,
}

impl Lease {
    pub(super) fn new(config: &LeaderConfig) -> Lease {
        Lease {
            length: config
                .lease_ms
                .map(|ms| shortened(ms, config.clock_error_ppm)),
            looks_at_clock: config.lease_check_at_reply,
            until: Nanos(0),
            running: false,
        }
    }

    /// A majority, the leader included, has heard something that was sent then.
    pub(super) fn renew(&mut self, sent: Nanos, now: Now) {
        if let Some(length) = self.length {
            self.until = self.until.max(sent.after(length));
            self.running |= self.until > now.monotonic;
        }
    }

    /// The timer: ends a lease that has run out.
    pub(super) fn tick(&mut self, now: Now) {
        self.running &= self.until > now.monotonic;
    }

    /// When the timer is due.
    pub(super) fn timer(self) -> Option<Nanos> {
        self.running.then_some(self.until)
    }

    /// Whether the leader may serve now.
    pub(super) fn holds(self, now: Now) -> bool {
        match self.length {
            None => true,
            Some(_) if self.looks_at_clock => self.until > now.monotonic,
            Some(_) => self.running,
        }
    }

    /// Until when it may serve; none if there are no leases.
    pub(super) fn until(self) -> Option<Nanos> {
        self.length.map(|_| self.until)
    }
}

/// What is left of a lease for a leader whose clock may be too slow while its followers' are too fast. With rates wrong by at most e,
/// (1 - 2e) of it are over before (1 - e) / (1 + e) of it are.
fn shortened(lease_ms: u64, error_ppm: u32) -> Duration {
    let kept_ppm = MILLION.saturating_sub(u64::from(error_ppm).saturating_mul(2));
    let whole_ns = Duration::from_millis(lease_ms).as_nanos();
    let kept_ns = whole_ns * u128::from(kept_ppm) / u128::from(MILLION);
    Duration::from_nanos(u64::try_from(kept_ns).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ns: u64) -> Now {
        Now {
            monotonic: Nanos(ns),
            ..Now::default()
        }
    }

    fn config(looks: bool, error_ppm: u32) -> LeaderConfig {
        LeaderConfig {
            lease_ms: Some(10),
            lease_check_at_reply: looks,
            clock_error_ppm: error_ppm,
            ..LeaderConfig::DYNAMODB
        }
    }

    proptest! {
        /// Sent at `sent`, heard later, both on a clock that may be wrong by the error.
        #[test]
        fn a_lease_is_over_before_the_promise_behind_it(
            sent in 0..10_000_000_u64, delay in 0..10_000_000_u64, later in 0..20_000_000_u64, error in 0..100_000_u32,
            leader in -1..=1_i64, follower in -1..=1_i64,
        ) {
            let config = config(true, error);
            let clock = |side: i64, real_ns: u64| {
                let rate = 1_000_000 + side * i64::from(error);
                at(u64::try_from(i128::from(real_ns) * i128::from(rate) / 1_000_000).unwrap())
            };
            let (mut lease, mut promise) = (Lease::new(&config), Promise::new(&config));
            let heard = sent + delay;
            promise.renew(clock(follower, heard));
            lease.renew(clock(leader, sent).monotonic, clock(leader, heard));
            let real = heard + later;
            if lease.holds(clock(leader, real)) {
                prop_assert!(promise.left_ns(clock(follower, real)) > 0);
            }
        }
    }

    #[test]
    fn only_who_looks_at_the_clock_notices_that_it_slept() {
        for looks in [true, false] {
            let mut lease = Lease::new(&config(looks, 0));
            lease.renew(Nanos(0), at(1));
            assert!(lease.holds(at(9_999_999)));
            assert_eq!(lease.timer(), Some(Nanos(10_000_000)));
            assert_eq!(lease.holds(at(10_000_000)), !looks);
            lease.tick(at(10_000_000));
            assert!(!lease.holds(at(10_000_000)));
            lease.renew(Nanos(5_000_000), at(11_000_000));
            assert!(lease.holds(at(12_000_000)));
        }
    }

    #[test]
    fn without_leases_nobody_waits() {
        let config = LeaderConfig {
            lease_ms: None,
            ..config(true, 0)
        };
        let mut promise = Promise::new(&config);
        promise.renew(at(5));
        assert_eq!(promise.left_ns(at(0)), 0);
        assert!(Lease::new(&config).holds(at(u64::MAX)));
    }
}
