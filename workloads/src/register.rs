//! `register`: reads, unique writes and a share of deletes over k keys.

use crate::{Action, Op, Rng, Settings, Workload};

pub(crate) struct Register {
    keys: u64,
    read_percent: u64,
    delete_percent: u64,
    last_value: i64,
}

impl Register {
    pub(crate) fn new(settings: &Settings) -> Register {
        Register {
            keys: settings.keys.max(1),
            read_percent: settings.read_percent,
            delete_percent: settings.delete_percent,
            last_value: 0,
        }
    }
}

impl Workload for Register {
    fn next(&mut self, _client: u64, rng: &mut Rng) -> Op {
        let key = format!("k{}", rng.below(self.keys));
        let die = rng.below(100);
        let action = if die < self.read_percent {
            Action::Read
        } else if die < self.read_percent + self.delete_percent {
            Action::Delete
        } else {
            self.last_value += 1;
            Action::Write(self.last_value)
        };
        Op { action, key }
    }

    fn keys(&self) -> Vec<String> {
        (0..self.keys).map(|key| format!("k{key}")).collect()
    }
}
