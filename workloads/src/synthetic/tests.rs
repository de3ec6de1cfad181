//! Tests of synthetic histories: what a recipe makes is frozen, right by construction, or wrong in exactly one way.

use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::history::{EventType, History};
use quorate_checkers::verdict::{Outcome, Verdict, judge};
use quorate_checkers::witness::Anomaly;

use super::{Corruption, Recipe, Values};

fn judged(recipe: &Recipe) -> (History, Verdict, Option<u64>) {
    let mut synthetic = recipe.begin().expect("a recipe");
    let events: Vec<_> = synthetic.by_ref().collect();
    let history = History::from_events(recipe.header(), events).expect("a history");
    let verdict = judge(&history);
    (history, verdict, synthetic.corrupted_at())
}

fn lines(recipe: &Recipe) -> Vec<u8> {
    let mut out = Vec::new();
    recipe.header().to_line(&mut out);
    for event in recipe.begin().expect("a recipe") {
        event.to_line(&mut out);
    }
    out
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Figures of other people's machines can be repeated only as long as these stay.
#[test]
fn what_a_recipe_makes_is_frozen() {
    let plain = Recipe::default();
    let rich = Recipe {
        operations: 5_000,
        clients: 7,
        keys: 3,
        read_percent: 40,
        cas_percent: 20,
        info_percent: 10,
        fail_percent: 5,
        values: Values::Small(5),
        census: true,
        seed: 42,
        ..plain
    };
    let corrupt = Recipe {
        corruption: Corruption::StaleRead,
        info_percent: 5,
        ..plain
    };
    let hashes = [plain, rich, corrupt].map(|recipe| format!("{:016x}", fnv(&lines(&recipe))));
    assert_eq!(
        hashes,
        ["d937107e11211d17", "623f3888189d3f6f", "d3414b68c8d06c89"]
    );
}

#[test]
fn without_corruption_every_promise_is_kept() {
    for seed in 0..20 {
        let recipe = Recipe {
            operations: 2_000,
            clients: 1 + seed % 9,
            keys: 1 + u32::try_from(seed % 3).expect("small"),
            info_percent: seed % 4 * 5,
            fail_percent: seed % 3 * 5,
            census: true,
            seed,
            ..Recipe::default()
        };
        let (_, verdict, corrupted) = judged(&recipe);
        assert_eq!(verdict.outcome, Outcome::Kept, "seed {seed}");
        assert!(verdict.rows.iter().all(|row| row.finding.seen == 0));
        assert_eq!(corrupted, None);
    }
}

#[test]
fn each_corruption_breaks_what_it_says_and_is_found_where_it_shows() {
    for (corruption, guarantee) in [
        (Corruption::StaleRead, Guarantee::FreshReads),
        (Corruption::Inversion, Guarantee::NoInversion),
        (Corruption::LostWrite, Guarantee::NoLostWrites),
        (Corruption::Phantom, Guarantee::NoPhantoms),
        (Corruption::FailedWrite, Guarantee::NoFailedWrites),
        (Corruption::Future, Guarantee::NoPhantoms),
    ] {
        for seed in 0..20 {
            let recipe = Recipe {
                operations: 2_000,
                clients: 2 + seed % 9,
                info_percent: seed % 4 * 5,
                corruption,
                seed,
                ..Recipe::default()
            };
            let (history, verdict, corrupted) = judged(&recipe);
            assert!(
                corrupted.is_some(),
                "{corruption} seed {seed} found no occasion"
            );
            let row = verdict.row(guarantee).expect("judged");
            // What follows the wrong read may look wrong beside it, but it is among the anomalies, and none comes before it.
            let shows = |anomaly: &Anomaly| {
                let operations = anomaly.witness.operations();
                operations
                    .iter()
                    .any(|&at| history.operations[at].complete_index() == corrupted)
            };
            let census = corruption == Corruption::LostWrite;
            assert!(
                census || row.finding.anomalies.first().is_some_and(shows),
                "{corruption} seed {seed}: not found where it shows"
            );
            assert!(row.finding.seen > 0, "{corruption} seed {seed}");
            let broken: Vec<Guarantee> = verdict
                .rows
                .iter()
                .filter(|row| row.finding.seen > 0)
                .map(|row| row.promise.guarantee)
                .collect();
            // A stale read may be an inversion as well, and so may the read that misses a lost write. Whatever a read shows is
            // not linearizable either.
            let beside = |g: &Guarantee| match g {
                Guarantee::Linearizability => true,
                Guarantee::FreshReads | Guarantee::NoInversion => {
                    matches!(corruption, Corruption::StaleRead | Corruption::LostWrite)
                }
                _ => false,
            };
            let linearizable = !broken.contains(&Guarantee::Linearizability);
            assert!(census || !linearizable, "{corruption} seed {seed}");
            assert!(
                broken.iter().all(|g| *g == guarantee || beside(g)),
                "{corruption} seed {seed}: {broken:?}"
            );
        }
    }
}

#[test]
fn shares_are_as_asked() {
    let recipe = Recipe {
        operations: 20_000,
        read_percent: 30,
        cas_percent: 20,
        info_percent: 10,
        fail_percent: 10,
        values: Values::Small(3),
        ..Recipe::default()
    };
    let (mut asked, mut reads, mut cas, mut info) = (0, 0, 0, 0);
    let mut time = 0;
    for event in recipe.begin().expect("a recipe") {
        assert!(event.time.0 >= time, "time goes back");
        time = event.time.0;
        match event.kind {
            EventType::Invoke => {
                asked += 1;
                reads += u32::from(event.f.as_str() == "read");
                cas += u32::from(event.f.as_str() == "cas");
            }
            EventType::Info => info += 1,
            EventType::Ok | EventType::Fail => {}
        }
    }
    assert_eq!(asked, 20_000);
    assert!((5_700..6_300).contains(&reads), "{reads} reads");
    assert!((3_700..4_300).contains(&cas), "{cas} compare-and-sets");
    assert!((1_250..1_550).contains(&info), "{info} unknown");
}

#[test]
fn recipes_that_make_no_history_are_refused() {
    let plain = Recipe::default();
    for (recipe, why) in [
        (
            Recipe {
                clients: 0,
                ..plain
            },
            "at least 1",
        ),
        (Recipe { keys: 0, ..plain }, "at least 1"),
        (
            Recipe {
                read_percent: 90,
                cas_percent: 20,
                ..plain
            },
            "at most 100",
        ),
        (
            Recipe {
                info_percent: u64::MAX,
                fail_percent: 1,
                ..plain
            },
            "at most 100",
        ),
        (
            Recipe {
                values: Values::Small(0),
                ..plain
            },
            "at least 1 value",
        ),
        (
            Recipe {
                values: Values::Small(5),
                corruption: Corruption::Phantom,
                ..plain
            },
            "unique values",
        ),
        (
            Recipe {
                operations: 2,
                corruption: Corruption::LostWrite,
                ..plain
            },
            "3 operations",
        ),
    ] {
        let error = recipe.begin().expect_err("no history").to_string();
        assert!(error.contains(why), "{error}");
    }
    assert_eq!(
        Recipe {
            operations: 0,
            ..plain
        }
        .begin()
        .expect("empty")
        .count(),
        0
    );
}
