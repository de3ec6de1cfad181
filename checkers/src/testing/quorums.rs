//! The brute-force twin of the contract: what a configuration promises, by trying every set of replicas that may have forgotten, taken a write, held what
//! was returned, or answered a read.
//!
//! It knows no formula. Contracts with a defect are told from the right one by every small configuration.

use crate::contract::Contract;
use crate::exposure::{Clocks, Exposure};
use crate::guarantee::Guarantee;
use crate::history::{Header, Quorum, ReadRepair, Versions};

use super::timeline::header;

const REPLICAS_MAX: u32 = 5;

/// A configuration, and what it was exposed to.
#[derive(Clone, Debug)]
struct Setting {
    header: Header,
    exposure: Exposure,
}

/// All sets of so many of `n` replicas, as bits.
fn sets(n: u32, size: u32) -> impl Iterator<Item = u32> + Clone {
    (0..1_u32 << n).filter(move |set| set.count_ones() == size.min(n))
}

impl Setting {
    fn all() -> Vec<Setting> {
        let mut all = Vec::new();
        for n in 1..=REPLICAS_MAX {
            for (r, w) in (1..=n).flat_map(|r| (1..=n).map(move |w| (r, w))) {
                for forgotten in 0..=n {
                    for read_repair in [ReadRepair::None, ReadRepair::Async, ReadRepair::Blocking] {
                        for (clocks, versions) in stores() {
                            all.push(Setting {
                                header: Header {
                                    read_repair,
                                    versions,
                                    ..header(n, r, w)
                                },
                                exposure: Exposure {
                                    forgotten,
                                    clocks,
                                    lossless: forgotten % 2 == 0,
                                },
                            });
                        }
                    }
                }
            }
        }
        all
    }

    /// Whether of any `held` replicas one that remembers answers every read, whichever forget.
    fn meets(&self, held: u32) -> bool {
        let Quorum { n, r, .. } = self.header.quorum;
        sets(n, self.exposure.forgotten).all(|forgot| {
            sets(n, held).all(|holds| sets(n, r).all(|answers| holds & !forgot & answers != 0))
        })
    }

    fn promises(&self, guarantee: Guarantee) -> bool {
        let Quorum { n, r, w } = self.header.quorum;
        let is_of_registers = self.header.versions == Versions::Lww;
        // Nothing but stamps depends on clocks.
        let synchronised = self.exposure.clocks == Clocks::Synchronised || !is_of_registers;
        let survives = || {
            sets(n, self.exposure.forgotten)
                .all(|forgot| sets(n, w).all(|holds| holds & !forgot != 0))
        };
        let fresh = synchronised && self.meets(w);
        let forward = self.meets(match self.header.read_repair {
            ReadRepair::Blocking => r,
            ReadRepair::Async | ReadRepair::None => 1,
        });
        match guarantee {
            Guarantee::NoPhantoms | Guarantee::NoFailedWrites | Guarantee::Availability => true,
            Guarantee::FreshReads | Guarantee::ReadYourWrites | Guarantee::NoResurrection => fresh,
            Guarantee::NoInversion | Guarantee::MonotonicReads => forward,
            Guarantee::MonotonicWrites | Guarantee::WritesFollowReads => {
                is_of_registers && forward && synchronised
            }
            Guarantee::Linearizability | Guarantee::CausalConvergence => {
                is_of_registers && fresh && forward
            }
            Guarantee::CausalConsistency => fresh && forward,
            Guarantee::NoLostWrites => survives(),
            Guarantee::NoClockLoss => synchronised,
            Guarantee::NoConcurrentLoss | Guarantee::NoSiblingExplosion => !is_of_registers,
            Guarantee::NoLostUpdates => !is_of_registers && survives(),
            // Of a run that nobody recorded: there a write may have come no farther than its dot.
            Guarantee::Convergence => self.exposure.lossless && is_of_registers,
        }
    }

    fn contract(&self) -> Vec<bool> {
        let contract = Contract::of(&self.header, &self.exposure);
        let promises = contract.promises.into_iter();
        promises.map(|promise| promise.promised).collect()
    }
}

#[test]
fn the_contract_promises_what_every_set_of_replicas_keeps() {
    let mut promised = [(0_u64, 0_u64); Guarantee::ALL.len()];
    for setting in Setting::all() {
        let contract = setting.contract();
        for ((guarantee, found), count) in
            Guarantee::ALL.into_iter().zip(contract).zip(&mut promised)
        {
            assert_eq!(
                found,
                setting.promises(guarantee),
                "{guarantee} of {setting:?}"
            );
            if found {
                count.0 += 1;
            } else {
                count.1 += 1;
            }
        }
    }
    println!("promised and not: {promised:?}");
}

/// What clocks may do, and what a store does with versions.
fn stores() -> [(Clocks, Versions); 4] {
    let skewed = || Clocks::Skewed("f1".to_owned());
    [
        (Clocks::Synchronised, Versions::Lww),
        (skewed(), Versions::Lww),
        (Clocks::Synchronised, Versions::Dvv),
        (skewed(), Versions::Dvv),
    ]
}

/// Contracts with a defect, as what they take a setting for.
type Mutant = (&'static str, fn(&mut Setting));

const MUTANTS: [Mutant; 9] = [
    ("takes siblings for registers", |s| {
        s.header.versions = Versions::Lww;
    }),
    ("takes registers for siblings", |s| {
        s.header.versions = Versions::Dvv;
    }),
    ("knows of nothing forgotten", |s| s.exposure.forgotten = 0),
    ("counts one that forgot too few", |s| {
        s.exposure.forgotten = s.exposure.forgotten.saturating_sub(1);
    }),
    ("counts one that forgot too many", |s| {
        s.exposure.forgotten += 1;
    }),
    ("takes asynchronous repair for blocking", |s| {
        if s.header.read_repair == ReadRepair::Async {
            s.header.read_repair = ReadRepair::Blocking;
        }
    }),
    ("knows no repair", |s| {
        s.header.read_repair = ReadRepair::None;
    }),
    ("trusts clocks that are off", |s| {
        s.exposure.clocks = Clocks::Synchronised;
    }),
    ("takes R for W", |s| s.header.quorum.w = s.header.quorum.r),
];

#[test]
fn contracts_with_a_defect_are_found_out() {
    let all = Setting::all();
    for (name, spoil) in MUTANTS {
        let wrong = all.iter().filter(|setting| {
            let mut spoiled = (*setting).clone();
            spoil(&mut spoiled);
            let promises = Guarantee::ALL.map(|guarantee| setting.promises(guarantee));
            spoiled.contract() != promises
        });
        let wrong = wrong.count();
        println!("{name}: wrong about {wrong} of {} settings", all.len());
        assert!(wrong > 0, "nothing tells a contract that {name}");
    }
}
