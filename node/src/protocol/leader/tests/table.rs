//! What each setting may do to three nodes, and what it must never do: each possible anomaly is exhibited by some storm, each impossible
//! one by none of thousands. Each test prints one row: how many storms it took, and how much there was to judge.

use crate::protocol::leader::{LeaderConfig, Promotion, Reads, Replication};

use super::judge::Found;
use super::storm::{Nemesis, storm};
use super::world::{Weather, config, semi_sync};

/// Storms that must not show what is impossible, for all variants of the three rows that promise most together. Variations of them that lack
/// something get a quarter.
const SEEDS: u64 = 2_000;

/// What a setting says about an anomaly.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Possible,
    Impossible,
    /// Nothing is claimed here.
    Open,
}

use Cell::{Impossible, Open, Possible};

struct Row {
    name: &'static str,
    config: LeaderConfig,
    nemesis: Nemesis,
    seeds: u64,
    /// Acknowledged writes that are gone in the end.
    lost: Cell,
    /// Reads from a leader that return what was overwritten.
    stale: Cell,
    /// A leader acknowledges a write although one of a later term did before it began.
    split: Cell,
}

impl Row {
    fn new(name: &'static str, config: LeaderConfig, lost: Cell, stale: Cell, split: Cell) -> Row {
        Row {
            name,
            config,
            nemesis: Nemesis::ALL,
            seeds: SEEDS,
            lost,
            stale,
            split,
        }
    }

    fn cells(&self) -> [Claim; 3] {
        [
            ("lost", self.lost, |found| found.lost),
            ("stale", self.stale, |found| found.stale),
            ("split", self.split, |found| found.split),
        ]
    }
}

/// An anomaly, what is said about it, and how often it was found.
type Claim = (&'static str, Cell, fn(&Found) -> usize);

/// Storms until all that is possible was seen; all of them if something is impossible. `also` holds for each.
fn check_also(row: &Row, also: impl Fn(&Found)) {
    let mut first_seen = [None; 3];
    let (mut acknowledged, mut reads, mut storms) = (0, 0, 0);
    for seed in 0..row.seeds {
        let found = storm(row.config, &row.nemesis, seed);
        storms += 1;
        acknowledged += found.acknowledged;
        reads += found.reads;
        assert_eq!(
            (found.ghosts, found.doubled),
            (0, 0),
            "{}, seed {seed}",
            row.name
        );
        also(&found);
        let mut is_done = true;
        for ((name, cell, count), first) in row.cells().into_iter().zip(&mut first_seen) {
            if count(&found) > 0 {
                assert!(
                    cell != Impossible,
                    "{}: {name} in seed {seed}: {found:?}",
                    row.name
                );
                first.get_or_insert(storms);
            }
            is_done &= cell == Open || (cell == Possible && first.is_some());
        }
        if is_done {
            break;
        }
    }
    let cells = row.cells().into_iter().zip(first_seen);
    let cells = cells.map(|((name, cell, _), first)| match (cell, first) {
        (Possible, Some(storms)) => format!("{name} P in storm {storms}"),
        (Possible, None) => panic!("{}: {name} is possible, and was in no storm", row.name),
        (Impossible, _) => format!("{name} I"),
        (Open, _) => format!("{name} -"),
    });
    let cells: Vec<_> = cells.collect();
    let name = row.name;
    println!(
        "{name}: {}; {storms} storms, {acknowledged} acks, {reads} reads",
        cells.join(", ")
    );
    assert!(
        acknowledged > storms && reads > storms,
        "{name}: too little to judge"
    );
}

fn check(row: &Row) {
    check_also(row, |_| {});
}

fn with(replication: Replication, promotion: Promotion) -> LeaderConfig {
    LeaderConfig {
        replication,
        promotion,
        ..config()
    }
}

const PROMOTIONS: [Promotion; 4] = [
    Promotion::AnyFollower,
    Promotion::MostAdvancedOfMajority,
    Promotion::MostAdvancedOfReachable,
    Promotion::Election,
];

#[test]
fn async_loses_with_any_promotion_rule() {
    for promotion in PROMOTIONS {
        let config = LeaderConfig {
            lease_ms: None,
            ..with(Replication::Async, promotion)
        };
        check(&Row::new(
            "async, no lease",
            config,
            Possible,
            Possible,
            Possible,
        ));
    }
}

#[test]
fn async_loses_with_a_lease_too_where_a_majority_promotes() {
    for promotion in [Promotion::MostAdvancedOfMajority, Promotion::Election] {
        let config = with(Replication::Async, promotion);
        check(&Row::new("async, lease", config, Possible, Open, Open));
    }
}

#[test]
fn one_copy_is_lost_if_any_follower_is_promoted() {
    let config = with(semi_sync(1), Promotion::AnyFollower);
    check(&Row::new("k=1, any follower", config, Possible, Open, Open));
}

#[test]
fn one_copy_is_kept_by_the_most_advanced_of_a_majority() {
    let config = with(semi_sync(1), Promotion::MostAdvancedOfMajority);
    check(&Row::new(
        "k=1, most advanced of a majority, lease",
        config,
        Impossible,
        Impossible,
        Impossible,
    ));
}

#[test]
fn one_copy_is_lost_by_the_most_advanced_of_whoever_answers() {
    let config = with(semi_sync(1), Promotion::MostAdvancedOfReachable);
    check(&Row::new(
        "k=1, most advanced of the reachable",
        config,
        Possible,
        Open,
        Open,
    ));
}

#[test]
fn with_a_fallback_only_what_was_acknowledged_alone_is_lost() {
    let replication = Replication::SemiSync {
        k: 1,
        fallback_ms: Some(20),
    };
    let config = with(replication, Promotion::MostAdvancedOfMajority);
    let row = Row::new("k=1, fallback after 20 ms", config, Possible, Open, Open);
    check_also(&row, |found| assert_eq!(found.lost_although_copied, 0));
}

#[test]
fn copies_on_all_are_lost_by_no_promotion_rule() {
    for promotion in PROMOTIONS {
        let config = with(semi_sync(2), promotion);
        let row = Row::new("k=2", config, Impossible, Open, Impossible);
        check(&Row {
            seeds: SEEDS / 4,
            ..row
        });
    }
}

#[test]
fn a_majority_log_with_a_lease_and_fsync_does_nothing_wrong() {
    for promotion in [Promotion::Election, Promotion::MostAdvancedOfMajority] {
        for ask_first in [false, true] {
            let config = LeaderConfig {
                ask_first,
                ..with(Replication::Majority, promotion)
            };
            let row = Row::new(
                "majority, lease",
                config,
                Impossible,
                Impossible,
                Impossible,
            );
            check(&Row {
                seeds: SEEDS / 4,
                ..row
            });
        }
    }
}

#[test]
fn nor_does_one_of_five_nodes() {
    let row = Row::new(
        "majority of five, lease",
        config(),
        Impossible,
        Impossible,
        Impossible,
    );
    let nemesis = Nemesis {
        nodes: 5,
        ..row.nemesis
    };
    check(&Row {
        nemesis,
        seeds: SEEDS / 4,
        ..row
    });
}

fn lazy(kills: u64) -> Nemesis {
    let weather = Weather {
        sync_ns: (20_000_000, 60_000_000),
        lazy_disk: true,
        ..Nemesis::ALL.weather
    };
    Nemesis {
        weather,
        kills,
        power_losses: 25,
        isolations: 0,
        ..Nemesis::ALL
    }
}

#[test]
fn a_power_loss_that_hits_unsynced_logs_of_a_majority_loses() {
    let row = Row::new(
        "majority, lease, lazy disks",
        config(),
        Possible,
        Open,
        Open,
    );
    let nemesis = lazy(0);
    check(&Row { nemesis, ..row });
}

/// Even promises are forgotten here; but not to the point that two entries have one name. The world sees to it that logs agree in the end.
#[test]
fn disks_that_forget_never_make_logs_disagree_for_good() {
    for replication in [Replication::Majority, Replication::Async] {
        let config = with(replication, Promotion::MostAdvancedOfMajority);
        let nemesis = lazy(25);
        let mut lost = 0;
        for seed in 0..SEEDS / 8 {
            let found = storm(config, &nemesis, seed);
            assert_eq!((found.ghosts, found.doubled), (0, 0), "seed {seed}");
            lost += found.lost;
        }
        assert!(lost > 0, "the disks did forget");
    }
}

#[test]
fn without_a_lease_an_old_leader_reads_stale() {
    let config = LeaderConfig {
        lease_ms: None,
        ..config()
    };
    let row = Row::new(
        "majority, no lease",
        config,
        Impossible,
        Possible,
        Impossible,
    );
    check(&Row {
        seeds: SEEDS / 4,
        ..row
    });
}

#[test]
fn a_lease_that_is_not_checked_outlasts_a_pause() {
    let config = LeaderConfig {
        lease_check_at_reply: false,
        ..config()
    };
    let row = Row::new(
        "majority, lease not checked",
        config,
        Impossible,
        Possible,
        Impossible,
    );
    check(&Row {
        seeds: SEEDS / 4,
        ..row
    });
}

/// A slow leader, a fast follower, and a lease that is long compared with what else a failover takes.
#[test]
fn a_lease_needs_to_know_how_wrong_clocks_are() {
    for (clock_error_ppm, stale) in [(0, Possible), (200_000, Impossible)] {
        let config = LeaderConfig {
            clock_error_ppm,
            lease_ms: Some(150),
            ..config()
        };
        let row = Row::new(
            "majority, lease, clocks off by 20 %",
            config,
            Impossible,
            stale,
            Open,
        );
        let weather = Weather {
            drift_ppm: 200_000,
            ..row.nemesis.weather
        };
        let nemesis = Nemesis {
            weather,
            kills: 5,
            longest_ns: 300_000_000,
            ..row.nemesis
        };
        check(&Row {
            nemesis,
            seeds: SEEDS / 4,
            ..row
        });
    }
}

#[test]
fn without_fencing_two_leaders_accept() {
    for replication in [Replication::Majority, semi_sync(1)] {
        for lease_ms in [None, Some(45)] {
            let config = LeaderConfig {
                fencing: false,
                lease_ms,
                ..with(replication, Promotion::MostAdvancedOfMajority)
            };
            check(&Row::new(
                "no fencing",
                config,
                Possible,
                Possible,
                Possible,
            ));
        }
    }
}

#[test]
fn with_fencing_only_one_leader_accepts_and_its_reads_need_a_lease() {
    let config = LeaderConfig {
        lease_ms: None,
        ..with(semi_sync(1), Promotion::MostAdvancedOfMajority)
    };
    let row = Row::new(
        "k=1, fencing, no lease",
        config,
        Impossible,
        Possible,
        Impossible,
    );
    check(&Row {
        seeds: SEEDS / 4,
        ..row
    });
}

/// The known systems, a thousand or thirty times as fast.
#[test]
fn presets_keep_and_lose_what_their_originals_do() {
    let alone = LeaderConfig::POSTGRESQL_ASYNC.scaled_down(1_000);
    let any_one = LeaderConfig::POSTGRESQL_SYNC.scaled_down(1_000);
    let mysql = LeaderConfig::MYSQL_SEMI_SYNC.scaled_down(1_000);
    let dynamodb = LeaderConfig::DYNAMODB.scaled_down(30);
    for row in [
        Row::new("PostgreSQL async", alone, Possible, Open, Open),
        Row::new(
            "PostgreSQL ANY 1",
            any_one,
            Impossible,
            Impossible,
            Impossible,
        ),
        Row::new("MySQL semi-sync", mysql, Possible, Possible, Possible),
        Row::new("DynamoDB", dynamodb, Impossible, Impossible, Impossible),
    ] {
        check(&Row {
            seeds: SEEDS / 4,
            ..row
        });
    }
}

/// Reads from any node: stale, and between two nodes backwards. One node goes forwards for as long as it lives.
#[test]
fn followers_read_stale_and_two_of_them_backwards() {
    let config = LeaderConfig {
        reads: Reads::Any,
        ..config()
    };
    let nemesis = Nemesis {
        kills: 0,
        ..Nemesis::ALL
    };
    let (mut stale, mut backwards) = (None, None);
    for seed in 0..SEEDS / 4 {
        let found = storm(config, &nemesis, seed);
        assert_eq!(found.backwards_sticky, 0, "seed {seed}");
        assert_eq!(found.lost, 0, "seed {seed}");
        if found.stale > 0 {
            stale.get_or_insert(seed + 1);
        }
        if found.backwards > 0 {
            backwards.get_or_insert(seed + 1);
        }
    }
    println!(
        "follower reads: stale in storm {stale:?}, backwards in storm {backwards:?}, sticky I"
    );
    assert!(stale.is_some() && backwards.is_some());
}
