//! Every workload by name, with what it is for. One line here is all that a new workload needs outside its file.

use std::fmt;

use quorate_checkers::guarantee::Guarantee;

use crate::racing::Racing;
use crate::register::Register;
use crate::write_once::WriteOnce;
use crate::{Coordinators, Workload};

/// A workload's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Reads, unique writes and deletes over a few keys.
    Register,
    /// Every key written once.
    WriteOnce,
    /// Several writers race on one key, then on the next.
    Racing,
}

/// What a workload can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Number of concurrent clients.
    pub clients: u64,
    /// Number of keys (`register` only; the others make new keys as they go).
    pub keys: u64,
    /// Share of reads, percent.
    pub read_percent: u64,
    /// Share of deletes, percent (`register` only).
    pub delete_percent: u64,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Register, Kind::WriteOnce, Kind::Racing];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Register => "register",
            Kind::WriteOnce => "write-once",
            Kind::Racing => "racing",
        }
    }

    /// The workload of that name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it does and what it is good at finding.
    pub fn paragraph(self) -> &'static str {
        match self {
            Kind::Register => {
                "Clients read, write unique values to, and sometimes delete a few keys, through any coordinator. \
                 The all-round load: stale reads, inversions, resurrected deletes, availability."
            }
            Kind::WriteOnce => {
                "Every key is written once and read a few times. A key that is absent after its write was acknowledged \
                 is lost, with no subtlety about overwriting: the sharpest detector of lost writes."
            }
            Kind::Racing => {
                "All clients write the same key, each through its own node, a few times; then they move on to the next key. \
                 Every key ends in a race whose winner the final reads show: the sharpest detector of what \
                 last-write-wins does under skewed clocks, equal stamps and concurrency."
            }
        }
    }

    /// How its clients choose coordinators.
    pub fn coordinators(self) -> Coordinators {
        match self {
            Kind::Register | Kind::WriteOnce => Coordinators::Roaming,
            Kind::Racing => Coordinators::Pinned,
        }
    }

    /// Share of reads and of deletes, percent, unless the plan says otherwise.
    pub fn default_shares(self) -> (u64, u64) {
        match self {
            Kind::Register => (50, 5),
            Kind::WriteOnce => (30, 0),
            Kind::Racing => (25, 0),
        }
    }

    /// The guarantees that its load gives evidence for.
    pub fn guarantees(self) -> &'static [Guarantee] {
        match self {
            Kind::Register => &Guarantee::ALL,
            Kind::WriteOnce => &[
                Guarantee::NoPhantoms,
                Guarantee::NoFailedWrites,
                Guarantee::FreshReads,
                Guarantee::NoInversion,
                Guarantee::Linearizability,
                Guarantee::CausalConsistency,
                Guarantee::CausalConvergence,
                Guarantee::NoLostWrites,
                Guarantee::Convergence,
                Guarantee::Availability,
            ],
            Kind::Racing => &[
                Guarantee::NoPhantoms,
                Guarantee::NoFailedWrites,
                Guarantee::FreshReads,
                Guarantee::NoInversion,
                Guarantee::Linearizability,
                Guarantee::ReadYourWrites,
                Guarantee::MonotonicReads,
                Guarantee::CausalConsistency,
                Guarantee::CausalConvergence,
                Guarantee::NoLostWrites,
                Guarantee::NoClockLoss,
                Guarantee::NoConcurrentLoss,
                Guarantee::Convergence,
                Guarantee::Availability,
            ],
        }
    }

    /// A fresh one.
    pub fn build(self, settings: &Settings) -> Box<dyn Workload> {
        match self {
            Kind::Register => Box::new(Register::new(settings)),
            Kind::WriteOnce => Box::new(WriteOnce::new(settings)),
            Kind::Racing => Box::new(Racing::new(settings)),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Settings};
    use crate::{Action, Rng};

    /// The first operations of seed 1: a change here changes what every saved seed means.
    #[test]
    fn the_first_fifty_operations_of_a_seed_are_frozen() {
        for kind in Kind::ALL {
            let (read_percent, delete_percent) = kind.default_shares();
            let settings = Settings {
                clients: 4,
                keys: 3,
                read_percent,
                delete_percent,
            };
            let mut workload = kind.build(&settings);
            let mut rng = Rng::new(1);
            let told: Vec<String> = (0..50)
                .map(|turn| {
                    let client = turn % 4;
                    let op = workload.next(client, &mut rng);
                    match op.action {
                        Action::Read => format!("c{client} read {}", op.key),
                        Action::Write(value) => format!("c{client} write {} {value}", op.key),
                        Action::Delete => format!("c{client} delete {}", op.key),
                    }
                })
                .collect();
            insta::assert_snapshot!(kind.name(), told.join("\n"));
        }
    }

    #[test]
    fn every_written_value_is_unique_and_every_key_is_censused() {
        for kind in Kind::ALL {
            let settings = Settings {
                clients: 5,
                keys: 4,
                read_percent: 30,
                delete_percent: 10,
            };
            let mut workload = kind.build(&settings);
            let mut rng = Rng::new(7);
            let ops: Vec<_> = (0..2_000)
                .map(|turn| workload.next(turn % 5, &mut rng))
                .collect();
            let mut values: Vec<i64> = ops
                .iter()
                .filter_map(|op| match op.action {
                    Action::Write(value) => Some(value),
                    Action::Read | Action::Delete => None,
                })
                .collect();
            let written = values.len();
            assert!(written > 1_000, "{kind} writes too little to judge");
            values.sort_unstable();
            values.dedup();
            assert_eq!(values.len(), written, "{kind} wrote a value twice");
            let keys = workload.keys();
            assert!(
                ops.iter().all(|op| keys.contains(&op.key)),
                "{kind} forgot a key"
            );
        }
    }

    #[test]
    fn names_lead_back_to_their_workloads() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
            assert!(!kind.guarantees().is_empty());
        }
        assert_eq!(Kind::from_name("bank"), None);
    }
}
