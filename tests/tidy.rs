//! The invariants of the house that a test can hold: who may depend on whom, who may do I/O, and how files look.

use std::fs;
use std::path::{Path, PathBuf};

use quorate::gate::Expect;
use quorate::plan::Plan;
use quorate_checkers::guarantee::Guarantee;
use quorate_node::config::Sabotage;

/// No source file is longer than this, lines.
const LINES_MAX: usize = 700;
/// Half of the source files are no longer than this, lines.
const MEDIAN_LINES_MAX: usize = 170;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

/// Every `.rs` file below `folder`, with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no sources in {}", folder.display());
    found
}

fn all_sources() -> Vec<(PathBuf, String)> {
    ["checkers", "workloads", "node", "harness", "tests"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .collect()
}

/// The names under `[dependencies]` and `[dev-dependencies]` of a crate, whichever of the two is asked for.
fn dependencies(member: &str, table: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(member).join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = text.parse().expect("a manifest is TOML");
    manifest
        .get(table)
        .and_then(toml::Value::as_table)
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

#[test]
fn crates_depend_on_each_other_only_along_the_arrows() {
    let inner = |member: &str| {
        let mut names = dependencies(member, "dependencies");
        names.extend(dependencies(member, "dev-dependencies"));
        names.retain(|name| name.starts_with("quorate"));
        names.sort();
        names.dedup();
        names
    };
    assert_eq!(inner("checkers"), [""; 0]);
    assert_eq!(inner("node"), [""; 0]);
    assert_eq!(inner("workloads"), ["quorate-checkers"]);
    assert_eq!(
        inner("harness"),
        ["quorate-checkers", "quorate-node", "quorate-workloads"]
    );
}

#[test]
fn only_the_harness_knows_toml_terminals_and_templates() {
    for member in ["checkers", "workloads", "node"] {
        let names = dependencies(member, "dependencies");
        for outer in [
            "toml",
            "clap",
            "indicatif",
            "anstyle",
            "anstream",
            "askama",
            "quick-junit",
        ] {
            assert!(
                !names.iter().any(|name| name == outer),
                "{member} depends on {outer}"
            );
        }
    }
    for member in ["checkers", "workloads"] {
        let names = dependencies(member, "dependencies");
        assert!(
            !names.iter().any(|name| name == "tokio"),
            "{member} depends on tokio"
        );
    }
}

#[test]
fn the_pure_rooms_name_nothing_impure() {
    // The lints say the same; this test says it also to whoever switches a lint off.
    let impure = [
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "std::env",
        "Instant::now",
        "SystemTime",
        "HashMap",
        "HashSet",
        "tokio::",
        "rand::",
    ];
    for room in ["checkers/src", "workloads/src", "node/src/protocol"] {
        for (path, text) in sources(&root().join(room)) {
            for (number, line) in (1..).zip(text.lines()) {
                let code = line.split("//").next().unwrap_or_default();
                for name in impure {
                    assert!(
                        !code.contains(name),
                        "{}:{number}: {name} in a pure room",
                        path.display()
                    );
                }
            }
        }
    }
    for member in ["checkers", "workloads", "node"] {
        assert!(
            root().join(member).join("clippy.toml").is_file(),
            "{member} has no purity wall"
        );
    }
}

#[test]
fn every_file_says_what_it_is_and_none_is_too_long() {
    let mut lengths = Vec::new();
    for (path, text) in all_sources() {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{}: {lines} lines", path.display());
        assert!(
            text.starts_with("//! "),
            "{} does not say what it is",
            path.display()
        );
        lengths.push(lines);
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(
        median <= MEDIAN_LINES_MAX,
        "the median file has {median} lines"
    );
}

#[test]
fn nothing_is_waved_through() {
    // Spelled in two parts so that this file does not find itself.
    let forbidden = [
        concat!("#[", "allow("),
        concat!("#![", "allow("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("unsa", "fe {"),
        concat!("#[ig", "nore]"),
    ];
    for (path, text) in all_sources() {
        for (number, line) in (1..).zip(text.lines()) {
            for word in forbidden {
                assert!(!line.contains(word), "{}:{number}: {word}", path.display());
            }
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        assert!(
            !matches!(name.as_ref(), "util" | "utils" | "helpers" | "common"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_test_file_is_a_test_target() {
    let manifest = fs::read_to_string(root().join("harness/Cargo.toml")).expect("a manifest");
    for entry in fs::read_dir(root().join("tests")).expect("tests").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let target = format!("\"../tests/{}\"", entry.file_name().to_string_lossy());
            assert!(
                manifest.contains(&target),
                "{} is never compiled",
                path.display()
            );
        }
    }
}

#[test]
fn every_sabotage_has_a_canary_and_every_canary_a_twin_that_is_kept() {
    // A promise that no canary breaks could be kept by a checker that is blind.
    let cases = quorate::gate::load(&root().join("gate.toml")).expect("gate.toml");
    for sabotage in Sabotage::ALL {
        let caught_by = Guarantee::from_name(sabotage.caught_by()).expect("a guarantee");
        let canary = cases
            .iter()
            .find(|case| {
                case.plans[0].store.sabotage == [sabotage]
                    && case.expect == Expect::Broken(caught_by)
            })
            .unwrap_or_else(|| panic!("the gate has no canary for {}", sabotage.name()));
        let healthy = |plan: &Plan| {
            let mut plan = plan.clone();
            plan.store.sabotage.clear();
            plan
        };
        let twin = healthy(&canary.plans[0]);
        assert!(
            cases
                .iter()
                .any(|case| case.expect == Expect::Kept && case.plans.contains(&twin)),
            "the gate does not run the plan of `{}` without its sabotage",
            canary.name
        );
    }
}

#[test]
fn every_promise_has_a_canary() {
    let cases = quorate::gate::load(&root().join("gate.toml")).expect("gate.toml");
    for guarantee in Guarantee::ALL {
        let sings = cases
            .iter()
            .any(|case| case.expect == Expect::Broken(guarantee));
        assert!(sings, "{}", guarantee.name());
    }
}

#[test]
fn the_readme_names_every_command_and_shows_real_output() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    for command in [
        "run",
        "check",
        "replay",
        "export",
        "convert",
        "gate",
        "scenario",
        "generate-history",
        "explain",
        "list",
        "doctor",
    ] {
        assert!(
            readme.contains(&format!("quorate {command}")),
            "the README says nothing of `{command}`"
        );
    }
    assert!(readme.contains("cargo run --release -- run") && readme.contains("cargo test"));
    assert!(
        readme.contains("guarantee ") && readme.contains("promised"),
        "the README shows no verdict table"
    );
}
