//! The worked examples: all of them in the simulated world, three in the live one, and the table of what they show.

use std::path::{Path, PathBuf};

use quorate::exit::Exit;
use quorate::plan::World;
use quorate::report::progress::{Progress, ProgressMode};
use quorate::report::scenario::story;
use quorate::report::style::Style;
use quorate::run::RunOptions;
use quorate::scenario::requirements::{
    CORRECTIONS, NamedTest, REQUIREMENTS, Requirement, Status, markdown,
};
use quorate::scenario::{ALL, Performance, Scenario, find, perform};
use quorate::world::sim::Weather;
use tempfile::TempDir;

/// How many requirements there are in each part of the notes, and how many corrections.
const PARTS: [(&str, usize); 5] = [
    ("000", 17),
    ("001", 30),
    ("002", 15),
    ("003", 9),
    ("004", 27),
];
const CORRECTED: usize = 22;

/// Seeds of the simulated weather that each scenario is played in.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

fn played(scenario: &Scenario, world: World, seed: u64) -> Performance {
    let results = TempDir::new().expect("a place for runs");
    let options = RunOptions {
        program: Some(PathBuf::from(env!("CARGO_BIN_EXE_quorate"))),
        results: results.path().to_owned(),
        keep_data: false,
        stop_on_first: false,
    };
    let mut progress = Progress::new(ProgressMode::None);
    perform(scenario, world, seed, &options, &mut progress)
        .unwrap_or_else(|error| panic!("{} cannot be played: {error}", scenario.name))
}

fn is_as_expected(performance: &Performance) {
    let (checks, _) = performance.checks();
    assert!(
        performance.exit() == Exit::Kept && checks > 0,
        "{}",
        story(performance, Style::plain())
    );
}

#[test]
fn every_scenario_is_as_expected_in_the_simulated_world() {
    for scenario in &ALL {
        if scenario.not_in.is_some_and(|(world, _)| world == "sim") {
            continue;
        }
        for seed in SEEDS {
            is_as_expected(&played(scenario, World::Sim(Weather::default()), seed));
        }
    }
}

#[test]
fn some_are_so_with_real_processes() {
    for name in ["n5-w3-two-down", "stale-1-1", "write-read-race"] {
        let scenario = find(name).expect("a scenario");
        is_as_expected(&played(scenario, World::Live, 1));
    }
}

#[test]
fn what_is_not_as_expected_is_told() {
    // The same story with a promise that nobody keeps: a store that asks for less.
    let weaker = Scenario {
        acts: || {
            let mut acts = (find("overlap-n3").expect("a scenario").acts)()?;
            for act in &mut acts {
                (act.plan.store.r, act.plan.store.w) = (1, 1);
            }
            Ok(acts)
        },
        ..*find("overlap-n3").expect("a scenario")
    };
    let performance = played(&weaker, World::Sim(Weather::default()), 1);
    assert_eq!(performance.exit(), Exit::Broken);
    let told = story(&performance, Style::plain());
    assert!(told.contains("expected: exactly n1 n2"), "{told}");
    assert!(told.contains("expected: a promise"), "{told}");
    assert!(told.contains("NOT AS EXPECTED"), "{told}");
}

#[test]
fn a_scenario_is_not_played_where_it_cannot_be() {
    let only_live = Scenario {
        not_in: Some(("sim", "it has no disks")),
        ..ALL[0]
    };
    let performance = played(&only_live, World::Sim(Weather::default()), 1);
    assert_eq!(performance.exit(), Exit::Undecided);
    let told = story(&performance, Style::plain());
    assert!(
        told.contains("not played in the sim world: it has no disks"),
        "{told}"
    );
}

#[test]
fn every_requirement_is_in_the_table_once_and_every_scenario_shows_one() {
    let ids = |rows: &[Requirement]| rows.iter().map(|row| row.id.to_owned()).collect::<Vec<_>>();
    let numbered = |part: &str, count: usize| {
        let part = part.to_owned();
        (1..=count).map(move |number| format!("{part}-{number:02}"))
    };
    let wanted: Vec<String> = PARTS
        .iter()
        .flat_map(|(part, count)| numbered(part, *count))
        .collect();
    assert_eq!(ids(&REQUIREMENTS), wanted);
    assert_eq!(
        ids(&CORRECTIONS),
        numbered("C", CORRECTED).collect::<Vec<_>>()
    );
    let known = |rows: &[Requirement], id: &str| rows.iter().any(|row| row.id == id);
    for Scenario {
        name,
        requirements,
        corrections,
        ..
    } in &ALL
    {
        assert!(!requirements.is_empty(), "{name} shows nothing");
        for id in *requirements {
            assert!(known(&REQUIREMENTS, id), "{name}: {id} is no requirement");
        }
        for id in *corrections {
            assert!(known(&CORRECTIONS, id), "{name}: {id} is no correction");
        }
    }
    let mut names = ALL.map(|scenario| scenario.name);
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

#[test]
fn what_is_shown_is_not_out_of_scope() {
    let open = |rows: &[Requirement]| {
        let open = rows
            .iter()
            .filter(|row| row.status() == Status::NotShownYet);
        open.map(|row| row.id).collect::<Vec<_>>()
    };
    for row in REQUIREMENTS.iter().chain(&CORRECTIONS) {
        let is_both = row.out_of_scope.is_some() && matches!(row.status(), Status::Shown(..));
        assert!(
            !is_both,
            "{} is shown: say no more why it cannot be",
            row.id
        );
    }
    let (requirements, corrections) = (open(&REQUIREMENTS), open(&CORRECTIONS));
    println!(
        "not shown yet: {} requirements {requirements:?}, {} corrections {corrections:?}",
        requirements.len(),
        corrections.len()
    );
}

/// Why this is no test that runs whenever its file is built, as its text says; none if it is one.
fn is_no_test(text: &str, name: &str) -> Option<&'static str> {
    let heads = [format!("fn {name}("), format!("async fn {name}(")];
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let is_head = |line: &&str| heads.iter().any(|head| line.starts_with(head.as_str()));
    let Some(place) = lines.iter().position(is_head) else {
        return Some("there is no such function");
    };
    let above = lines[..place].iter().rev();
    let attributes: Vec<&str> = above
        .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
        .filter(|line| line.starts_with("#["))
        .copied()
        .collect();
    if attributes.iter().any(|line| line.starts_with("#[ignore")) {
        return Some("it is ignored");
    }
    let runs = |line: &&str| ["#[test]", "#[tokio::test]"].contains(line);
    (!attributes.iter().any(runs)).then_some("it is no test")
}

#[test]
fn every_test_that_is_named_is_there_and_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut named = 0;
    for row in REQUIREMENTS.iter().chain(&CORRECTIONS) {
        for NamedTest { file, name } in row.tests {
            let text = std::fs::read_to_string(root.join(file));
            let text = text.unwrap_or_else(|error| panic!("{}: {file}: {error}", row.id));
            let wrong = is_no_test(&text, name);
            assert!(wrong.is_none(), "{}: {name} of {file}: {wrong:?}", row.id);
            named += 1;
        }
    }
    assert!(named > 0, "no test is named");
}

#[test]
fn what_is_no_test_or_does_not_run_is_not_taken_for_one() {
    let text = "#[test]\n/// What it shows.\nfn shows() {}\n\
                #[test]\n#[ignore = \"slow\"]\nfn sleeps() {}\n\
                #[tokio::test]\nasync fn shows_live() {}\n\
                fn helps() {}\n\
                // fn gone() {}\n";
    for (name, wrong) in [
        ("shows", None),
        ("shows_live", None),
        ("sleeps", Some("it is ignored")),
        ("helps", Some("it is no test")),
        ("gone", Some("there is no such function")),
        ("show", Some("there is no such function")),
    ] {
        assert_eq!(is_no_test(text, name), wrong, "{name}");
    }
}

#[test]
fn the_page_of_requirements_is_what_the_code_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/requirements.md");
    let text = std::fs::read_to_string(page).expect("docs/requirements.md");
    assert!(
        text == markdown(),
        "docs/requirements.md is out of date: quorate scenario --requirements > docs/requirements.md"
    );
}
