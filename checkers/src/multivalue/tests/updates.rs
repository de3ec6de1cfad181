//! Lost updates: against a count straight from the definition, against the judge of sets, and on drawn timelines.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::finding::Finding;
use crate::guarantee::Guarantee;
use crate::history::{
    EventType, F, Function, Header, History, Index, Nanos, Operation, Process, Status, Value,
    Values, Versions,
};
use crate::set::{Contention, EightLines, ElementRef, SetHistory, SetOp, read_modify_write};
use crate::testing::{Drawn, array, draw_with, event, header, number};
use crate::verdict::{checkers_of, judge};
use crate::witness::Amount;

type Elements = BTreeSet<i64>;

#[derive(Clone, Debug)]
struct Draft {
    /// Which of the versions written so far its client had read, by the bits; none = blind.
    read: Option<u8>,
    takes: bool,
    end: u8,
    length: u64,
}

fn draft() -> impl Strategy<Value = Draft> {
    let end = prop_oneof![8 => Just(0u8), 1 => Just(1u8), 2 => Just(2u8)];
    let read = proptest::option::weighted(0.9, 0..8u8);
    (read, proptest::bool::weighted(0.1), end, 1..4u64).prop_map(|(read, takes, end, length)| {
        Draft {
            read,
            takes,
            end,
            length,
        }
    })
}

fn as_value(set: &Elements) -> Value {
    array(set.iter().map(|&element| Value::Int(element)).collect())
}

/// A random history of one set; each client does one thing.
fn any_sets() -> impl Strategy<Value = Drawn> {
    let census = proptest::collection::vec(0..8u8, 2..=3);
    let writes = proptest::collection::vec(draft(), 0..9);
    (writes, census, any::<bool>()).prop_map(|(drafts, census, siblings)| {
        let mut events = Vec::new();
        let mut versions: Vec<Elements> = Vec::new();
        let pick = |versions: &[Elements], bits: u8| -> Vec<Elements> {
            let last = versions.iter().rev().take(3).enumerate();
            let chosen = last.filter(|(at, _)| bits >> at & 1 == 1);
            let mut chosen: Vec<Elements> = chosen.map(|(_, set)| set.clone()).collect();
            if !siblings {
                chosen.truncate(1);
            }
            chosen
        };
        let mut time = 0;
        for (place, draft) in (0_i64..).zip(&drafts) {
            let read = draft.read.map(|bits| pick(&versions, bits));
            let mut set: Elements = read.iter().flatten().flatten().copied().collect();
            if draft.takes && !set.is_empty() {
                set.pop_first();
            } else {
                set.insert(100 + place);
            }
            let who = Process::Client(place.unsigned_abs());
            let mut invoke = event(Nanos(time), EventType::Invoke, who, F::Write);
            invoke.index = events.len() as u64;
            invoke.key = Some("s".to_owned());
            invoke.value = as_value(&set);
            invoke.context = read.map(|read| read.iter().map(as_value).collect());
            let mut done = invoke.clone();
            (done.time, done.index) = (Nanos(time + draft.length), invoke.index + 1);
            done.context = None;
            done.kind = [EventType::Ok, EventType::Fail, EventType::Info][usize::from(draft.end)];
            if draft.end != 1 {
                versions.push(set);
            }
            events.extend([invoke, done]);
            time += 1;
        }
        for (place, bits) in (1..).zip(census) {
            let held = pick(&versions, bits);
            let who = Process::Client(1_000 + place);
            let mut invoke = event(Nanos(time + 10), EventType::Invoke, who, F::Census);
            invoke.index = events.len() as u64;
            invoke.key = Some("s".to_owned());
            invoke.node = Some(format!("n{place}"));
            let mut done = invoke.clone();
            (done.time, done.index, done.kind) =
                (Nanos(time + 11), invoke.index + 1, EventType::Ok);
            done.value = match (siblings, held.first()) {
                (true, _) => array(held.iter().map(as_value).collect()),
                (false, Some(set)) => as_value(set),
                (false, None) => Value::Nil,
            };
            events.extend([invoke, done]);
        }
        number(&mut events);
        let versions = if siblings {
            Versions::Dvv
        } else {
            Versions::Lww
        };
        let header = Header {
            versions,
            values: Values::Sets,
            ..header(3, 2, 2)
        };
        Drawn(History::from_events(header, events).expect("a history"))
    })
}

fn find(history: &History) -> Finding {
    let index = Index::of(history);
    let judges = checkers_of(&history.header).into_iter();
    let mut judges = judges.filter(|judge| judge.guarantee() == Guarantee::NoLostUpdates);
    let judge = judges.next().expect("sets have such a judge");
    judge.check(history, &index)
}

fn elements(value: &Value) -> Elements {
    let Value::Json(list) = value else {
        return Elements::new();
    };
    let list = list.as_array().expect("a set");
    list.iter()
        .map(|element| element.as_i64().expect("an integer"))
        .collect()
}

fn context(write: &Operation) -> Elements {
    let values = write.context().unwrap_or_default().iter();
    values.flat_map(elements).collect()
}

fn census(history: &History) -> Option<Elements> {
    let answers: Vec<&Operation> = history
        .operations
        .iter()
        .filter(|op| op.f == Function::Census)
        .collect();
    (answers.len() >= 3).then(|| {
        let held = answers.iter().flat_map(|op| history.returned(op));
        held.flat_map(|value| elements(&value)).collect()
    })
}

/// The acknowledged additions, and those of them that are lost.
fn twin(history: &History) -> (u64, u64) {
    let Some(left) = census(history) else {
        return (0, 0);
    };
    let writes: Vec<&Operation> = history
        .operations
        .iter()
        .filter(|op| op.is_write())
        .collect();
    let all: Elements = writes.iter().flat_map(|op| elements(&op.value)).collect();
    let (mut acked, mut lost) = (0, 0);
    for element in all {
        let adds = |op: &&&Operation| {
            elements(&op.value).contains(&element) && !context(op).contains(&element)
        };
        if !writes.iter().filter(adds).any(|op| op.is_ok()) {
            continue;
        }
        acked += 1;
        let taken = writes.iter().any(|op| {
            op.status != Status::Fail
                && context(op).contains(&element)
                && !elements(&op.value).contains(&element)
        });
        lost += u64::from(!taken && !left.contains(&element));
    }
    (acked, lost)
}

/// The same history as that of a set, as other tools would tell it: adds, and one read at the end.
fn as_adds(history: &History) -> Option<SetHistory> {
    let left = census(history)?;
    let mut builder = SetHistory::builder();
    for (place, op) in (0..).zip(history.operations.iter().filter(|op| op.is_write())) {
        let added: Vec<i64> = elements(&op.value)
            .difference(&context(op))
            .copied()
            .collect();
        let [element] = added.as_slice() else {
            return None;
        };
        if context(op)
            .iter()
            .any(|had| !elements(&op.value).contains(had))
        {
            return None;
        }
        let set_op = SetOp::new(op.status, op.process, place, op.call.0, op.ret.0);
        let ends = op.complete_index().unwrap_or(u64::MAX);
        builder.add(
            set_op.at(op.invoke_index(), ends),
            ElementRef::Int(*element),
        );
    }
    let last = 1 << 40;
    let read = SetOp::new(Status::Ok, 9_999, 9_999, last, last + 1).at(last, last + 1);
    builder.read(read, left.iter().map(|&element| ElementRef::Int(element)));
    Some(builder.finish())
}

fn lines(finding: &Finding) -> Option<EightLines> {
    finding
        .measures
        .iter()
        .find_map(|measure| match measure.amount {
            Amount::EightLines(lines) => Some(lines),
            _ => None,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lost_updates_are_those_of_the_definition(drawn in any_sets()) {
        let Drawn(history) = drawn;
        let finding = find(&history);
        prop_assert_eq!((finding.judged, finding.seen), twin(&history));
        for anomaly in &finding.anomalies {
            let excerpt = History::parse(&anomaly.excerpt(&history)).expect("a witness is a history");
            let again = judge(&excerpt);
            let row = again.row(Guarantee::NoLostUpdates).expect("judged again");
            prop_assert!(row.finding.anomalies.iter().any(|other| other.at == anomaly.at));
        }
    }

    #[test]
    fn the_eight_lines_are_those_of_the_judge_of_sets(drawn in any_sets()) {
        let Drawn(history) = drawn;
        if let Some(adds) = as_adds(&history) {
            let expected = read_modify_write(&adds).lines();
            let found = lines(&find(&history)).unwrap_or_default();
            prop_assert_eq!(found, expected);
        }
    }
}

fn sets(versions: Versions, drawing: &str) -> History {
    let header = Header {
        versions,
        values: Values::Sets,
        ..header(3, 2, 2)
    };
    draw_with(header, drawing)
}

/// Two clients start from the same version: one of them is lost under last-write-wins, and c is 2.
const RACE: &str = "
    c1: |--w s 1+ <--|  |--w s 1+2 <1+--|
    c2:                 |--w s 1+3 <1+--|
    n1:                                     |c s 1+3|
    n2:                                     |c s 1+3|
    n3:                                     |c s 1+3|";

#[test]
fn of_two_additions_to_one_version_last_write_wins_keeps_one() {
    let history = sets(Versions::Lww, RACE);
    let finding = find(&history);
    assert_eq!((finding.judged, finding.seen), (3, 1));
    let contention = finding
        .measures
        .iter()
        .find_map(|measure| match measure.amount {
            Amount::Contention(contention) => Some(contention),
            _ => None,
        });
    let expected = Contention {
        additions: 3,
        versions: 2,
        lost: 1,
    };
    assert_eq!(contention, Some(expected));
    let verdict = judge(&history);
    let row = verdict.row(Guarantee::NoLostUpdates).expect("it is judged");
    assert!(
        !row.promise.promised,
        "last-write-wins promises no such thing"
    );
    insta::assert_snapshot!(row.explanations[0].render());
}

#[test]
fn the_union_of_siblings_keeps_both() {
    let held = RACE.replace("c s 1+3", "c s 1+2,1+3");
    assert_eq!(find(&sets(Versions::Dvv, &held)).seen, 0);
    let verdict = judge(&sets(Versions::Dvv, RACE));
    let row = verdict.row(Guarantee::NoLostUpdates).expect("it is judged");
    assert!(row.promise.promised && row.finding.seen == 1, "{row:?}");
}

#[test]
fn what_was_taken_out_may_come_back_and_is_counted() {
    let drawing = "
        c1: |--w s 1+2 <--|  |--w s 1+ <1+2--|
        c2:                  |--w s 1+2+3 <1+2--|
        n1:                                        |c s 1+,1+2+3|
        n2:                                        |c s 1+,1+2+3|
        n3:                                        |c s 1+,1+2+3|";
    let finding = find(&sets(Versions::Dvv, drawing));
    assert_eq!((finding.judged, finding.seen), (3, 0));
    let back = finding
        .measures
        .iter()
        .find(|measure| measure.name.starts_with("taken out"));
    assert!(
        matches!(back.expect("counted").amount, Amount::Rate(rate) if (rate.seen, rate.of) == (1, 1))
    );
}
