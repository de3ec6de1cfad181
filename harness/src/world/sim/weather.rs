//! How fast a simulated cluster is: the ranges that every delay is drawn from.
//!
//! Settings only. What travels, and in which order, is `network.rs`; what is lost is up to the faults of the plan.

use quorate_workloads::Rng;
use serde::{Deserialize, Serialize};

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
    /// From one attempt to connect to a peer to the next.
    pub redial: Span,
    /// From the start of a process until it serves.
    pub boot: Span,
    /// From the decision to do something to a node or link until it is done, and from then until that is known.
    pub strike: Span,
}

impl Default for Weather {
    /// About what nodes and clients on one machine see, with gusts as on a busy one.
    fn default() -> Weather {
        Weather {
            transit: Span::new(100, 2_000),
            gust_percent: 2,
            gust: Span::new(1_000, 40_000),
            client: Span::new(50, 500),
            sync: Span::new(100, 4_000),
            redial: Span::new(5_000, 200_000),
            boot: Span::new(5_000, 60_000),
            strike: Span::new(10, 3_000),
        }
    }
}

impl Weather {
    /// All ranges, by their names in plans.
    pub(crate) fn spans(&self) -> [(&'static str, Span); 7] {
        [
            ("weather.transit", self.transit),
            ("weather.gust", self.gust),
            ("weather.client", self.client),
            ("weather.sync", self.sync),
            ("weather.redial", self.redial),
            ("weather.boot", self.boot),
            ("weather.strike", self.strike),
        ]
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
