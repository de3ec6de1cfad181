//! What a simulated cluster goes through besides the faults of its plan: how fast everything is, and how reliable.
//!
//! Settings only; how things travel is `network.rs`. Over the connections of a real cluster messages neither pass each other nor come
//! twice, and are lost with their connection, or where a queue is full. Nodes promise each other less than that: any message may be
//! lost, repeated or overtaken, as over datagrams. A plan may ask for it, in messages of a million; by default there is none of it. What
//! voids a promise (loss, drift) is told by the history, as a fault that lasts as long as the run.

use quorate_workloads::Rng;
use serde::{Deserialize, Serialize};

/// All messages, in parts per million.
pub(crate) const MILLION: u64 = 1_000_000;

/// A range of durations, each as likely as the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The shortest, µs.
    pub min_us: u64,
    /// The longest, µs.
    pub max_us: u64,
}

impl Span {
    /// From `min_us` to `max_us`.
    pub const fn new(min_us: u64, max_us: u64) -> Span {
        Span { min_us, max_us }
    }

    /// One of these durations, ns.
    pub(super) fn draw_ns(self, rng: &mut Rng) -> u64 {
        let ns = |us: u64| us.saturating_mul(1_000);
        rng.between(ns(self.min_us), ns(self.max_us))
    }
}

/// How fast everything is that a plan says nothing about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weather {
    /// From one node to another, one way.
    pub transit: Span,
    /// How many messages of a hundred are caught in a gust, and late for no reason.
    pub gust_percent: u64,
    /// How late those are, on top.
    pub gust: Span,
    /// From a client to its node, and back, one way.
    pub client: Span,
    /// How long a disk takes to sync.
    pub sync: Span,
    /// How many syncs of a hundred are slow.
    pub slow_sync_percent: u64,
    /// How much longer those take.
    pub slow_sync: Span,
    /// From one attempt to connect to a peer to the next.
    pub redial: Span,
    /// From the start of a process until it serves.
    pub boot: Span,
    /// From the decision to do something to a node or link until it is done, and from then until that is known.
    pub strike: Span,
    /// Messages of a million that are lost, and nobody is told.
    pub lost_ppm: u64,
    /// Messages of a million that break their connection: they are lost, and everything that is under way over it.
    pub broken_ppm: u64,
    /// Messages of a million that come a second time, later.
    pub repeated_ppm: u64,
    /// Messages of a million that are late by a gust, so that others of their connection overtake them.
    pub overtaken_ppm: u64,
    /// How fast or slow a wall clock may be at most, µs in a second. Each node's is drawn from the seed.
    pub drift_ppm_max: u64,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Arrives,
    Lost,
    Breaks,
    Repeated,
    Overtaken,
}

impl Default for Weather {
    fn default() -> Weather {
        Weather::USUAL
    }
}

impl Weather {
    /// About what nodes and clients on one machine see, with gusts as on a busy one. Connections lose nothing.
    pub const USUAL: Weather = Weather {
        transit: Span::new(100, 2_000),
        gust_percent: 2,
        gust: Span::new(1_000, 40_000),
        client: Span::new(50, 500),
        sync: Span::new(100, 4_000),
        slow_sync_percent: 0,
        slow_sync: Span::new(5_000, 50_000),
        redial: Span::new(5_000, 200_000),
        boot: Span::new(5_000, 60_000),
        strike: Span::new(10, 3_000),
        lost_ppm: 0,
        broken_ppm: 0,
        repeated_ppm: 0,
        overtaken_ppm: 0,
        drift_ppm_max: 0,
    };

    /// All ranges, by their names in plans.
    pub(crate) fn spans(&self) -> [(&'static str, Span); 8] {
        [
            ("weather.transit", self.transit),
            ("weather.gust", self.gust),
            ("weather.client", self.client),
            ("weather.sync", self.sync),
            ("weather.slow_sync", self.slow_sync),
            ("weather.redial", self.redial),
            ("weather.boot", self.boot),
            ("weather.strike", self.strike),
        ]
    }

    /// All shares of messages, by their names in plans.
    pub(crate) fn shares(&self) -> [(&'static str, u64); 4] {
        [
            ("weather.lost_ppm", self.lost_ppm),
            ("weather.broken_ppm", self.broken_ppm),
            ("weather.repeated_ppm", self.repeated_ppm),
            ("weather.overtaken_ppm", self.overtaken_ppm),
        ]
    }

    /// Everything that may happen or not: nothing of that kind does where it is 0.
    pub(crate) fn chances(&self) -> [u64; 7] {
        let [lost, broken, repeated, overtaken] = self.shares().map(|(_, ppm)| ppm);
        [
            self.gust_percent,
            self.slow_sync_percent,
            lost,
            broken,
            repeated,
            overtaken,
            self.drift_ppm_max,
        ]
    }

    /// How long it may take at most to reach a replica, have it hold a version, and hear of it, µs. What happens to less than half of all
    /// messages or syncs does not count.
    pub(crate) fn round_trip_us(&self) -> u64 {
        let of_most = |percent: u64, span: Span| if percent >= 50 { span.max_us } else { 0 };
        let transit_us = self
            .transit
            .max_us
            .saturating_add(of_most(self.gust_percent, self.gust));
        let slow_us = of_most(self.slow_sync_percent, self.slow_sync);
        let sync_us = self.sync.max_us.saturating_add(slow_us);
        // What comes during a sync waits for the next one.
        transit_us.saturating_add(sync_us).saturating_mul(2)
    }

    /// Whether messages may get lost although no fault is in force.
    pub(super) fn is_lossy(&self) -> bool {
        self.lost_ppm > 0 || self.broken_ppm > 0
    }

    /// What becomes of one message.
    pub(super) fn fate(&self, rng: &mut Rng) -> Fate {
        let fates = [Fate::Lost, Fate::Breaks, Fate::Repeated, Fate::Overtaken];
        let shares = self.shares().map(|(_, ppm)| ppm);
        if shares == [0; 4] {
            return Fate::Arrives;
        }
        let mut drawn = rng.below(MILLION);
        for (fate, ppm) in fates.into_iter().zip(shares) {
            match drawn.checked_sub(ppm) {
                Some(rest) => drawn = rest,
                None => return fate,
            }
        }
        Fate::Arrives
    }

    /// How long one sync takes, ns.
    pub(super) fn sync_ns(&self, rng: &mut Rng) -> u64 {
        // Nothing is drawn for what cannot happen, so that it does not change what can.
        let slow_ns = if self.slow_sync_percent > 0 && rng.percent(self.slow_sync_percent) {
            self.slow_sync.draw_ns(rng)
        } else {
            0
        };
        self.sync.draw_ns(rng) + slow_ns
    }

    /// How fast (or, if negative, slow) one wall clock is, µs in a second.
    pub(super) fn drift_ppm(&self, rng: &mut Rng) -> i64 {
        let drawn = rng.between(0, self.drift_ppm_max.saturating_mul(2));
        let signed = i128::from(drawn) - i128::from(self.drift_ppm_max);
        i64::try_from(signed).unwrap_or(0)
    }

    /// How long one message is under way, ns.
    pub(super) fn transit_ns(&self, rng: &mut Rng) -> u64 {
        let gust_ns = if rng.percent(self.gust_percent) {
            self.gust.draw_ns(rng)
        } else {
            0
        };
        self.transit.draw_ns(rng) + gust_ns
    }
}
