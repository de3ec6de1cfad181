//! Compares what happened in an act with what was expected, beat by beat, and puts both into words.
//!
//! It looks at what was seen and at nothing else; how the lines are laid out is `report/scenario.rs`.

use std::collections::BTreeMap;
use std::fmt::Write;

use quorate_checkers::Guarantee;
use quorate_checkers::history::{EventType, Nanos, Value};

use super::act::{Act, Answer, Beat, Count, Measured, Replicas, Step, Strike};
use super::seen::{Reply, Seen};
use crate::plan::{Ask, Cast, Plan, ScriptedOp, is_alone};
use crate::world::node_name;

/// One line of a story as it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, since the load began; none for words of the author and for what is so in the end.
    pub at: Option<Nanos>,
    /// What happened.
    pub words: String,
    /// What came of the expectation; none if there was none.
    pub check: Option<Check>,
}

/// What came of an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// As expected.
    Met,
    /// Not so: what was expected.
    Unlike(String),
}

impl Line {
    /// Whether it is not as expected.
    pub fn is_unlike(&self) -> bool {
        matches!(self.check, Some(Check::Unlike(_)))
    }
}

/// What a story is compared with.
struct Scene<'a> {
    plan: &'a Plan,
    seen: &'a Seen,
    /// Who was meant by which number when each operation of the script was asked.
    casts: BTreeMap<&'a str, Cast>,
    /// The same in the end.
    cast: Cast,
}

impl<'a> Scene<'a> {
    fn new(plan: &'a Plan, seen: &'a Seen) -> Scene<'a> {
        let mut cast = Cast::new(plan.store.nodes);
        let mut casts = BTreeMap::new();
        for op in &plan.load.script {
            let Some(name) = op.name.as_deref() else {
                continue;
            };
            casts.insert(name, cast.clone());
            if let Ask::FindLeader(number) = op.op
                && let Some(reply) = seen.reply(name)
                && is_alone(&reply.value, Some(1))
            {
                let mut nodes = 1..=plan.store.nodes;
                let found = nodes.find(|&node| reply.node == Some(node_name(node)));
                cast.give(number, found.unwrap_or(number));
            }
        }
        Scene {
            plan,
            seen,
            casts,
            cast,
        }
    }

    /// Who was meant when this operation was asked.
    fn cast(&self, step: &str) -> &Cast {
        self.casts.get(step).unwrap_or(&self.cast)
    }

    /// The names of those who were.
    fn names(&self, step: &str, numbers: &[u16]) -> Vec<String> {
        let cast = self.cast(step);
        numbers
            .iter()
            .map(|&number| node_name(cast.of(number)))
            .collect()
    }
}

/// The story of an act as it happened.
pub fn judge(act: &Act, seen: &Seen) -> Vec<Line> {
    let scene = Scene::new(&act.plan, seen);
    let told = act.beats.iter();
    told.map(|beat| line(beat, &scene)).collect()
}

fn line(beat: &Beat, scene: &Scene<'_>) -> Line {
    let seen = scene.seen;
    match beat {
        Beat::Tell(words) => Line {
            at: None,
            words: words.clone(),
            check: None,
        },
        Beat::Step(step) => told_step(step, scene),
        Beat::Many(words, steps) => told_many(words, steps, scene),
        Beat::Replicas(replicas) => told_replicas(replicas, scene),
        Beat::Begins(strike) => told_fault(strike, "installed", seen),
        Beat::Ends(strike) => told_fault(strike, "healed", seen),
        Beat::Finally { key, holds } => told_census(key, holds, scene),
        Beat::Found(guarantee, count) => told_findings(*guarantee, *count, seen),
        Beat::Promise(guarantee, promised) => told_promise(*guarantee, *promised, seen),
        Beat::Measure(measure) => {
            let Measured { words, unlike } = measure(seen);
            in_the_end(words, unlike)
        }
    }
}

fn in_the_end(words: String, unlike: Option<String>) -> Line {
    Line {
        at: None,
        words,
        check: Some(unlike.map_or(Check::Met, Check::Unlike)),
    }
}

fn told_step(step: &Step, scene: &Scene<'_>) -> Line {
    let Scene { plan, seen, .. } = scene;
    let mut scripted = plan.load.script.iter();
    let op = scripted.find(|op| op.name.as_ref() == Some(&step.name));
    let asked = op.map_or_else(|| step.name.clone(), |op| question(op, scene));
    let Some(happened) = seen.step(&step.name) else {
        return Line {
            at: None,
            words: format!("{asked}: never asked"),
            check: Some(Check::Unlike("everything before it to happen".to_owned())),
        };
    };
    let (answered, unlike) = match &happened.reply {
        None => ("no answer".to_owned(), Some("an answer".to_owned())),
        Some(reply) => {
            let after = reply.at.since(happened.asked_last).as_ms();
            let words = format!("{} after {after:.1} ms", answer(reply, op));
            (words, unlike(step, reply, scene))
        }
    };
    let tries = match happened.tries {
        0 | 1 => String::new(),
        tries => format!(" (asked {tries} times)"),
    };
    Line {
        at: Some(happened.asked.since(seen.began)),
        words: format!("{asked}: {answered}{tries}"),
        check: Some(unlike.map_or(Check::Met, Check::Unlike)),
    }
}

fn told_many(words: &str, steps: &[Step], scene: &Scene<'_>) -> Line {
    let lines: Vec<Line> = steps.iter().map(|step| told_step(step, scene)).collect();
    let unlike = lines.iter().find(|line| line.is_unlike());
    let as_expected = lines.iter().filter(|line| !line.is_unlike()).count();
    let count = lines.len();
    let tells = match unlike {
        None => format!("{words}: {as_expected} of {count}"),
        Some(first) => format!("{words}: {as_expected} of {count}; not so: {}", first.words),
    };
    Line {
        at: lines.iter().find_map(|line| line.at),
        words: tells,
        check: unlike.map_or(Some(Check::Met), |line| line.check.clone()),
    }
}

/// `c0 writes k = 5 at n1, W=3`.
fn question(op: &ScriptedOp, scene: &Scene<'_>) -> String {
    let plan = scene.plan;
    let cast = scene.cast(op.name.as_deref().unwrap_or_default());
    let (key, node) = (&op.key, node_name(cast.of(op.node)));
    let (reads, writes) = plan.levels();
    let (what, letter, usual) = match op.op {
        Ask::Read => (format!("reads {key}"), 'R', reads),
        Ask::Write(value) => (format!("writes {key} = {value}"), 'W', writes),
        Ask::Delete => (format!("deletes {key}"), 'W', writes),
        Ask::Inspect => return format!("{node} is asked for its own {key}"),
        Ask::Count(counter) => return format!("{node} is asked for its {}", counter.name()),
        Ask::Repair => return format!("{node} is told to compare itself with its peers"),
        Ask::FindLeader(_) => return "who leads".to_owned(),
    };
    let level = op.level.unwrap_or(usual);
    format!("c{} {what} at {node}, {letter}={level}", op.client)
}

/// `acknowledged by n1 n3`.
fn answer(reply: &Reply, op: Option<&ScriptedOp>) -> String {
    let why = reply.error.as_deref().unwrap_or("nobody says why");
    match (reply.kind, op.map(|op| op.op)) {
        (EventType::Fail, _) => format!("failed ({why})"),
        (EventType::Info, _) => format!("unknown ({why}){}", doers(reply, false)),
        (_, Some(Ask::Write(_) | Ask::Delete)) => format!("acknowledged{}", doers(reply, false)),
        (_, Some(Ask::Repair)) => "it does".to_owned(),
        (_, Some(Ask::FindLeader(_))) => reply.node.clone().unwrap_or_default(),
        _ => {
            let repaired = listed(reply.evidence.repaired.iter());
            let repaired = match repaired.as_str() {
                "" => repaired,
                nodes => format!(", repairing {nodes}"),
            };
            let value = &reply.value;
            format!("returns {value}{}{repaired}", doers(reply, true))
        }
    }
}

/// ` by n1 n3 n4, where n4 stands in, and keeps a hint for n2`.
fn doers(reply: &Reply, reads: bool) -> String {
    let by = if reads {
        listed(reply.evidence.answered_by.iter().map(|answer| &answer.node))
    } else {
        listed(reply.evidence.acked_by.iter())
    };
    let mut words = match by.as_str() {
        "" => String::new(),
        by if reads => format!(", told by {by}"),
        by => format!(" by {by}"),
    };
    let fallbacks = stood_in(reply);
    if !fallbacks.is_empty() {
        let names = listed(fallbacks.iter());
        let _ = write!(words, ", where {names} stands in");
    }
    for (owner, holder) in hinted(reply) {
        let _ = write!(words, ", {holder} keeps a hint for {owner}");
    }
    words
}

/// Who stood in for a replica.
fn stood_in(reply: &Reply) -> Vec<String> {
    let names = reply.evidence.extra.get("fallbacks");
    let names = names.and_then(|names| names.as_array());
    let names = names.into_iter().flatten();
    names
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect()
}

/// For whom hints are kept, and by whom.
fn hinted(reply: &Reply) -> Vec<(String, String)> {
    let hints = reply.evidence.extra.get("hinted");
    let hints = hints.and_then(|hints| hints.as_array());
    let text = |hint: &serde_json::Value, field| Some(hint.get(field)?.as_str()?.to_owned());
    let pair = |hint: &serde_json::Value| Some((text(hint, "for")?, text(hint, "at")?));
    hints.into_iter().flatten().filter_map(pair).collect()
}

fn listed<'a>(nodes: impl Iterator<Item = &'a String>) -> String {
    let mut nodes: Vec<&str> = nodes.map(String::as_str).collect();
    nodes.sort_unstable();
    nodes.join(" ")
}

/// What was expected of this answer, if it is not so.
fn unlike(step: &Step, reply: &Reply, scene: &Scene<'_>) -> Option<String> {
    let is_ok = reply.kind == EventType::Ok;
    let expected = match &step.answer {
        Answer::Any => None,
        Answer::Acknowledged => (!is_ok).then(|| "an acknowledgement".to_owned()),
        Answer::Value(value) => {
            let wanted = value.map_or(Value::Nil, Value::Int);
            (!is_ok || !is_alone(&reply.value, *value)).then(|| format!("{wanted} to be returned"))
        }
        Answer::Siblings(values) => {
            let wanted = Value::Json(Box::new(values.clone().into()));
            (!is_ok || reply.value != wanted).then(|| format!("{wanted} to be returned"))
        }
        Answer::Failed => (reply.kind != EventType::Fail).then(|| "a failure".to_owned()),
        Answer::Unknown => (reply.kind != EventType::Info).then(|| "an unknown outcome".to_owned()),
        Answer::NotDone => is_ok.then(|| "that it is not done".to_owned()),
    };
    expected.or_else(|| unlike_evidence(step, reply, scene))
}

/// The same of who did it.
fn unlike_evidence(step: &Step, reply: &Reply, scene: &Scene<'_>) -> Option<String> {
    let named = |nodes: &Option<Vec<u16>>| {
        let nodes = nodes.as_ref()?;
        Some(scene.names(&step.name, nodes))
    };
    let evidence = &reply.evidence;
    let by: Vec<&String> = match step.answer {
        Answer::Acknowledged | Answer::Unknown => evidence.acked_by.iter().collect(),
        _ => {
            let answers = evidence.answered_by.iter();
            answers.map(|answer| &answer.node).collect()
        }
    };
    if let Some(nodes) = differ(named(&step.by), &by) {
        return Some(format!("exactly {nodes}"));
    }
    let fallbacks = stood_in(reply);
    if let Some(nodes) = differ(named(&step.stood_in), &fallbacks.iter().collect::<Vec<_>>()) {
        return Some(format!("that {nodes} stands in"));
    }
    let repaired: Vec<&String> = evidence.repaired.iter().collect();
    differ(named(&step.repaired), &repaired).map(|nodes| format!("that {nodes} is repaired"))
}

/// The nodes that were wanted, if they are not these.
fn differ(wanted: Option<Vec<String>>, said: &[&String]) -> Option<String> {
    let mut wanted = wanted?;
    wanted.sort_unstable();
    let mut said: Vec<&str> = said.iter().map(|name| name.as_str()).collect();
    said.sort_unstable();
    let nodes = if wanted.is_empty() {
        "nobody".to_owned()
    } else {
        wanted.join(" ")
    };
    (wanted != said).then_some(nodes)
}

fn told_replicas(replicas: &Replicas, scene: &Scene<'_>) -> Line {
    let seen = scene.seen;
    let mut at = None;
    let mut found = Vec::new();
    let mut unlike = Vec::new();
    let mut longest = None;
    for (node, name, value) in &replicas.holds {
        let node = node_name(scene.cast(name).of(*node));
        let wanted = value.map_or(Value::Nil, Value::Int);
        let held = seen.reply(name).filter(|reply| reply.kind == EventType::Ok);
        match held {
            Some(reply) => found.push(format!("{node} {}", reply.value)),
            None => found.push(format!("{node} ?")),
        }
        if held.is_none_or(|reply| !is_alone(&reply.value, *value)) {
            unlike.push(format!("{node} {wanted}"));
        }
        let inspection = seen.step(name);
        at = at.or(inspection.map(|step| step.asked.since(seen.began)));
        let took = inspection.filter(|step| step.tries > 1).and_then(|step| {
            let reply = step.reply.as_ref()?;
            Some(reply.at.since(step.asked))
        });
        longest = longest.max(took);
    }
    let waited = longest.map_or_else(String::new, |longest: Nanos| {
        format!(", after {:.0} ms", longest.as_ms())
    });
    let unlike = (!unlike.is_empty()).then(|| unlike.join(", "));
    Line {
        at,
        words: format!("replicas of {}: {}{waited}", replicas.key, found.join(", ")),
        check: Some(unlike.map_or(Check::Met, Check::Unlike)),
    }
}

fn told_fault(strike: &Strike, step: &str, seen: &Seen) -> Line {
    let Strike { id, words } = strike;
    if let Some(fault) = seen.fault(id, step) {
        return Line {
            at: Some(fault.at.since(seen.began)),
            words: format!("{words} ({id})"),
            check: None,
        };
    }
    let others = ["skipped", "indeterminate", "unhealed"];
    let told = others.iter().find_map(|step| seen.fault(id, step));
    let why = told.and_then(|fault| fault.why.as_deref());
    let why = why.unwrap_or("its time never came");
    Line {
        at: None,
        words: format!("{words} ({id}): not {step}: {why}"),
        check: Some(Check::Unlike("that it takes".to_owned())),
    }
}

fn told_census(key: &str, holds: &[(u16, Option<i64>)], scene: &Scene<'_>) -> Line {
    let seen = scene.seen;
    let mut found = Vec::new();
    let mut unlike = Vec::new();
    for &(node, value) in holds {
        let node = node_name(scene.cast.of(node));
        let wanted = value.map_or(Value::Nil, Value::Int);
        let held = seen.finally(key, &node);
        found.push(held.map_or_else(|| format!("{node} ?"), |value| format!("{node} {value}")));
        if held.is_none_or(|held| !is_alone(held, value)) {
            unlike.push(format!("{node} {wanted}"));
        }
    }
    let unlike = (!unlike.is_empty()).then(|| unlike.join(", "));
    in_the_end(format!("in the end, {key}: {}", found.join(", ")), unlike)
}

fn told_findings(guarantee: Guarantee, count: Count, seen: &Seen) -> Line {
    let anomaly = guarantee.anomaly_name();
    let Some(row) = seen.verdict.row(guarantee) else {
        let words = format!("{}: not judged", guarantee.title());
        return in_the_end(words, Some("that it is judged".to_owned()));
    };
    let (seen, judged) = (row.finding.seen, row.finding.judged);
    let times = match seen {
        0 => format!("no {anomaly}"),
        1 => format!("1 {anomaly}"),
        many => format!("{many} times {anomaly}"),
    };
    let words = format!(
        "the checker of {} finds {times} in {judged}",
        guarantee.name()
    );
    // A checker that judged nothing has found nothing out.
    let is_met = count.is_met(seen) && (count != Count::None || judged > 0);
    let expected = match count {
        Count::None => "none, of some that were judged".to_owned(),
        Count::Exactly(count) => format!("{count}"),
        Count::AtLeast(count) => format!("{count} or more"),
    };
    in_the_end(words, (!is_met).then_some(expected))
}

fn told_promise(guarantee: Guarantee, promised: bool, seen: &Seen) -> Line {
    let Some(row) = seen.verdict.row(guarantee) else {
        let words = format!("{}: not judged", guarantee.title());
        return in_the_end(words, Some("that it is judged".to_owned()));
    };
    let is = if row.promise.promised {
        "is promised"
    } else {
        "is not promised"
    };
    let words = format!("{} {is}: {}", guarantee.name(), row.promise.reason);
    let expected = if promised { "a promise" } else { "no promise" };
    let is_met = row.promise.promised == promised;
    in_the_end(words, (!is_met).then(|| expected.to_owned()))
}
