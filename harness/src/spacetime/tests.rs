//! Diagrams of made-up and of simulated runs: how they look as text, and that the SVG is one.

use std::collections::BTreeMap;

use quorate_checkers::Verdict;
use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::history::{Event, EventType, F, History, Nanos, Process, Value};
use quorate_checkers::verdict::judge;
use quorate_node::protocol::{Content, Record, RequestId, Version};
use quorate_node::wire::Stamp;

use super::{Diagram, SpacetimeError, Watched, diagram, watch};
use crate::fault::Link;
use crate::plan::{Plan, PlanSpec};
use crate::trial::trial;
use crate::world::sim::trace::{Kind, Loss, Says, Step, What};

/// Nanoseconds in a millisecond.
const MS: u64 = 1_000_000;

fn plan(seed: u64, r: u16, w: u16, faults: &[&str]) -> Plan {
    let spec = PlanSpec {
        world: Some("sim".to_owned()),
        lasts: Some("3s".to_owned()),
        r: Some(r),
        w: Some(w),
        faults: Some(faults.iter().map(ToString::to_string).collect()),
        ..PlanSpec::default()
    };
    spec.plan(seed).expect("a plan")
}

fn event(index: u64, at_ms: u64, kind: EventType, process: u64, f: F, value: i64) -> Event {
    Event {
        index,
        time: Nanos(at_ms * MS),
        kind,
        process: Process::Client(process),
        f,
        key: Some("k".to_owned()),
        value: Value::Int(value),
        context: None,
        error: None,
        node: Some("n1".to_owned()),
        level: None,
        evidence: None,
        extra: serde_json::Map::new(),
    }
}

fn content(value: i64) -> Content {
    Content::One(Version {
        stamp: Stamp {
            wall_ns: value,
            node: 1,
        },
        value: Some(value.to_string().into_bytes().into()),
    })
}

/// Takes down steps of a made-up run.
#[derive(Default)]
struct Script {
    steps: Vec<Step>,
    messages: u64,
}

impl Script {
    fn note(&mut self, at_ms: u64, what: What) {
        let at = Nanos(at_ms * MS);
        self.steps.push(Step { at, what });
    }

    fn send(
        &mut self,
        at_ms: u64,
        from: u16,
        to: u16,
        kind: Kind,
        about: (u64, Option<i64>),
    ) -> u64 {
        self.messages += 1;
        let says = Says {
            kind,
            key: Some("k".to_owned()),
            content: about.1.map(content),
            coordinator: 1,
            request: Some(RequestId {
                epoch: 1,
                counter: about.0,
            }),
            op: Some(about.0),
        };
        let (message, link) = (self.messages, Link { from, to });
        self.note(
            at_ms,
            What::Sent {
                message,
                link,
                says,
            },
        );
        message
    }

    fn arrive(&mut self, at_ms: u64, message: u64, from: u16, to: u16) {
        let link = Link { from, to };
        self.note(at_ms, What::Delivered { message, link });
    }

    fn hold(&mut self, at_ms: u64, node: u16, value: Option<i64>) {
        let (key, content) = ("k".to_owned(), value.map(content));
        self.note(at_ms, What::Holds { node, key, content });
    }
}

/// What happens in the made-up run.
fn steps() -> Vec<Step> {
    let mut script = Script::default();
    script.note(10, What::Invoked { op: 0, node: 1 });
    script.note(11, What::Asked { op: 0, node: 1 });
    let first = script.send(11, 1, 2, Kind::Write, (0, Some(1)));
    script.hold(12, 1, Some(1));
    script.note(12, What::Replied { op: 0, node: 1 });
    script.arrive(13, first, 1, 2);
    script.note(
        14,
        What::Completed {
            op: 0,
            completion: 1,
        },
    );
    script.hold(15, 2, Some(1));
    script.note(20, What::Invoked { op: 2, node: 1 });
    script.note(21, What::Asked { op: 2, node: 1 });
    let (lost, link) = (
        script.send(21, 1, 2, Kind::Write, (2, Some(2))),
        Link { from: 1, to: 2 },
    );
    let late = script.send(21, 1, 3, Kind::Write, (2, Some(2)));
    script.hold(22, 1, Some(2));
    script.note(22, What::Replied { op: 2, node: 1 });
    script.note(
        24,
        What::Completed {
            op: 2,
            completion: 3,
        },
    );
    script.note(25, What::Killed { node: 1 });
    let (node, key) = (1, "k".into());
    let record = Record::Held {
        key,
        content: content(2),
    };
    script.note(25, What::Forgot { node, record });
    let why = Loss::SenderDied;
    script.note(
        25,
        What::Lost {
            message: lost,
            link,
            why,
        },
    );
    script.note(60, What::Booted { node: 1, epoch: 2 });
    script.hold(60, 1, Some(1));
    script.note(90, What::Invoked { op: 4, node: 1 });
    script.note(91, What::Asked { op: 4, node: 1 });
    script.note(91, What::Replied { op: 4, node: 1 });
    script.note(
        94,
        What::Completed {
            op: 4,
            completion: 5,
        },
    );
    script.arrive(95, late, 1, 3);
    script.hold(96, 3, Some(2));
    script.steps
}

/// Two writes; n1 alone gets the second one and is killed, and a read finds the first.
fn made_up() -> (History, Watched) {
    let events = vec![
        event(0, 10, EventType::Invoke, 0, F::Write, 1),
        event(1, 14, EventType::Ok, 0, F::Write, 1),
        event(2, 20, EventType::Invoke, 0, F::Write, 2),
        event(3, 24, EventType::Ok, 0, F::Write, 2),
        event(4, 90, EventType::Invoke, 1, F::Read, 1),
        event(5, 94, EventType::Ok, 1, F::Read, 1),
    ];
    let header = plan(1, 1, 1, &[]).header().expect("a header");
    let history = History::from_events(header, events.clone()).expect("a history");
    let events: BTreeMap<u64, Event> = events.into_iter().map(|e| (e.index, e)).collect();
    let watched = Watched {
        steps: steps(),
        events,
    };
    (history, watched)
}

fn first(history: &History, verdict: &Verdict, guarantee: Guarantee, watched: &Watched) -> Diagram {
    let row = verdict.row(guarantee).expect("judged");
    let (anomaly, explanation) = (&row.finding.anomalies[0], &row.explanations[0]);
    diagram(history, anomaly, explanation, watched).expect("a diagram")
}

#[test]
fn a_small_diagram_as_text() {
    let (history, watched) = made_up();
    let drawn = first(&history, &judge(&history), Guarantee::FreshReads, &watched);
    insta::assert_snapshot!(drawn.to_text());
}

/// The names of the tags of a document, if every one is closed in order and no text has a loose `<` or `&`.
fn tags(xml: &str) -> Result<Vec<String>, String> {
    let (mut open, mut all) = (Vec::new(), Vec::new());
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        let entities = ["&amp;", "&lt;", "&gt;", "&quot;"];
        let bare = entities
            .iter()
            .fold(text.to_owned(), |text, entity| text.replace(entity, ""));
        if bare.contains(['&', '>']) {
            return Err(format!("loose characters in {text:?}"));
        }
        let end = tag.find('>').ok_or("a tag without an end")?;
        let inside = &tag[1..end];
        rest = &tag[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("{name} is closed and was not open"));
            }
            continue;
        }
        if inside.contains('<') || inside.matches('"').count() % 2 != 0 {
            return Err(format!("a broken tag: {inside}"));
        }
        let name = inside
            .split([' ', '/'])
            .next()
            .unwrap_or_default()
            .to_owned();
        if !inside.ends_with('/') {
            open.push(name.clone());
        }
        all.push(name);
    }
    if open.is_empty() {
        Ok(all)
    } else {
        Err(format!("{open:?} stay open"))
    }
}

#[test]
fn the_svg_is_well_formed_and_says_what_the_text_says() {
    let (history, watched) = made_up();
    let drawn = first(&history, &judge(&history), Guarantee::FreshReads, &watched);
    let svg = drawn.to_svg();
    let tags = tags(&svg).expect("well formed");
    assert_eq!(
        tags.iter().filter(|tag| *tag == "circle").count(),
        3,
        "A, B and C"
    );
    assert!(
        !tags
            .iter()
            .any(|tag| ["script", "image", "foreignObject", "a"].contains(&tag.as_str()))
    );
    assert!(!svg.contains("href") && !svg.contains("@import") && !svg.contains("url(http"));
    for row in &drawn.rows {
        let words = row.words.replace('>', "&gt;");
        assert!(svg.contains(&words), "{words}");
    }
}

/// Whatever goes wrong in simulated runs, its first anomaly can be drawn, from the history and from its witness alone.
#[test]
fn anomalies_of_simulated_runs_can_be_drawn() {
    let mut drawn = 0;
    for seed in 0..4 {
        let plan = plan(seed, 1, 1, &["kill", "pause", "partition", "slow", "clock"]);
        let tried = trial(&plan).expect("a run");
        let rows = tried.verdict.rows.iter();
        let firsts: Vec<_> = rows
            .filter_map(|row| Some((row.finding.anomalies.first()?, row.explanations.first()?)))
            .collect();
        let anomalies: Vec<_> = firsts.iter().map(|(anomaly, _)| *anomaly).collect();
        let watched = watch(&plan, &tried.history, &anomalies).expect("seen again");
        for (anomaly, explanation) in &firsts {
            let picture = diagram(&tried.history, anomaly, explanation, &watched)
                .unwrap_or_else(|why| panic!("{} of seed {seed}: {why}", anomaly.name()));
            tags(&picture.to_svg()).expect("well formed");
            let text = picture.to_text();
            let body = text.lines().skip(1 + picture.caption.len());
            let widest = body.map(|line| line.chars().count()).max();
            let lanes = picture.lanes.len();
            assert!(
                widest <= Some(100) || lanes > 11,
                "{widest:?} columns of {lanes} lanes\n{text}"
            );
            assert!(picture.rows.is_sorted_by_key(|row| row.at));
            assert!(picture.rows.len() <= 400, "{} rows", picture.rows.len());
            let letters = anomaly.witness.roles.iter().map(|role| role.letter);
            for letter in letters {
                assert!(
                    picture.rows.iter().any(|row| row.letter == Some(letter)),
                    "{letter}\n{text}"
                );
            }
            drawn += 1;
        }
        let (anomaly, explanation) = firsts[0];
        let alone = History::parse(&anomaly.excerpt(&tried.history)).expect("a witness");
        let found = judge(&alone);
        let row = found.row(anomaly.guarantee).expect("judged");
        let again = diagram(
            &alone,
            &row.finding.anomalies[0],
            &row.explanations[0],
            &watched,
        );
        let whole = diagram(&tried.history, anomaly, explanation, &watched);
        assert_eq!(
            again.expect("a diagram").rows,
            whole.expect("a diagram").rows
        );
    }
    assert!(drawn > 15, "{drawn}");
}

#[test]
fn another_run_is_not_drawn_and_a_live_one_neither() {
    let plan = plan(1, 1, 1, &["partition"]);
    let tried = trial(&plan).expect("a run");
    let row = tried.verdict.row(Guarantee::FreshReads).expect("judged");
    let (anomaly, explanation) = (&row.finding.anomalies[0], &row.explanations[0]);
    let other = Plan {
        seed: plan.seed + 1,
        ..plan.clone()
    };
    let watched = watch(&other, &tried.history, &[anomaly]).expect("some run");
    let refused = diagram(&tried.history, anomaly, explanation, &watched);
    assert!(matches!(refused, Err(SpacetimeError::Differs)));
    let live = Plan {
        world: crate::plan::World::Live,
        ..plan
    };
    let refused = watch(&live, &tried.history, &[anomaly]);
    assert!(matches!(refused, Err(SpacetimeError::Live)));
}

/// A run that was stopped early has a plan that goes on for long: only what the anomaly is about is simulated again.
#[test]
fn watching_ends_with_what_is_watched() {
    let plan = plan(1, 1, 1, &["partition"]);
    let tried = trial(&plan).expect("a run");
    let row = tried.verdict.row(Guarantee::FreshReads).expect("judged");
    let anomaly = &row.finding.anomalies[0];
    let watched = watch(&plan, &tried.history, &[anomaly]).expect("seen again");
    let last = watched.steps.last().expect("some step").at;
    let ends = anomaly.witness.operations().into_iter();
    let end = ends
        .filter_map(|at| tried.history.operations[at].completed())
        .max();
    let end = end.expect("they ended");
    assert!(
        last >= end && last.since(end).0 < 1_500 * MS,
        "{last:?} after {end:?}"
    );
    assert!(
        tried.history.end.since(last).0 > 500 * MS,
        "the run goes on"
    );
}
