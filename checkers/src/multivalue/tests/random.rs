//! Random small histories of stores with siblings, with all that makes their judges go wrong: contexts that name what nobody
//! wrote, blind writes, deletes, refusals, unknown outcomes, equal times, values that repeat, partial censuses and kills.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::history::{Event, EventType, F, Header, History, Nanos, Process, Sync, Value, Versions};
use crate::testing::{Drawn, array, event, header, number};

/// Nanoseconds per unit of time.
const UNIT_NS: u64 = 50_000_000;
/// Values of a key that a read may pick from: the last ones.
const RECENT: usize = 4;

/// Which values, among those written so far.
#[derive(Clone, Copy, Debug)]
enum Pick {
    /// Those that nothing has replaced, as a store without faults would have it.
    Right,
    /// Some of the last ones, by the bits.
    Some(u8),
    /// The same, and one that nobody wrote, or not yet.
    Strange(u8),
    /// One of the last ones, twice.
    Twice,
}

#[derive(Clone, Debug)]
struct Draft {
    process: u64,
    f: u8,
    key: u8,
    pick: Pick,
    /// What a write says: nothing, what its client read last, or what the pick says.
    says: u8,
    gap: u64,
    length: u64,
    end: u8,
    node: u8,
    repeats: bool,
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![
        6 => Just(Pick::Right),
        8 => (0..16u8).prop_map(Pick::Some),
        1 => (0..16u8).prop_map(Pick::Strange),
        1 => Just(Pick::Twice),
    ]
}

fn draft(keys: u8) -> impl Strategy<Value = Draft> {
    let end = prop_oneof![20 => Just(0u8), 2 => Just(1u8), 2 => Just(2u8), 1 => Just(3u8)];
    let what = (0..4u64, 0..20u8, 0..keys, pick(), 0..6u8);
    let rest = (
        0..3u64,
        0..4u64,
        end,
        1..=3u8,
        proptest::bool::weighted(0.01),
    );
    (what, rest).prop_map(
        |((process, f, key, pick, says), (gap, length, end, node, repeats))| Draft {
            process,
            f,
            key,
            pick,
            says,
            gap,
            length,
            end,
            node,
            repeats,
        },
    )
}

/// What is known of the writes of a key while a history is made up.
#[derive(Clone, Default)]
struct Story {
    /// Values in the order in which they were written, refused ones included.
    written: Vec<i64>,
    /// Those that nothing has replaced.
    live: Vec<i64>,
    /// What each process read last.
    last: BTreeMap<u64, Vec<i64>>,
}

impl Story {
    fn pick(&self, pick: Pick) -> Vec<i64> {
        let recent = self.written.iter().rev().take(RECENT);
        let some = |bits: u8| {
            let chosen = recent.clone().enumerate();
            let chosen = chosen.filter(|(at, _)| bits >> at & 1 == 1);
            chosen.map(|(_, &value)| value).collect::<Vec<i64>>()
        };
        let mut values = match pick {
            Pick::Right => self.live.clone(),
            Pick::Some(bits) => some(bits),
            Pick::Strange(bits) => {
                let next = self.written.iter().max().map_or(0, |last| last + 1);
                [some(bits), vec![next]].concat()
            }
            Pick::Twice => recent
                .clone()
                .take(1)
                .flat_map(|&value| [value; 2])
                .collect(),
        };
        values.sort_unstable();
        values
    }
}

/// A random history of a store with siblings.
pub(super) fn any_siblings() -> impl Strategy<Value = Drawn> {
    let operations = (1..=2u8, 1..16usize)
        .prop_flat_map(|(keys, most)| proptest::collection::vec(draft(keys), 1..=most.max(2)));
    let answer = (pick(), 0..4u8, prop_oneof![9 => Just(0u8), 1 => Just(1u8)]);
    let census = proptest::collection::vec(proptest::option::weighted(0.95, answer), 0..=7);
    let kill = proptest::option::weighted(0.3, (0..20u64, proptest::option::of(0..9u64)));
    let quorum = (1..=3u32, 1..=3u32, 1..=3u32, any::<bool>());
    (operations, census, kill, quorum).prop_map(|(operations, census, kill, (n, r, w, sync))| {
        let mut header = header(n, r, w);
        header.versions = Versions::Dvv;
        if sync {
            header.sync = Sync::EveryMs(200);
        }
        Drawn(build(header, &operations, &census, kill))
    })
}

fn build(
    header: Header,
    operations: &[Draft],
    census: &[Option<(Pick, u8, u8)>],
    kill: Option<(u64, Option<u64>)>,
) -> History {
    let mut events = Vec::new();
    let mut clocks: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let mut stories: BTreeMap<u8, Story> = BTreeMap::new();
    let mut time = 0;
    let mut next_value = 1;
    for draft in operations {
        let (id, free) = clocks.entry(draft.process).or_insert((draft.process, 0));
        time = (time + draft.gap / 2).max(*free);
        let span = (time, time + draft.length);
        *free = span.1;
        let story = stories.entry(draft.key).or_default();
        add(&mut events, draft, *id, span, story, &mut next_value);
        if draft.end >= 2 {
            *id += 10;
        }
    }
    let end = clocks.values().map(|&(_, free)| free).max().unwrap_or(0);
    for (at, answer) in census.iter().enumerate() {
        let Some((pick, late, ended)) = *answer else {
            continue;
        };
        let draft = Draft {
            process: 0,
            f: 200,
            key: u8::try_from(at / 3 % 2).expect("small"),
            pick,
            says: 0,
            gap: 0,
            length: 0,
            end: ended,
            node: u8::try_from(at % 3).expect("small") + 1,
            repeats: false,
        };
        let from = end + u64::from(late);
        let story = stories.entry(draft.key).or_default();
        let span = (from, from + 1);
        add(
            &mut events,
            &draft,
            1000 + at as u64,
            span,
            story,
            &mut next_value,
        );
    }
    if let Some((from, length)) = kill {
        let healed = length.map(|length| from + length);
        let steps = [
            ("inject", Some(from)),
            ("installed", Some(from)),
            ("healed", healed),
        ];
        for (step, time) in steps {
            let Some(time) = time else { continue };
            let f = F::Other("kill".to_owned());
            let mut line = event(Nanos(time * UNIT_NS), EventType::Info, Process::Nemesis, f);
            let body = serde_json::json!({"id": "f1", "step": step, "nodes": ["n1"]});
            line.value = Value::Json(Box::new(body));
            line.index = events.len() as u64;
            events.push(line);
        }
    }
    number(&mut events);
    History::from_events(header, events).expect("what was generated is a history")
}

fn add(
    events: &mut Vec<Event>,
    draft: &Draft,
    process: u64,
    (from, to): (u64, u64),
    story: &mut Story,
    next_value: &mut i64,
) {
    let f = match draft.f {
        0..8 => F::Write,
        8..10 => F::Delete,
        10..100 => F::Read,
        _ => F::Census,
    };
    let is_answer = matches!(f, F::Read | F::Census);
    let who = Process::Client(process);
    let mut invoke = event(Nanos(from * UNIT_NS), EventType::Invoke, who, f.clone());
    invoke.index = events.len() as u64;
    invoke.key = Some(format!("k{}", draft.key));
    invoke.node = Some(format!("n{}", draft.node));
    let mut done = invoke.clone();
    if is_answer {
        let values = story.pick(draft.pick);
        if draft.end == 0 {
            done.value = array(values.iter().map(|&value| Value::Int(value)).collect());
            if f == F::Read {
                story.last.insert(process, values);
            }
        }
    } else {
        let context = match draft.says {
            0 => None,
            1..4 => Some(story.last.get(&process).cloned().unwrap_or_default()),
            _ => Some(story.pick(draft.pick)),
        };
        let replaced = context.clone().unwrap_or_default();
        if draft.end != 1 {
            story.live.retain(|value| !replaced.contains(value));
        }
        invoke.context = context.map(|values| values.into_iter().map(Value::Int).collect());
        if f == F::Write {
            let value = if draft.repeats { 1 } else { *next_value };
            *next_value += 1;
            invoke.value = Value::Int(value);
            done.value = invoke.value.clone();
            story.written.push(value);
            if draft.end != 1 {
                story.live.push(value);
            }
        }
    }
    done.time = Nanos(to * UNIT_NS);
    done.index = invoke.index + 1;
    done.kind = match draft.end {
        0 => EventType::Ok,
        1 => EventType::Fail,
        _ => EventType::Info,
    };
    events.push(invoke);
    if draft.end < 3 {
        events.push(done);
    }
}
