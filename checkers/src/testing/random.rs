//! Random small histories with all that makes checkers go wrong: equal times, unknown outcomes, refusals, deletes, values
//! from nowhere and from the future, repeated values, partial censuses, kills and skewed clocks.

use std::fmt;

use proptest::prelude::*;

use super::timeline::{event, header, number};
use crate::history::{
    Answer, Event, EventType, Evidence, F, Header, History, Nanos, Process, Stamp, Sync, Value,
};

/// Nanoseconds per unit of time: small enough for ties, and a divisor of the spread that availability asks for.
const UNIT_NS: u64 = 50_000_000;

/// One operation before it has a time.
#[derive(Clone, Debug)]
struct Draft {
    process: u64,
    f: u8,
    key: u8,
    value: i64,
    gap: u64,
    length: u64,
    end: u8,
    node: u8,
    level: Option<u32>,
    stamp: Option<i64>,
}

#[derive(Clone, Debug)]
struct FaultDraft {
    kind: &'static str,
    node: u8,
    other: u8,
    from: u64,
    length: Option<u64>,
    skipped: bool,
}

/// What a random history is made of.
#[derive(Clone, Copy, Debug)]
struct Shape {
    operations: (usize, usize),
    processes: u64,
    keys: u8,
    /// Values that reads may return are below this; -1 is nothing.
    values: i64,
    /// Weight of ok among the outcomes; 0 for none at all.
    ok: u32,
}

const SHAPES: [Shape; 5] = [
    Shape {
        operations: (0, 14),
        processes: 4,
        keys: 2,
        values: 8,
        ok: 10,
    },
    // One key and few values, so that reads go to and fro.
    Shape {
        operations: (4, 12),
        processes: 4,
        keys: 1,
        values: 3,
        ok: 30,
    },
    // A few writes of one key, so that its census often has an older one.
    Shape {
        operations: (2, 6),
        processes: 2,
        keys: 1,
        values: 3,
        ok: 30,
    },
    // Many operations that fail, so that keys and stores become unavailable.
    Shape {
        operations: (5, 60),
        processes: 3,
        keys: 2,
        values: 8,
        ok: 1,
    },
    Shape {
        operations: (15, 60),
        processes: 3,
        keys: 2,
        values: 8,
        ok: 0,
    },
];

/// So many keys that no single one fails often enough, while many operations do.
const THIN: Shape = Shape {
    operations: (50, 90),
    processes: 3,
    keys: 12,
    values: 8,
    ok: 1,
};

fn draft(shape: Shape) -> impl Strategy<Value = Draft> {
    let what = (
        0..shape.processes,
        0..10u8,
        0..shape.keys,
        -1..shape.values,
        0..3u64,
        0..5u64,
    );
    let end = prop_oneof![
        shape.ok => Just(0u8), 2 => Just(1u8), 2 => Just(2u8), 1 => Just(3u8),
    ];
    let rest = (
        end,
        1..=3u8,
        proptest::option::weighted(0.1, 1..=3u32),
        proptest::option::weighted(0.3, 0..6i64),
    );
    (what, rest).prop_map(
        |((process, f, key, value, gap, length), (end, node, level, stamp))| Draft {
            process,
            f,
            key,
            value,
            gap,
            length,
            end,
            node,
            level,
            stamp,
        },
    )
}

fn fault() -> impl Strategy<Value = FaultDraft> {
    let kinds = prop_oneof![
        3 => Just("kill"), 2 => Just("clock"), 2 => Just("partition"), 1 => Just("pause"), 1 => Just("slow"),
    ];
    let when = (0..20u64, proptest::option::weighted(0.8, 0..10u64));
    (kinds, 1..=3u8, 1..=3u8, when, proptest::bool::weighted(0.2)).prop_map(
        |(kind, node, other, (from, length), skipped)| FaultDraft {
            kind,
            node,
            other,
            from,
            length,
            skipped,
        },
    )
}

/// A history that prints itself as its file.
#[derive(Clone)]
pub(crate) struct Drawn(pub(crate) History);

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<usize> = (0..self.0.operations.len()).collect();
        write!(f, "\n{}", String::from_utf8_lossy(&self.0.excerpt(&all)))
    }
}

/// A random history.
pub(crate) fn any_history() -> impl Strategy<Value = Drawn> {
    history_of(&SHAPES)
}

/// A random history of few operations for each of many keys: too long for most twins.
pub(crate) fn thin_history() -> impl Strategy<Value = Drawn> {
    history_of(&[THIN])
}

fn history_of(shapes: &'static [Shape]) -> impl Strategy<Value = Drawn> {
    let operations = prop::sample::select(shapes).prop_flat_map(|shape| {
        proptest::collection::vec(draft(shape), shape.operations.0..=shape.operations.1)
    });
    // A census per key: for each replica perhaps an answer, and of some a second one, which may fail.
    let answer = (
        0..6u8,
        -1..8i64,
        prop_oneof![9 => Just(0u8), 1 => Just(1u8)],
    );
    let census = proptest::collection::vec(proptest::option::weighted(0.9, answer), 0..=9);
    let faults = prop_oneof![
        2 => Just(Vec::new()),
        3 => proptest::collection::vec(fault(), 0..3),
    ];
    let quorum = (1..=3u32, 1..=3u32, 1..=3u32, any::<bool>());
    (operations, census, faults, quorum).prop_map(
        |(operations, census, faults, (n, r, w, sync))| {
            let mut header = header(n, r, w);
            if sync {
                header.sync = Sync::EveryMs(200);
            }
            Drawn(build(header, &operations, &census, &faults))
        },
    )
}

fn build(
    header: Header,
    operations: &[Draft],
    census: &[Option<(u8, i64, u8)>],
    faults: &[FaultDraft],
) -> History {
    let mut events = Vec::new();
    let mut clocks = std::collections::BTreeMap::new();
    let mut next_value = 0;
    for draft in operations {
        let (id, clock) = clocks.entry(draft.process).or_insert((draft.process, 0u64));
        *clock += draft.gap;
        let from = *clock;
        *clock += draft.length;
        add(&mut events, draft, *id, (from, *clock), &mut next_value);
        if draft.end >= 2 {
            // After an unknown outcome, or none at all, the client goes on under another id.
            *id += 10;
        }
    }
    let end = clocks.values().map(|(_, clock)| *clock).max().unwrap_or(0);
    for (at, answer) in census.iter().enumerate() {
        let Some((f, value, ended)) = answer else {
            continue;
        };
        let draft = Draft {
            process: 0,
            f: 200 + f,
            key: u8::try_from(at / 3 % 2).expect("small"),
            value: *value,
            gap: 0,
            length: 0,
            end: *ended,
            node: u8::try_from(at % 3).expect("small") + 1,
            level: None,
            stamp: None,
        };
        let span = (end + u64::from(*f), end + 1 + u64::from(*f));
        add(&mut events, &draft, 1000 + at as u64, span, &mut next_value);
    }
    for (at, fault) in faults.iter().enumerate() {
        add_fault(&mut events, at, fault);
    }
    number(&mut events);
    History::from_events(header, events).expect("what was generated is a history")
}

fn add(
    events: &mut Vec<Event>,
    draft: &Draft,
    process: u64,
    (from, to): (u64, u64),
    next_value: &mut i64,
) {
    let f = match draft.f {
        0..4 => F::Write,
        4 => F::Delete,
        5..100 => F::Read,
        _ => F::Census,
    };
    let mut invoke = event(
        Nanos(from * UNIT_NS),
        EventType::Invoke,
        Process::Client(process),
        f.clone(),
    );
    invoke.index = events.len() as u64;
    invoke.key = Some(format!("k{}", draft.key));
    invoke.node = Some(format!("n{}", draft.node));
    invoke.level = draft.level.map(crate::history::Level::Count);
    let mut done = invoke.clone();
    if f == F::Write {
        // Mostly unique; now and then a value that another write may have as well.
        let repeated = draft.value == 7 && draft.gap == 2 && draft.length == 4;
        invoke.value = Value::Int(if repeated { 0 } else { *next_value });
        *next_value += 1;
        done.value = invoke.value.clone();
    } else if matches!(f, F::Read | F::Census) && draft.value >= 0 {
        done.value = Value::Int(draft.value);
    }
    done.evidence = draft
        .stamp
        .map(|wall_ns| Box::new(evidence(wall_ns, draft.node)));
    done.time = Nanos(to * UNIT_NS);
    done.index = invoke.index + 1;
    done.kind = match draft.end {
        0 => EventType::Ok,
        1 => EventType::Fail,
        _ => EventType::Info,
    };
    if done.kind != EventType::Ok && f != F::Write {
        done.value = Value::Nil;
    }
    events.push(invoke);
    if draft.end < 3 {
        events.push(done);
    }
}

fn evidence(wall_ns: i64, node: u8) -> Evidence {
    let node = format!("n{node}");
    let version = Some(Stamp {
        wall_ns,
        node: node.clone(),
    });
    Evidence {
        version: version.clone(),
        acked_by: vec![node.clone()],
        answered_by: vec![Answer { node, version }],
        ..Evidence::default()
    }
}

fn add_fault(events: &mut Vec<Event>, at: usize, fault: &FaultDraft) {
    let node = format!("n{}", fault.node);
    let other = if fault.other == fault.node {
        fault.node % 3 + 1
    } else {
        fault.other
    };
    let other = format!("n{other}");
    let effect = if fault.skipped {
        "skipped"
    } else {
        "installed"
    };
    let healed = fault.length.map(|length| fault.from + length);
    let steps = [
        ("inject", Some(fault.from)),
        (effect, Some(fault.from)),
        ("healed", healed),
    ];
    for (step, time) in steps {
        let Some(time) = time else { continue };
        let f = F::Other(fault.kind.to_owned());
        let mut line = event(Nanos(time * UNIT_NS), EventType::Info, Process::Nemesis, f);
        let mut body = serde_json::json!({"id": format!("f{at}"), "step": step, "nodes": [node]});
        match fault.kind {
            "clock" => body["offsets_ns"] = serde_json::json!([fault.from.cast_signed() - 5]),
            "partition" | "slow" => {
                body["nodes"] = serde_json::json!([node, other]);
                body["links"] = serde_json::json!([[node, other]]);
            }
            _ => {}
        }
        line.value = Value::Json(Box::new(body));
        line.index = events.len() as u64;
        events.push(line);
    }
}
