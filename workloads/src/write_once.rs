//! `write-once`: every key is written once; reads go to keys written a short while ago.

use crate::{Action, Op, Rng, Settings, Workload};

/// Reads look this many keys back at most, so that they meet writes that are fresh or still under way.
const LOOK_BACK: u64 = 16;

pub(crate) struct WriteOnce {
    read_percent: u64,
    written: u64,
}

impl WriteOnce {
    pub(crate) fn new(settings: &Settings) -> WriteOnce {
        WriteOnce {
            read_percent: settings.read_percent,
            written: 0,
        }
    }
}

impl Workload for WriteOnce {
    fn next(&mut self, _client: u64, rng: &mut Rng) -> Op {
        if self.written > 0 && rng.percent(self.read_percent) {
            let back = rng.below(LOOK_BACK.min(self.written)) + 1;
            return Op {
                action: Action::Read,
                key: format!("w{}", self.written + 1 - back),
            };
        }
        self.written += 1;
        Op {
            action: Action::Write(i64::try_from(self.written).unwrap_or(i64::MAX)),
            key: format!("w{}", self.written),
        }
    }

    fn keys(&self) -> Vec<String> {
        (1..=self.written).map(|key| format!("w{key}")).collect()
    }
}
