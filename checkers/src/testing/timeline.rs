//! Histories drawn as timelines: one row per client, one column per 100 ms.
//!
//! ```text
//! c1: |--w k 1--|                           ok
//! c2:             |--w k 2--?               outcome unknown (the client goes on under a new id)
//! c3:                |--w k 3--!            refused
//! c4:                        |-r k 1-| |-r k nil-| |-d k-|
//! n1:                                                       |c k 1|    census at n1
//! c5: |--w k 3 <1,2--|  |-r k 1,2-|  |-d k <-|              siblings: what was read, and what a write had read
//! c6: |--w k 1+2 <1--|                                      sets: what a write made of what it had read
//! fault kill n1:     |---------|                                       installed, then healed
//! fault clock n1 -50: |----                                            never healed
//! ```

use crate::history::{
    Event, EventType, F, FORMAT, Header, History, Nanos, Process, Quorum, ReadRepair, Settings,
    Sync, Value, Values, Versions,
};

/// Nanoseconds per column.
const COLUMN_NS: u64 = 100_000_000;

/// Added to a client's id after an outcome that is unknown.
const AFTER_INFO: u64 = 100;

/// The header of drawn histories.
pub(crate) fn header(n: u32, r: u32, w: u32) -> Header {
    Header {
        format: FORMAT,
        plan: "drawn".to_owned(),
        workload: "register".to_owned(),
        seed: 1,
        nodes: (1..=3).map(|node| format!("n{node}")).collect(),
        quorum: Quorum { n, r, w },
        claim: None,
        read_repair: ReadRepair::None,
        sync: Sync::EachWrite,
        request_timeout_ms: 500,
        concurrency: 8,
        versions: Versions::Lww,
        values: Values::Integers,
        settings: Settings::default(),
        judges: None,
        sabotage: Vec::new(),
        setup: None,
    }
}

/// The history of a drawing, of a store with N = 3, R = W = 2.
pub(crate) fn draw(text: &str) -> History {
    draw_with(header(3, 2, 2), text)
}

/// The history of a drawing, of a store that keeps siblings.
pub(crate) fn draw_siblings(text: &str) -> History {
    let header = Header {
        versions: Versions::Dvv,
        ..header(3, 2, 2)
    };
    draw_with(header, text)
}

/// A list as one value.
pub(crate) fn array(values: Vec<Value>) -> Value {
    let values = values.into_iter().map(|value| match value {
        Value::Nil => serde_json::Value::Null,
        Value::Int(value) => value.into(),
        Value::Json(value) => *value,
    });
    Value::Json(Box::new(serde_json::Value::Array(values.collect())))
}

/// The values of `1,2`; none of `nil` and of nothing.
fn list(text: &str) -> Vec<Value> {
    let values = text.split(',').map(datum);
    values.filter(|value| *value != Value::Nil).collect()
}

/// A number, nothing, or a set such as `1+2` and `+` for the empty one.
fn datum(text: &str) -> Value {
    if text.contains('+') {
        return array(
            text.split('+')
                .map(datum)
                .filter(|value| *value != Value::Nil)
                .collect(),
        );
    }
    text.parse().map_or(Value::Nil, Value::Int)
}

/// The history of a drawing.
pub(crate) fn draw_with(header: Header, text: &str) -> History {
    let mut events = Vec::new();
    let lists = header.versions == Versions::Dvv;
    for row in text.lines().filter(|row| !row.trim().is_empty()) {
        let (label, _) = row.split_once(':').expect("a row has a label");
        let offset = row.find(':').map_or(0, |at| at + 1);
        let body = &row[offset..];
        match label.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["fault", kind, rest @ ..] => draw_fault(kind, rest, body, offset, &mut events),
            [client] => draw_client(client, body, offset, lists, &mut events),
            other => panic!("unknown label {other:?}"),
        }
    }
    number(&mut events);
    History::from_events(header, events).expect("the drawing is a history")
}

/// Sorts by time; at equal times a process keeps its own order, and the nemesis comes first.
pub(crate) fn number(events: &mut [Event]) {
    events.sort_by_key(|event| {
        let process = match event.process {
            Process::Nemesis => 0,
            Process::Client(id) => id + 1,
        };
        (event.time, process, event.index)
    });
    for (index, event) in (0..).zip(events) {
        event.index = index;
    }
}

pub(crate) fn event(time: Nanos, kind: EventType, process: Process, f: F) -> Event {
    Event {
        index: 0,
        time,
        kind,
        process,
        f,
        key: None,
        value: Value::Nil,
        context: None,
        error: None,
        node: None,
        level: None,
        evidence: None,
        extra: serde_json::Map::new(),
    }
}

fn time(column: usize) -> Nanos {
    Nanos(column as u64 * COLUMN_NS)
}

/// The bars of a row: first column, last column, what is written in between, and what the bar ends with.
fn bars(body: &str, offset: usize) -> Vec<(usize, usize, String, char)> {
    let mut bars = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, c) in body.char_indices() {
        match (open.take(), c) {
            (None, '|') => open = Some((offset + at, String::new())),
            (None, _) => {}
            (Some((from, text)), '|' | '?' | '!') => bars.push((from, offset + at, text, c)),
            (Some((from, mut text)), _) => {
                text.push(c);
                open = Some((from, text));
            }
        }
    }
    if let Some((from, text)) = open {
        bars.push((from, usize::MAX, text, ' '));
    }
    bars
}

fn draw_client(client: &str, body: &str, offset: usize, lists: bool, events: &mut Vec<Event>) {
    let id: u64 = client[1..]
        .parse()
        .expect("a client is c<number>, a replica n<number>");
    let mut process = if client.starts_with('n') { 50 + id } else { id };
    for (from, to, text, end) in bars(body, offset) {
        let text = text.trim_matches('-');
        let words: Vec<&str> = text.split_whitespace().collect();
        let (words, context) = match words.as_slice() {
            [words @ .., context] if context.starts_with('<') => {
                (words.to_vec(), Some(list(&context[1..])))
            }
            words => (words.to_vec(), None),
        };
        let (f, value) = match words.as_slice() {
            ["w", _, value] => (F::Write, *value),
            ["d", _] => (F::Delete, "nil"),
            ["r", _, value] => (F::Read, *value),
            ["c", _, value] => (F::Census, *value),
            other => panic!("unknown operation {other:?}"),
        };
        let mut invoke = event(time(from), EventType::Invoke, Process::Client(process), f);
        invoke.key = Some(words[1].to_owned());
        invoke.node = client.starts_with('n').then(|| client.to_owned());
        invoke.index = events.len() as u64;
        let mut done = invoke.clone();
        let value = if lists && matches!(invoke.f, F::Read | F::Census) {
            array(list(value))
        } else {
            datum(value)
        };
        invoke.context = context;
        if invoke.f == F::Write {
            invoke.value = value.clone();
        }
        events.push(invoke);
        if to == usize::MAX {
            continue;
        }
        (done.value, done.time, done.index) = (value, time(to), events.len() as u64);
        done.kind = match end {
            '?' => EventType::Info,
            '!' => EventType::Fail,
            _ => EventType::Ok,
        };
        if end == '?' {
            process += AFTER_INFO;
        }
        events.push(done);
    }
}

fn draw_fault(kind: &str, rest: &[&str], body: &str, offset: usize, events: &mut Vec<Event>) {
    for (from, to, ..) in bars(body, offset) {
        let id = format!("f{}", events.len());
        let (nodes, offsets): (Vec<&str>, Vec<&str>) =
            rest.iter().partition(|word| word.starts_with('n'));
        let offsets: Vec<i64> = offsets
            .iter()
            .map(|ms| ms.parse::<i64>().expect("an offset in ms") * 1_000_000)
            .collect();
        for (step, column) in [
            ("inject", from),
            ("installed", from),
            ("heal", to),
            ("healed", to),
        ] {
            if column == usize::MAX {
                continue;
            }
            let mut line = event(
                time(column),
                EventType::Info,
                Process::Nemesis,
                F::Other(kind.to_owned()),
            );
            let mut value = serde_json::json!({"id": id, "step": step, "nodes": nodes});
            if !offsets.is_empty() {
                value["offsets_ns"] = offsets.clone().into();
            }
            line.value = Value::Json(Box::new(value));
            line.index = events.len() as u64;
            events.push(line);
        }
    }
}
