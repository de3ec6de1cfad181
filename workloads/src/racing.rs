//! `racing`: all clients write one key, each through its own node, then move on to the next.
//!
//! Short rounds matter: what last-write-wins lost is certain only where a key has come to rest, so every round leaves one
//! more key at rest for the final reads.

use crate::{Action, Op, Rng, Settings, Workload};

/// Operations per client and round, on average.
const TURNS: u64 = 3;

pub(crate) struct Racing {
    round_ops: u64,
    read_percent: u64,
    handed_out: u64,
    last_value: i64,
}

impl Racing {
    pub(crate) fn new(settings: &Settings) -> Racing {
        Racing {
            round_ops: settings.clients.max(1) * TURNS,
            read_percent: settings.read_percent,
            handed_out: 0,
            last_value: 0,
        }
    }

    fn rounds(&self) -> u64 {
        self.handed_out.div_ceil(self.round_ops)
    }
}

impl Workload for Racing {
    fn next(&mut self, _client: u64, rng: &mut Rng) -> Op {
        self.handed_out += 1;
        let key = format!("r{}", self.rounds());
        let action = if rng.percent(self.read_percent) {
            Action::Read
        } else {
            self.last_value += 1;
            Action::Write(self.last_value)
        };
        Op { action, key }
    }

    fn keys(&self) -> Vec<String> {
        (1..=self.rounds())
            .map(|round| format!("r{round}"))
            .collect()
    }
}
