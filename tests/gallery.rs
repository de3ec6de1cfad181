//! Every run in `results/gallery/` is judged again, and every simulated one simulated again: verdict and history must be the same to
//! the byte, and show what its story tells.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use quorate::plan::{Plan, World};
use quorate::world::sim;
use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::history::History;
use quorate_checkers::verdict::{Outcome, Ruling, Verdict, judge};

fn entries() -> Vec<PathBuf> {
    let gallery = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/gallery");
    let mut entries: Vec<PathBuf> = fs::read_dir(gallery)
        .expect("the gallery")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    entries.sort();
    assert!(entries.len() >= Guarantee::ALL.len(), "entries are missing");
    entries
}

fn text(entry: &Path, name: &str) -> String {
    let path = entry.join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn judged(entry: &Path) -> (History, Verdict) {
    let history = History::parse(text(entry, "history.jsonl").as_bytes())
        .unwrap_or_else(|error| panic!("{}: {error}", entry.display()));
    let verdict = judge(&history);
    (history, verdict)
}

#[test]
fn every_history_gets_the_verdict_it_got_when_it_was_made() {
    for entry in entries() {
        let (_, verdict) = judged(&entry);
        assert_eq!(
            verdict.to_json(),
            text(&entry, "verdict.json"),
            "{}",
            entry.display()
        );
    }
}

#[test]
fn every_history_belongs_to_its_plan() {
    for entry in entries() {
        let plan = Plan::from_json(&text(&entry, "plan.json"), "plan.json").expect("a plan");
        let (history, _) = judged(&entry);
        assert_eq!(plan.digest(), history.header.plan, "{}", entry.display());
    }
}

/// More lines than any shrunk history needs: a few dozen events.
const LINES_MAX: usize = 48;

#[test]
fn every_simulated_run_happens_again_to_the_byte() {
    let mut simulated = 0;
    for entry in entries() {
        let plan = Plan::from_json(&text(&entry, "plan.json"), "plan.json").expect("a plan");
        let World::Sim(weather) = plan.world else {
            continue;
        };
        simulated += 1;
        let mut lines = Vec::new();
        plan.header().expect("a header").to_line(&mut lines);
        for event in sim::run(&plan, &weather).expect("a run") {
            event.to_line(&mut lines);
        }
        let again = String::from_utf8(lines).expect("JSON is text");
        let place = entry.display();
        assert_eq!(again, text(&entry, "history.jsonl"), "{place}");
        assert!(again.lines().count() <= LINES_MAX, "{place} is long");
    }
    assert_eq!(simulated, Guarantee::ALL.len(), "one per anomaly");
}

/// A story's second line says what it shows: `Shows: stale-read, allowed`, or `Shows: kept`.
#[test]
fn every_story_tells_what_its_history_shows() {
    for entry in entries() {
        let story = text(&entry, "STORY.md");
        let shows = story
            .lines()
            .find_map(|line| line.strip_prefix("Shows: "))
            .expect("a line `Shows: ..`");
        let (_, verdict) = judged(&entry);
        let Some((anomaly, ruling)) = shows.split_once(", ") else {
            assert_eq!(
                (shows, verdict.outcome),
                ("kept", Outcome::Kept),
                "{}",
                entry.display()
            );
            continue;
        };
        let guarantee = Guarantee::from_name(anomaly).expect("an anomaly's name");
        let row = verdict.row(guarantee).expect("the guarantee was judged");
        assert_eq!(row.ruling.word(), ruling, "{}", entry.display());
        assert!(
            matches!(row.ruling, Ruling::Allowed | Ruling::Broken),
            "{}",
            entry.display()
        );
        let title = row.explanations[0].title.clone();
        assert!(
            story.contains(&title),
            "{}: the story does not tell of `{title}`",
            entry.display()
        );
    }
}

#[test]
fn the_gallery_shows_every_anomaly() {
    let shown: BTreeSet<&str> = entries()
        .iter()
        .flat_map(|entry| {
            let (_, verdict) = judged(entry);
            verdict
                .rows
                .into_iter()
                .filter(|row| row.finding.seen > 0)
                .collect::<Vec<_>>()
        })
        .map(|row| row.promise.guarantee.anomaly_name())
        .collect();
    let all: BTreeSet<&str> = Guarantee::ALL
        .iter()
        .map(|guarantee| guarantee.anomaly_name())
        .collect();
    let missing: Vec<_> = all.difference(&shown).collect();
    assert!(missing.is_empty(), "the gallery lacks {missing:?}");
}

#[test]
fn every_witness_of_the_gallery_is_judged_alone_as_in_its_history() {
    for entry in entries() {
        let (history, verdict) = judged(&entry);
        for row in verdict
            .rows
            .iter()
            .filter(|row| row.ruling == Ruling::Broken)
        {
            let anomaly = &row.finding.anomalies[0];
            let alone =
                judge(&History::parse(&anomaly.excerpt(&history)).expect("a witness is a history"));
            let again = alone
                .row(row.promise.guarantee)
                .expect("the same guarantee");
            assert_eq!(
                again.ruling,
                Ruling::Broken,
                "{}: {}",
                entry.display(),
                anomaly.name()
            );
        }
    }
}

/// A witness may show less than its history, and never more: what is no anomaly there must not become one alone.
#[test]
fn no_witness_of_the_gallery_shows_what_its_history_does_not() {
    for entry in entries() {
        let (history, verdict) = judged(&entry);
        let seen = |verdict: &Verdict| -> BTreeSet<Guarantee> {
            let rows = verdict.rows.iter().filter(|row| row.finding.seen > 0);
            rows.map(|row| row.promise.guarantee).collect()
        };
        for row in &verdict.rows {
            for anomaly in &row.finding.anomalies {
                let excerpt = History::parse(&anomaly.excerpt(&history));
                let alone = seen(&judge(&excerpt.expect("a witness is a history")));
                let place = format!("{}: {}", entry.display(), anomaly.name());
                assert!(alone.contains(&row.promise.guarantee), "{place}: {alone:?}");
                assert!(alone.is_subset(&seen(&verdict)), "{place}: {alone:?}");
            }
        }
    }
}
