//! The streamed and the offline finding are the same: random histories both ways, and what only a stream can get wrong.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Alarm, Prover, StreamJudge, StreamReader, Streamed};
use crate::Promise;
use crate::guarantee::Guarantee;
use crate::history::{
    Event, EventType, F, Function, Header, History, Index, KeyId, Nanos, Process, Status, Value,
};
use crate::register::testing::brute;
use crate::register::violation::Kind;
use crate::register::{Action, RegisterOp, Trace, ValueId};
use crate::testing::{Drawn, any_history, draw, header};
use crate::verdict::checkers;

/// The events of clients and nemesis without the census, with values that ascend as our workloads write them.
fn streamable(history: &History) -> Vec<Event> {
    let chosen: Vec<usize> = (0..history.operations.len())
        .filter(|&at| history.operations[at].f != Function::Census)
        .collect();
    let mut events = history.excerpt_events(&chosen);
    let mut labels = BTreeMap::new();
    for event in &events {
        if let (F::Write, EventType::Invoke, Value::Int(value)) =
            (&event.f, event.kind, &event.value)
        {
            let next = i64::try_from(labels.len()).expect("few");
            labels.entry((event.key.clone(), *value)).or_insert(next);
        }
    }
    for event in &mut events {
        if let Value::Int(value) = &mut event.value {
            let label = labels.get(&(event.key.clone(), *value));
            *value = label.copied().unwrap_or(1_000_000 + *value);
        }
    }
    events
}

fn streamed(header: &Header, events: &[Event]) -> (Streamed, Vec<Alarm>) {
    let mut judge = StreamJudge::new(header);
    let mut alarms = Vec::new();
    for event in events {
        judge.push(event).expect("an event of a history");
        alarms.extend(std::iter::from_fn(|| judge.next_alarm()));
    }
    let (streamed, rest) = judge.finish();
    alarms.extend(rest);
    (streamed, alarms)
}

/// Whether a key is linearizable, by brute force; none if it has too much or deletes.
fn truth(history: &History, key: KeyId) -> Option<bool> {
    let mut ops = Vec::new();
    let mut values = vec![None];
    for operation in history.operations.iter().filter(|op| op.key == key) {
        let value = match operation.value {
            Value::Int(value) => Some(value),
            _ => None,
        };
        let id = values
            .iter()
            .position(|known| *known == value)
            .unwrap_or_else(|| {
                values.push(value);
                values.len() - 1
            });
        let id = ValueId(u32::try_from(id).expect("few"));
        let action = match operation.f {
            Function::Read if operation.is_ok() => Action::Read(id),
            Function::Write => Action::Write(id),
            Function::Delete => return None,
            Function::Read | Function::Census => continue,
        };
        ops.push(RegisterOp {
            call: operation.call.0,
            ret: operation.ret.0,
            action,
            status: operation.status,
            place: u32::try_from(ops.len()).expect("few"),
        });
    }
    (ops.len() <= 16).then(|| brute::is_linearizable(&Trace::of(ops)))
}

fn seen_offline(history: &History, index: &Index, guarantee: Guarantee) -> (u64, u64) {
    let checker = checkers().into_iter().find(|c| c.guarantee() == guarantee);
    let finding = checker.expect("a checker").check(history, index);
    (finding.judged, finding.seen)
}

fn compare(history: &History, events: &[Event]) -> Result<(), TestCaseError> {
    let (result, alarms) = streamed(&history.header, events);
    let index = Index::of(history);
    let synchronised = index.exposure.is_synchronised();
    let [phantom, failed, fresh, inversion, linearizability] = result.findings(synchronised);
    let offline = |guarantee| seen_offline(history, &index, guarantee);
    let (reads, phantoms) = offline(Guarantee::NoPhantoms);
    let (_, refused) = offline(Guarantee::NoFailedWrites);
    // A value that is refused only after it was read is a phantom while it is read.
    prop_assert_eq!(phantom.seen + failed.seen, phantoms + refused);
    prop_assert!(failed.seen <= refused);
    prop_assert_eq!((phantom.judged, failed.judged), (reads, reads));
    prop_assert_eq!((fresh.judged, fresh.seen), offline(Guarantee::FreshReads));
    let (judged, violated) = offline(Guarantee::Linearizability);
    prop_assert!(linearizability.seen <= violated);
    if linearizability.skipped.is_empty() {
        prop_assert_eq!(
            (linearizability.judged, linearizability.seen),
            (judged, violated)
        );
    }
    let (judged, inverted) = offline(Guarantee::NoInversion);
    prop_assert_eq!(inversion.judged, judged);
    prop_assert!(inversion.seen <= inverted);
    // What only a stream calls stale may be inverted as well; nothing else is missed.
    prop_assert!(inverted - inversion.seen <= fresh.seen);
    let mapped = index
        .keys
        .iter()
        .filter(|key| key.unmapped.is_none())
        .count() as u64;
    let skipped: u64 = phantom.skipped.iter().map(|skipped| skipped.count).sum();
    prop_assert_eq!(result.keys - skipped, mapped);
    let (mut right, mut wrong, mut open) = (0, 0, 0);
    for (key, _) in index.mapped() {
        match truth(history, key) {
            Some(true) => right += 1,
            Some(false) => wrong += 1,
            None => open += 1,
        }
    }
    prop_assert!((right..=right + open).contains(&result.linearizable));
    prop_assert!((wrong..=wrong + open).contains(&result.violated));
    // Alarms are what was counted, as long as no key turned out to be unfit.
    if skipped == 0 {
        let of = |kind| alarms.iter().filter(|alarm| alarm.kind == kind).count() as u64;
        prop_assert_eq!(of(Kind::Phantom), phantom.seen);
        prop_assert_eq!(of(Kind::FailedWrite), failed.seen);
        prop_assert_eq!(of(Kind::StaleRead), fresh.seen);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        option_env!("QUORATE_CASES").map_or(2_000, |cases| cases.parse().expect("a number of cases"))
    ))]

    #[test]
    fn the_streamed_and_the_offline_finding_are_the_same(Drawn(history) in any_history()) {
        let events = streamable(&history);
        let history = History::from_events(history.header.clone(), events.clone()).expect("a history");
        compare(&history, &events)?;
    }

    /// Whoever has the file can show what the stream has told, unless the proof hangs on two equal times.
    #[test]
    fn alarms_are_proved_by_a_second_look(Drawn(history) in any_history()) {
        let mut events = streamable(&history);
        for event in &mut events {
            event.time = Nanos(event.index * 1_000);
        }
        let (result, alarms) = streamed(&history.header, &events);
        prop_assume!(result.findings(true)[0].skipped.is_empty());
        let history = History::from_events(history.header.clone(), events).expect("a history");
        let synchronised = Index::of(&history).exposure.is_synchronised();
        let all: Vec<usize> = (0..history.operations.len()).collect();
        let text = history.excerpt(&all);
        for alarm in alarms.iter().filter(|alarm| alarm.guarantee(synchronised).is_some()) {
            let mut prover = Prover::new(history.header.clone(), [alarm.clone()]);
            prover.push_block(&text);
            let proofs = prover.finish();
            prop_assert!(alarm.kind == Kind::Inversion || proofs.len() == 1, "{:?}", alarm);
            for proof in proofs {
                prop_assert_eq!(proof.anomaly.at, alarm.at);
                prop_assert_eq!(proof.anomaly.key.as_ref(), Some(&alarm.key));
            }
        }
    }

    #[test]
    fn blocks_may_be_cut_anywhere(Drawn(history) in any_history(), step in 1..200_usize) {
        let all: Vec<usize> = (0..history.operations.len()).collect();
        let text = history.excerpt(&all);
        let read = |step: usize| {
            let mut reader = StreamReader::new(None);
            for block in text.chunks(step) {
                reader.push_block(block).expect("a history");
            }
            reader.finish().expect("a history")
        };
        let (whole, cut) = (read(text.len()), read(step));
        prop_assert_eq!(&whole, &cut);
        let offline = crate::verdict::judge(&history);
        prop_assert_eq!(&whole.exposure, &offline.exposure);
        let (versions, values) = (history.header.versions, history.header.values);
        let is_told = |promise: &&Promise| promise.guarantee.is_about(versions, values);
        for promise in whole.contract.promises.iter().filter(is_told) {
            prop_assert_eq!(Some(promise), offline.row(promise.guarantee).map(|row| &row.promise));
        }
    }
}

fn alarms(drawing: &str) -> Vec<(Kind, Option<i64>)> {
    let history = draw(drawing);
    let all: Vec<usize> = (0..history.operations.len()).collect();
    let (_, alarms) = streamed(&history.header, &history.excerpt_events(&all));
    alarms
        .iter()
        .map(|alarm| (alarm.kind, alarm.value))
        .collect()
}

#[test]
fn each_kind_is_told() {
    for (kind, value, drawing) in [
        (
            Kind::StaleRead,
            Some(1),
            "
            c1: |--w k 1--|   |--w k 2--|
            c2:                            |--r k 1--|",
        ),
        (
            Kind::StaleRead,
            None,
            "
            c1: |--w k 1--|
            c2:              |--r k nil--|",
        ),
        (
            Kind::StaleRead,
            Some(1),
            "
            c1: |--w k 1--|   |--d k--|
            c2:                            |--r k 1--|",
        ),
        (
            Kind::Phantom,
            Some(9),
            "
            c1: |--w k 1--|
            c2:              |--r k 9--|",
        ),
        (
            Kind::Phantom,
            Some(1),
            "
            c1:               |--w k 1--|
            c2: |--r k 1--|",
        ),
        (
            Kind::FailedWrite,
            Some(1),
            "
            c1: |--w k 1--!
            c2:              |--r k 1--|",
        ),
        (
            Kind::Inversion,
            Some(1),
            "
            c1: |--w k 1--|  |-----------w k 2-----------|
            c2:                 |--r k 2--|
            c3:                              |--r k 1--|",
        ),
    ] {
        assert_eq!(alarms(drawing), [(kind, value)], "{drawing}");
    }
}

#[test]
fn nothing_may_be_any_delete_that_has_begun() {
    assert!(
        alarms(
            "
            c1: |--w k 1--|
            c3:                |--d k--|
            c2:              |------r k nil------|"
        )
        .is_empty()
    );
    assert!(
        alarms(
            "
            c1: |--w k 1--|  |--d k--?  |--w k 2--|
            c2:                                       |--r k nil--|"
        )
        .is_empty()
    );
}

/// An alarm is told when the read returns, and not only at the end.
#[test]
fn the_alarm_comes_with_the_read() {
    let history = draw(
        "
            c1: |--w k 1--|   |--w k 2--|
            c2:                            |--r k 1--|
            c3:                                          |--r k 2--|",
    );
    let mut judge = StreamJudge::new(&history.header);
    let mut told_at = None;
    for event in history.excerpt_events(&[0, 1, 2, 3]) {
        judge.push(&event).expect("an event");
        if let Some(alarm) = judge.next_alarm() {
            told_at = Some((
                event.index,
                alarm.events.1,
                alarm.line(),
                alarm.guarantee(true),
            ));
        }
    }
    assert_eq!(told_at, Some((6, 5, 7, Some(Guarantee::FreshReads))));
}

#[test]
fn what_does_not_stream_is_undecided_and_never_kept() {
    let reasons = |drawing: &str| {
        let history = draw(drawing);
        let all: Vec<usize> = (0..history.operations.len()).collect();
        let (streamed, _) = streamed(&history.header, &history.excerpt_events(&all));
        assert_eq!((streamed.linearizable, streamed.undecided.len()), (0, 1));
        streamed.undecided[0].why
    };
    assert!(reasons("c1: |--w k 1--|  |--w k 1--|  |--r k 1--|").contains("do not ascend"));
    assert!(reasons("c1: |--w k 2--|  |--w k 1--|  |--r k 1--|").contains("do not ascend"));
    assert!(reasons("c1: |--w k 2--|  |--d k--|  |--r k nil--|").contains("deletes"));
    let mut event = draw("c1: |--w k 1--|").excerpt_events(&[0]).remove(0);
    event.f = F::from("cas");
    let (alone, _) = streamed(&header(3, 2, 2), &[event.clone()]);
    assert!(alone.undecided[0].why.contains("does not know"));
    assert_eq!((alone.linearizable, alone.foreign), (0, 1));
    // What only looks changes no key.
    let mut looks = event.clone();
    looks.f = F::Inspect;
    let (alone, _) = streamed(&header(3, 2, 2), &[looks]);
    assert_eq!((alone.undecided.len(), alone.foreign), (0, 0));
    // Without a key it may have been about any.
    let mut events = draw("c1: |--w k 1--|   |--r k 2--|").excerpt_events(&[0, 1]);
    event.key = None;
    event.index = events.len() as u64;
    event.time = Nanos(u64::MAX);
    event.process = Process::Client(9);
    events.push(event);
    let (after, _) = streamed(&header(3, 2, 2), &events);
    assert!(after.undecided[0].why.contains("does not know"));
    assert_eq!(after.violated, 0);
    assert!(after.findings(true).iter().all(|finding| finding.seen == 0));
}

/// A value of another key looks old as long as its own key has seen larger ones.
#[test]
fn a_second_look_tells_an_old_value_from_one_of_another_key() {
    let history = draw(
        "
            c1: |--w j 1--|   |--w k 2--|
            c2:                            |--r k 1--|",
    );
    let all: Vec<usize> = (0..history.operations.len()).collect();
    let text = history.excerpt(&all);
    let mut reader = StreamReader::new(None);
    reader.push_block(&text).expect("a history");
    let read = reader.finish().expect("a history");
    let seen = |proofs: &[_]| {
        let rows = read.verdict(proofs).rows;
        let of_reads = rows.iter().filter(|row| row.finding.unit == "reads");
        let seen = of_reads.filter(|row| row.finding.seen > 0);
        seen.map(|row| (row.promise.guarantee, row.explanations.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(&[]), [(Guarantee::FreshReads, 0)]);
    let mut prover = Prover::new(read.header.clone(), read.alarms.clone());
    prover.push_block(&text);
    assert_eq!(seen(&prover.finish()), [(Guarantee::NoPhantoms, 1)]);
}

/// What takes too long does not hold everything back for ever, and is not taken for right or wrong.
#[test]
fn an_operation_that_lasts_too_long_leaves_its_key_undecided() {
    let history = draw(
        "
            c1: |-w k 1-|  |-w k 2-|  |-w k 3-|  |-w k 4-|  |-w k 5-|
            c2:   |---------------------r k 1------------------------|
            c3:   |---------------------r j nil----------------------|",
    );
    let all: Vec<usize> = (0..history.operations.len()).collect();
    let events = history.excerpt_events(&all);
    let outcome = |held_max| {
        let mut judge = StreamJudge::holding(&history.header, held_max);
        for event in &events {
            judge.push(event).expect("an event");
        }
        let (streamed, _) = judge.finish();
        assert!(streamed.held_most <= held_max + 1);
        (
            streamed.linearizable,
            streamed.violated,
            streamed.undecided.len(),
        )
    };
    assert_eq!(outcome(100), (2, 0, 0));
    assert_eq!(outcome(4), (0, 0, 1));
}

#[test]
fn a_line_of_the_nemesis_is_refused_where_it_stands() {
    let history = draw("c1: |--w k 1--|");
    let mut bytes = history.excerpt(&[0]);
    bytes.extend_from_slice(
        br#"{"index":2,"time":1999999999,"type":"info","process":"nemesis","f":"kill","value":{"id":"f1","step":"half"}}"#,
    );
    bytes.push(b'\n');
    let mut reader = StreamReader::new(None);
    let refused = reader.push_block(&bytes).expect_err("no such step");
    let expected = "line 4, column 75: bad nemesis line: unknown step `half`";
    assert!(refused.to_string().starts_with(expected), "{refused}");
}

#[test]
fn what_cannot_be_the_next_event_is_refused() {
    let history = draw(
        "
            c1: |--w k 1--|   |--w k 2--|
            c2:                            |--r k 1--|",
    );
    let events = history.excerpt_events(&[0, 1, 2]);
    let refused = |change: &dyn Fn(&mut Vec<Event>)| {
        let mut events = events.clone();
        change(&mut events);
        let mut judge = StreamJudge::new(&history.header);
        let first = events.iter().find_map(|event| judge.push(event).err());
        first.expect("an error").to_string()
    };
    assert!(
        refused(&|events| events[3].index = 9)
            .contains("line 5, column 1: index 9 follows, but 3 is missing")
    );
    assert!(refused(&|events| events[3].index = 1).contains("is there twice"));
    assert!(refused(&|events| events[3].time.0 = 0).contains("line 5, column 1: time 0 is before"));
    assert!(refused(&|events| events[2].kind = EventType::Ok).contains("invoked nothing"));
    assert!(refused(&|events| events[1].kind = EventType::Invoke).contains("is not complete"));
    assert!(refused(&|events| events[1].f = F::Read).contains("another f than"));
    assert!(refused(&|events| events[1].key = Some("j".to_owned())).contains("another key than"));
    assert!(refused(&|events| events[1].value = Value::Int(8)).contains("another value than"));
    assert!(refused(&|events| events[0].key = None).contains("without a key"));
    assert_eq!(history.operations[0].status, Status::Ok);
}

#[test]
fn keys_are_counted_by_who_decided_them_and_named_where_nobody_did() {
    let history = draw(
        "
        c1: |--w a 1--|   |--w b 2--|   |--d b--|
        c2: |--r a nil--|               |--r b nil--|",
    );
    let (streamed, _) = streamed(&history.header, &streamable(&history));
    assert_eq!(
        (streamed.decided.keys, streamed.decided.operations),
        (1, 2),
        "{streamed:?}"
    );
    assert_eq!(streamed.unresolved, ["b"]);
    let [.., linearizability] = streamed.findings(true);
    assert_eq!(
        linearizability.decided,
        std::slice::from_ref(&streamed.decided)
    );
    assert_eq!(
        streamed.not_decided().as_deref(),
        Some("keys b; the whole of a saved history may tell more of them")
    );
    let calm = draw("c1: |--w a 1--|   |--r a 1--|");
    let (calm, _) = self::streamed(&calm.header, &streamable(&calm));
    assert_eq!(calm.not_decided(), None);
}
