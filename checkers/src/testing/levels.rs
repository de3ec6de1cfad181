//! The brute-force twin of everything in the contract that is more than N, R and W: every set of nodes that may have acknowledged a write,
//! held what a read returned, answered, stood in for others or forgotten, and every placement of a key's replicas.
//!
//! It knows no sums. The table of two data centres and that of sloppy quorums are transcribed from the theory page beside it.

use crate::contract::reach::Need;
use crate::contract::{Access, Contract, Levels};
use crate::exposure::{Clocks, Exposure};
use crate::guarantee::Guarantee;
use crate::history::{
    DataCentre, Header, HintHolder, Hints, Level, LevelName, ReadRepair, Settings,
};

use super::timeline::header;

const CALM: Exposure = Exposure {
    forgotten: 0,
    clocks: Clocks::Synchronised,
    lossless: true,
};

/// A cluster whose first nodes are the replicas of the key, one data centre after the other.
#[derive(Clone, Debug)]
struct Cluster {
    /// Replicas in each data centre.
    factors: Vec<u32>,
    /// Other nodes, in each data centre.
    others: Vec<u32>,
    sloppy: bool,
    primaries: (u32, u32),
}

/// A set of nodes, as bits: the replicas of the first data centre, those of the second, ..., then the others in the same order.
type Set = u32;

impl Cluster {
    fn strict(factors: &[u32]) -> Cluster {
        Cluster {
            factors: factors.to_vec(),
            others: vec![0; factors.len()],
            sloppy: false,
            primaries: (0, 0),
        }
    }

    fn n(&self) -> u32 {
        self.factors.iter().sum()
    }

    fn nodes(&self) -> u32 {
        self.n() + self.others.iter().sum::<u32>()
    }

    /// The data centre of each node, by its bit.
    fn centres(&self) -> Vec<usize> {
        let each = |counts: &[u32]| -> Vec<usize> {
            let counts = counts.iter().enumerate();
            counts
                .flat_map(|(centre, count)| std::iter::repeat_n(centre, *count as usize))
                .collect()
        };
        let mut centres = each(&self.factors);
        centres.extend(each(&self.others));
        centres
    }

    fn header(&self) -> Header {
        let name = |bit: usize| format!("n{}", bit + 1);
        let centres = self.centres();
        let data_centres = self.factors.iter().enumerate().map(|(centre, rf)| {
            let nodes = centres.iter().enumerate();
            let nodes = nodes.filter(|(_, of)| **of == centre);
            DataCentre {
                name: format!("dc{}", centre + 1),
                nodes: nodes.map(|(bit, _)| name(bit)).collect(),
                rf: *rf,
            }
        });
        let several = self.factors.len() > 1;
        Header {
            nodes: (0..centres.len()).map(name).collect(),
            settings: Settings {
                data_centres: data_centres.filter(|_| several).collect(),
                stand_ins: if self.sloppy {
                    self.nodes() - self.n()
                } else {
                    0
                },
                pr: self.primaries.0,
                pw: self.primaries.1,
                hints: Some(Hints {
                    holder: if self.sloppy {
                        HintHolder::Fallback
                    } else {
                        HintHolder::Coordinator
                    },
                    durable: true,
                    window_ms: None,
                    bytes_max: 1 << 20,
                }),
                ..Settings::default()
            },
            ..header(self.n(), 1, 1)
        }
    }

    /// A node in this data centre.
    fn node_in(&self, centre: usize) -> String {
        let place = self.centres().iter().position(|of| *of == centre);
        format!("n{}", place.expect("a data centre has nodes") + 1)
    }

    fn count(&self, set: Set, in_centre: Option<usize>) -> u32 {
        let centres = self.centres();
        let counts = |bit: &usize| in_centre.is_none_or(|centre| centres[*bit] == centre);
        let bits = (0..centres.len()).filter(|bit| set >> bit & 1 == 1);
        u32::try_from(bits.filter(counts).count()).expect("few nodes")
    }

    fn replicas(&self) -> Set {
        (1 << self.n()) - 1
    }

    /// Whether these nodes are enough for a level of a coordinator there.
    fn is_enough(&self, set: Set, level: Level, local: usize, primaries: u32) -> bool {
        let half = |count: u32| count / 2;
        let all = self.count(set, None);
        let here = self.count(set, Some(local));
        let met = match level {
            Level::Count(count) => all >= count,
            Level::Named(name) => match name {
                LevelName::Any => true,
                LevelName::One => all >= 1,
                LevelName::Two => all >= 2,
                LevelName::Three => all >= 3,
                LevelName::Quorum => all > half(self.n()),
                LevelName::All => all >= self.n(),
                LevelName::LocalOne => here >= 1,
                LevelName::LocalQuorum => here > half(self.factors[local]),
                LevelName::EachQuorum => (0..self.factors.len())
                    .all(|c| self.count(set, Some(c)) > half(self.factors[c])),
            },
        };
        let skips = level == Level::Named(LevelName::Any);
        met && (skips || self.count(set & self.replicas(), None) >= primaries)
    }

    /// Every smallest set of nodes that can be what answered at this level: for a strict quorum only replicas. More who answer only help.
    fn answers(&self, level: Level, local: usize, primaries: u32) -> Vec<Set> {
        let all: Set = (1 << self.nodes()) - 1;
        let possible = if self.sloppy { all } else { self.replicas() };
        let sets = (0..=all).filter(|set| set & !possible == 0);
        let enough: Vec<Set> = sets
            .filter(|set| self.is_enough(*set, level, local, primaries))
            .collect();
        let is_smallest = |set: &Set| {
            let mut others = enough.iter();
            !others.any(|other| other != set && other & !set == 0)
        };
        enough.iter().copied().filter(is_smallest).collect()
    }

    /// Whether of every `held` set some replica that remembers is in every `asked` one, whichever `forgotten` replicas forget.
    fn meets(&self, held: &[Set], asked: &[Set], forgotten: u32) -> bool {
        let own = self.replicas();
        let mut forgets = (0..=own).filter(|set| self.count(*set, None) == forgotten.min(self.n()));
        forgets.all(|forgot| {
            held.iter()
                .all(|held| asked.iter().all(|asked| held & asked & own & !forgot != 0))
        })
    }
}

/// What the contract says when writes and reads are at these levels, of coordinators in these data centres.
fn contract(
    cluster: &Cluster,
    header: &Header,
    exposure: &Exposure,
    write: (Level, usize),
    read: (Level, usize),
) -> Contract {
    let mut levels = Levels::default();
    let (at, from) = (cluster.node_in(write.1), cluster.node_in(read.1));
    levels.meet(header, Access::Write, Some(write.0), Some(&at));
    levels.meet(header, Access::Read, Some(read.0), Some(&from));
    Contract::with_levels(header, exposure, levels)
}

fn promises(contract: &Contract, guarantee: Guarantee) -> bool {
    contract
        .promise(guarantee)
        .expect("in the contract")
        .promised
}

fn reads() -> impl Iterator<Item = LevelName> {
    LevelName::ALL
        .into_iter()
        .filter(|level| *level != LevelName::Any)
}

/// SEMANTICS 3.7: two data centres of three replicas, the writer in the first, the reader in the first or the second.
const TABLE: [(LevelName, [&str; 8], bool); 9] = {
    use LevelName::{All, Any, EachQuorum, LocalOne, LocalQuorum, One, Quorum, Three, Two};
    let weak = ["--", "--", "--", "--", "--", "--", "--", "YY"];
    [
        (Any, ["--"; 8], true),
        (One, weak, true),
        (Two, weak, true),
        (LocalOne, weak, true),
        (
            Three,
            ["--", "--", "--", "--", "--", "YY", "YY", "YY"],
            true,
        ),
        (
            LocalQuorum,
            ["--", "--", "--", "--", "Y-", "--", "YY", "YY"],
            true,
        ),
        (
            Quorum,
            ["--", "--", "YY", "--", "--", "YY", "YY", "YY"],
            false,
        ),
        (
            EachQuorum,
            ["--", "--", "YY", "--", "YY", "YY", "YY", "YY"],
            false,
        ),
        (All, ["YY"; 8], false),
    ]
};

/// The columns of the table.
const COLUMNS: [LevelName; 8] = [
    LevelName::One,
    LevelName::Two,
    LevelName::Three,
    LevelName::LocalOne,
    LevelName::LocalQuorum,
    LevelName::Quorum,
    LevelName::EachQuorum,
    LevelName::All,
];

#[test]
fn the_table_of_two_data_centres() {
    let cluster = Cluster::strict(&[3, 3]);
    let header = cluster.header();
    let mut cells = 0;
    for (write, row, _) in TABLE {
        for (read, cell) in COLUMNS.into_iter().zip(row) {
            for (reader, expected) in cell.chars().enumerate() {
                let levels = [write, read].map(Level::Named);
                let contract = contract(
                    &cluster,
                    &header,
                    &CALM,
                    (levels[0], 0),
                    (levels[1], reader),
                );
                let found = promises(&contract, Guarantee::FreshReads);
                assert_eq!(
                    found,
                    expected == 'Y',
                    "{write} / {read}, reader in dc{reader}"
                );
                cells += 1;
            }
        }
    }
    assert_eq!(cells, 2 * 72);
}

/// The last column of the table: which levels can be written on either side of a cut between the data centres.
#[test]
fn the_table_of_writes_while_two_data_centres_are_cut() {
    let cluster = Cluster::strict(&[3, 3]);
    let header = cluster.header();
    for (write, _, both) in TABLE {
        for local in 0..2 {
            let at = cluster.node_in(local);
            let need = Need::of(&header, Access::Write, Some(Level::Named(write)), &at, 100);
            let out_in = |centre: usize| if centre == local { 0 } else { 3 };
            assert_eq!(need.is_met(3, out_in), both, "{write} in dc{local}");
        }
    }
}

#[test]
fn levels_meet_as_every_set_of_replicas_does() {
    for factors in [&[3][..], &[5], &[2, 3], &[3, 3], &[1, 2, 2]] {
        let cluster = Cluster::strict(factors);
        let mut header = cluster.header();
        let last = factors.len() - 1;
        for write in LevelName::ALL {
            for read in reads() {
                for (at, from) in [(0, 0), (0, last)] {
                    let levels = [write, read].map(Level::Named);
                    let written = cluster.answers(levels[0], at, 0);
                    let asked = cluster.answers(levels[1], from, 0);
                    for forgotten in 0..3 {
                        let exposure = Exposure { forgotten, ..CALM };
                        for read_repair in [ReadRepair::Async, ReadRepair::Blocking] {
                            header.read_repair = read_repair;
                            let contract = contract(
                                &cluster,
                                &header,
                                &exposure,
                                (levels[0], at),
                                (levels[1], from),
                            );
                            let cell = format!(
                                "{factors:?} {write} {read} {from} f={forgotten} {read_repair:?}"
                            );
                            assert_eq!(
                                promises(&contract, Guarantee::FreshReads),
                                cluster.meets(&written, &asked, forgotten),
                                "{cell}"
                            );
                            let single = cluster.answers(Level::Count(1), 0, 0);
                            let held = match read_repair {
                                ReadRepair::Blocking => &asked,
                                _ => &single,
                            };
                            assert_eq!(
                                promises(&contract, Guarantee::NoInversion),
                                cluster.meets(held, &asked, forgotten),
                                "{cell}"
                            );
                        }
                    }
                }
            }
        }
    }
}

/// SEMANTICS 3.5: sloppy quorums of three replicas. Stale reads with one and with two nodes to stand in; inversions with one, without
/// repair and with blocking repair.
const SLOPPY: [((u32, u32), [char; 4]); 9] = [
    ((1, 1), ['P', 'P', 'P', 'P']),
    ((1, 2), ['P', 'P', 'P', 'P']),
    ((1, 3), ['P', 'P', 'P', 'I']),
    ((2, 1), ['P', 'P', 'P', 'P']),
    ((2, 2), ['P', 'P', 'P', 'P']),
    ((2, 3), ['P', 'P', 'P', 'I']),
    ((3, 1), ['P', 'P', 'P', 'P']),
    ((3, 2), ['P', 'P', 'P', 'P']),
    ((3, 3), ['I', 'P', 'P', 'I']),
];

/// And stale reads when writes are sloppy and reads ask primaries only (PR = R), with one, two and three nodes to stand in.
const PRIMARY_READS: [((u32, u32), [char; 3]); 9] = [
    ((1, 1), ['P', 'P', 'P']),
    ((1, 2), ['P', 'P', 'P']),
    ((1, 3), ['P', 'P', 'P']),
    ((2, 1), ['P', 'P', 'P']),
    ((2, 2), ['P', 'P', 'P']),
    ((2, 3), ['I', 'P', 'P']),
    ((3, 1), ['P', 'P', 'P']),
    ((3, 2), ['I', 'P', 'P']),
    ((3, 3), ['I', 'I', 'P']),
];

fn sloppy(k: u32, pr: u32, pw: u32) -> Cluster {
    Cluster {
        factors: vec![3],
        others: vec![k],
        sloppy: true,
        primaries: (pr, pw),
    }
}

#[test]
fn the_tables_of_sloppy_quorums() {
    let possible = |cluster: &Cluster, repair: ReadRepair, w: u32, r: u32, guarantee: Guarantee| {
        let header = Header {
            read_repair: repair,
            ..cluster.header()
        };
        let levels = [w, r].map(Level::Count);
        let contract = contract(cluster, &header, &CALM, (levels[0], 0), (levels[1], 0));
        if promises(&contract, guarantee) {
            'I'
        } else {
            'P'
        }
    };
    for ((w, r), cells) in SLOPPY {
        let found = [
            possible(
                &sloppy(1, 0, 0),
                ReadRepair::None,
                w,
                r,
                Guarantee::FreshReads,
            ),
            possible(
                &sloppy(2, 0, 0),
                ReadRepair::None,
                w,
                r,
                Guarantee::FreshReads,
            ),
            possible(
                &sloppy(1, 0, 0),
                ReadRepair::None,
                w,
                r,
                Guarantee::NoInversion,
            ),
            possible(
                &sloppy(1, 0, 0),
                ReadRepair::Blocking,
                w,
                r,
                Guarantee::NoInversion,
            ),
        ];
        assert_eq!(found, cells, "W={w} R={r}");
    }
    for ((w, r), cells) in PRIMARY_READS {
        let found = [1, 2, 3].map(|k| {
            possible(
                &sloppy(k, r, 0),
                ReadRepair::None,
                w,
                r,
                Guarantee::FreshReads,
            )
        });
        assert_eq!(found, cells, "W={w} PR=R={r}");
    }
}

#[test]
fn sloppy_quorums_meet_as_every_set_of_nodes_does() {
    for k in 0..=3 {
        for (pr, pw) in (0..=3).flat_map(|pr| (0..=3).map(move |pw| (pr, pw))) {
            let cluster = sloppy(k, pr, pw);
            for (w, r) in (1..=3).flat_map(|w| (1..=3).map(move |r| (w, r))) {
                let header = cluster.header();
                let levels = [w, r].map(Level::Count);
                let written = cluster.answers(levels[0], 0, pw);
                let asked = cluster.answers(levels[1], 0, pr);
                for forgotten in 0..=2 {
                    let exposure = Exposure { forgotten, ..CALM };
                    let contract =
                        contract(&cluster, &header, &exposure, (levels[0], 0), (levels[1], 0));
                    assert_eq!(
                        promises(&contract, Guarantee::FreshReads),
                        cluster.meets(&written, &asked, forgotten),
                        "k={k} W={w} R={r} PW={pw} PR={pr} f={forgotten}"
                    );
                    let blocking = Header {
                        read_repair: ReadRepair::Blocking,
                        ..header.clone()
                    };
                    let contract = self::contract(
                        &cluster,
                        &blocking,
                        &exposure,
                        (levels[0], 0),
                        (levels[1], 0),
                    );
                    assert_eq!(
                        promises(&contract, Guarantee::NoInversion),
                        cluster.meets(&asked, &asked, forgotten),
                        "k={k} W={w} R={r} PW={pw} PR={pr} f={forgotten}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_must_be_within_reach_is_enough_for_every_placement_of_the_replicas() {
    let mut met = [0, 0];
    for (factors, others, is_sloppy) in [
        (&[3][..], &[2][..], false),
        (&[3], &[2], true),
        (&[2, 2], &[1, 0], false),
    ] {
        let cluster = Cluster {
            factors: factors.to_vec(),
            others: others.to_vec(),
            sloppy: is_sloppy,
            primaries: (1, 0),
        };
        let header = cluster.header();
        let centres = cluster.centres();
        let all: Set = (1 << cluster.nodes()) - 1;
        for level in reads().map(Level::Named) {
            for out in 0..=all {
                let coordinator = (0..centres.len()).find(|bit| out >> bit & 1 == 0);
                let Some(coordinator) = coordinator else {
                    continue;
                };
                let local = centres[coordinator];
                let node = format!("n{}", coordinator + 1);
                let need = Need::of(&header, Access::Read, Some(level), &node, 0);
                let found = need.is_met(cluster.count(out, None), |c| cluster.count(out, Some(c)));
                // Which nodes the replicas are: every choice with the right number in each data centre.
                let placements = (0..=all).filter(|set| {
                    let mut factors = factors.iter().enumerate();
                    factors.all(|(c, rf)| cluster.count(*set, Some(c)) == *rf)
                });
                let mut placements = placements;
                let truly = placements.all(|replicas| {
                    let within = !out & all;
                    let own = within & replicas;
                    let anybody = if is_sloppy { within } else { own };
                    let few = cluster.count(own, None) < cluster.primaries.0;
                    !few && cluster.is_enough_of(anybody, level, local)
                });
                assert_eq!(found, truly, "{factors:?} {level} out {out:b}");
                met[usize::from(found)] += 1;
            }
        }
    }
    assert!(met[0] > 50 && met[1] > 50, "{met:?}");
}

impl Cluster {
    /// As [`Cluster::is_enough`], of nodes that may be anybody.
    fn is_enough_of(&self, set: Set, level: Level, local: usize) -> bool {
        self.is_enough(set, level, local, 0)
    }
}
