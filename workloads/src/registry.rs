//! Every workload by name, with what it is for. One line here is all that a new workload needs outside its file.

use std::fmt;

use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::history::Values;

use crate::racing::Racing;
use crate::register::Register;
use crate::sets::Sets;
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
    /// One set that clients read, add to, and write back.
    SetRmw,
    /// Shopping carts: sets into which things are put, and out of which some are taken.
    Cart,
}

/// What a workload can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Number of concurrent clients.
    pub clients: u64,
    /// Number of keys of `register`, and of sets or carts in use at the same time; the others make new keys as they go.
    pub keys: u64,
    /// Share of reads that nothing follows, percent.
    pub read_percent: u64,
    /// Share of deletes of `register`, and of turns of `cart` that take something out, percent.
    pub delete_percent: u64,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] = [
        Kind::Register,
        Kind::WriteOnce,
        Kind::Racing,
        Kind::SetRmw,
        Kind::Cart,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Register => "register",
            Kind::WriteOnce => "write-once",
            Kind::Racing => "racing",
            Kind::SetRmw => "set-rmw",
            Kind::Cart => "cart",
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
            Kind::SetRmw => {
                "One key holds a set (a few with `--keys`). Each client reads it, adds an integer that nobody added before, and writes it \
                 back, as in the Jepsen tests of 2013; siblings are united. In the end the set that all replicas hold together is compared \
                 with what was acknowledged, in the eight classic lines: last-write-wins loses 1 - 1/c of it, where c clients start from \
                 the same version, and siblings lose nothing. `--rate 0` makes clients meet as often as they can."
            }
            Kind::Cart => {
                "Shopping carts, as Dynamo was made for: clients put things in and take things out, and unite the siblings that they read. \
                 Nothing that was put in may be lost; what was taken out may come back, which is counted and no bug."
            }
        }
    }

    /// How its clients choose coordinators.
    pub fn coordinators(self) -> Coordinators {
        match self {
            Kind::Register | Kind::WriteOnce | Kind::SetRmw | Kind::Cart => Coordinators::Roaming,
            Kind::Racing => Coordinators::Pinned,
        }
    }

    /// Share of reads and of deletes, percent, unless the plan says otherwise.
    pub fn default_shares(self) -> (u64, u64) {
        match self {
            Kind::Register => (50, 5),
            Kind::WriteOnce => (30, 0),
            Kind::Racing => (25, 0),
            Kind::SetRmw => (0, 0),
            Kind::Cart => (20, 25),
        }
    }

    /// Number of keys, unless the plan says otherwise.
    pub fn default_keys(self) -> u64 {
        match self {
            Kind::Register | Kind::WriteOnce | Kind::Racing | Kind::Cart => 10,
            Kind::SetRmw => 1,
        }
    }

    /// What its clients write.
    pub fn values(self) -> Values {
        match self {
            Kind::Register | Kind::WriteOnce | Kind::Racing => Values::Integers,
            Kind::SetRmw | Kind::Cart => Values::Sets,
        }
    }

    /// The guarantees that its load gives evidence for, as far as they are about such values and the versions of the store
    /// ([`Guarantee::is_about`]).
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
                Guarantee::NoSiblingExplosion,
                Guarantee::Convergence,
                Guarantee::Availability,
            ],
            // Every set that is written has an element of its own, so that contexts tell which is which.
            Kind::SetRmw => &[
                Guarantee::NoPhantoms,
                Guarantee::NoFailedWrites,
                Guarantee::FreshReads,
                Guarantee::NoInversion,
                Guarantee::ReadYourWrites,
                Guarantee::MonotonicReads,
                Guarantee::CausalConsistency,
                Guarantee::NoLostWrites,
                Guarantee::NoClockLoss,
                Guarantee::NoConcurrentLoss,
                Guarantee::NoLostUpdates,
                Guarantee::NoSiblingExplosion,
                Guarantee::Convergence,
                Guarantee::Availability,
            ],
            // A cart may be as it was before, once something is taken out again.
            Kind::Cart => &[
                Guarantee::NoPhantoms,
                Guarantee::NoFailedWrites,
                Guarantee::NoLostUpdates,
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
            Kind::SetRmw => Box::new(Sets::rmw(settings)),
            Kind::Cart => Box::new(Sets::cart(settings)),
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
    use std::collections::BTreeMap;

    use quorate_checkers::history::Value;

    use super::{Kind, Settings};
    use crate::{Action, Op, Rng, Seen, Workload};

    /// A store that does at once what it is asked, and what its clients then do.
    #[derive(Default)]
    struct Obedient {
        held: BTreeMap<String, Value>,
    }

    impl Obedient {
        /// Carries out a turn of a client: an operation, and whatever follows from it.
        fn turn(&mut self, workload: &mut dyn Workload, client: u64, rng: &mut Rng) -> Vec<Op> {
            let mut next = Some(workload.next(client, rng));
            let mut turn = Vec::new();
            while let Some(op) = next {
                let held: Vec<Value> = self.held.get(&op.key).cloned().into_iter().collect();
                let seen = match &op.action {
                    Action::Read => Seen::Read(&held),
                    Action::Write(value) => {
                        self.held.insert(op.key.clone(), Value::Int(*value));
                        Seen::Done
                    }
                    Action::WriteSet(set) => {
                        let set = Value::Json(Box::new(set.clone().into()));
                        self.held.insert(op.key.clone(), set);
                        Seen::Done
                    }
                    Action::Delete => {
                        self.held.remove(&op.key);
                        Seen::Done
                    }
                };
                next = workload.observe(client, &op.key, &seen);
                turn.push(op);
            }
            turn
        }
    }

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
            let mut store = Obedient::default();
            let turns = (0..50).flat_map(|turn| {
                let client = turn % 4;
                let ops = store.turn(workload.as_mut(), client, &mut rng);
                ops.into_iter().map(move |op| (client, op))
            });
            let told: Vec<String> = turns
                .map(|(client, op)| match op.action {
                    Action::Read => format!("c{client} read {}", op.key),
                    Action::Write(value) => format!("c{client} write {} {value}", op.key),
                    Action::WriteSet(set) => format!("c{client} write {} {set:?}", op.key),
                    Action::Delete => format!("c{client} delete {}", op.key),
                })
                .take(50)
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
            let mut store = Obedient::default();
            let turns = (0..2_000).map(|turn| store.turn(workload.as_mut(), turn % 5, &mut rng));
            let ops: Vec<Op> = turns.flatten().collect();
            let mut values: Vec<(&str, Vec<i64>)> = ops
                .iter()
                .filter_map(|op| match &op.action {
                    Action::Write(value) => Some(("", vec![*value])),
                    Action::WriteSet(set) => Some((op.key.as_str(), set.clone())),
                    Action::Read | Action::Delete => None,
                })
                .collect();
            let written = values.len();
            assert!(written > 1_000, "{kind} writes too little to judge");
            values.sort_unstable();
            values.dedup();
            // A cart may be as it was before once something is taken out again; its guarantees are not about which write was read.
            if kind != Kind::Cart {
                assert_eq!(values.len(), written, "{kind} wrote a value twice");
            }
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
