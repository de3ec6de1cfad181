//! The judges of the last read against plain set arithmetic.

use std::collections::BTreeSet;

use super::cases;
use super::random::{Rng, Shape, drafts, history};
use crate::history::Status;
use crate::set::last_read::judge;
use crate::set::read_modify_write::judge as eight_lines;
use crate::set::rule::{Rule, Rules};
use crate::set::{
    Add, Element, ElementRef, Kind, SetHistory, SetOp, Validity, intervals, last_read,
    read_modify_write,
};
use crate::statistics::Rate;

/// The rules that a judge of the last read would be wrong without.
const NEEDED: [Rule; 4] = [
    Rule::LastToReturnIsFinal,
    Rule::TooLateIsNotLost,
    Rule::LostWereKnown,
    Rule::RefusedDidNotHappen,
];

const SHAPE: Shape = Shape {
    operations: 10,
    elements: 4,
    times: 12,
    again: false,
};

fn random(seed: u64) -> SetHistory {
    let again = seed.is_multiple_of(3);
    history(&drafts(&mut Rng::new(seed), Shape { again, ..SHAPE }))
}

type Set = BTreeSet<Element>;

#[derive(Debug, Default)]
struct Expected {
    read: bool,
    attempts: Set,
    acknowledged: Set,
    ok: Set,
    lost: Set,
    recovered: Set,
    unexpected: Set,
    refused: Set,
    too_late: Set,
}

fn expected(history: &SetHistory) -> Expected {
    let named = |kept: &dyn Fn(&Add) -> bool| -> Set {
        let adds = history.adds().iter().filter(|add| kept(add));
        adds.map(|add| history.names().of(add.element)).collect()
    };
    let attempts = named(&|_| true);
    let acknowledged = named(&|add| add.status == Status::Ok);
    let Some(last) = history.reads().iter().max_by_key(|read| read.completed) else {
        let too_late = acknowledged.clone();
        return Expected {
            attempts,
            acknowledged,
            too_late,
            ..Expected::default()
        };
    };
    let there: Set = history
        .elements(last)
        .iter()
        .map(|&element| history.names().of(element))
        .collect();
    let in_time = named(&|add| add.status == Status::Ok && add.completed < last.invoked);
    let not_refused = named(&|add| add.status != Status::Fail);
    let minus = |a: &Set, b: &Set| -> Set { a.difference(b).cloned().collect() };
    let missing = minus(&acknowledged, &there);
    let ok: Set = there.intersection(&attempts).cloned().collect();
    Expected {
        read: true,
        lost: missing.intersection(&in_time).cloned().collect(),
        too_late: minus(&missing, &in_time),
        recovered: minus(&ok, &acknowledged),
        unexpected: minus(&there, &attempts),
        refused: minus(&ok, &not_refused),
        ok,
        attempts,
        acknowledged,
    }
}

fn short(set: &Set) -> String {
    intervals(&set.iter().cloned().collect::<Vec<Element>>())
}

fn validity(expected: &Expected, wrong: &[&Set]) -> Validity {
    match expected.read {
        false => Validity::Unknown,
        true if wrong.iter().all(|set| set.is_empty()) => Validity::Valid,
        true => Validity::Invalid,
    }
}

fn agrees(history: &SetHistory, rules: Rules) -> bool {
    let expected = expected(history);
    let found = judge(history, rules);
    let ours = validity(
        &expected,
        &[&expected.lost, &expected.unexpected, &expected.refused],
    );
    let theirs = validity(
        &expected,
        &[&expected.lost, &expected.unexpected, &expected.too_late],
    );
    let lists = [
        (&expected.ok, found.ok_count, &found.ok),
        (&expected.lost, found.lost_count, &found.lost),
        (&expected.recovered, found.recovered_count, &found.recovered),
        (
            &expected.unexpected,
            found.unexpected_count,
            &found.unexpected,
        ),
        (
            &expected.refused,
            found.failed_add_seen_count,
            &found.failed_add_seen,
        ),
        (&expected.too_late, found.too_late_count, &found.too_late),
    ];
    let same = |(set, count, text): &(&Set, u64, &String)| {
        set.len() as u64 == *count && short(set) == **text
    };
    found.valid == ours
        && found.jepsen_would_say.map_or(ours, |says| says.valid) == theirs
        && found.attempt_count == expected.attempts.len() as u64
        && found.acknowledged_count == expected.acknowledged.len() as u64
        && lists.iter().all(same)
}

#[test]
fn agrees_with_set_arithmetic() {
    let mut verdicts = [0; 3];
    for seed in 0..cases(20_000) {
        let history = random(seed);
        assert!(agrees(&history, Rules::ALL), "seed {seed}: {history:#?}");
        verdicts[last_read(&history).valid as usize] += 1;
    }
    println!("set: {verdicts:?} valid, invalid, unknown; 0 disagreements");
    assert!(verdicts.iter().all(|&count| count > 500), "{verdicts:?}");
}

#[test]
fn every_rule_is_needed() {
    for rule in NEEDED {
        let killed = (0..20_000).find(|&seed| !agrees(&random(seed), Rules::without(rule)));
        println!("without {rule:?}: caught by history {killed:?}");
        assert!(killed.is_some(), "nothing depends on {rule:?}");
    }
}

#[test]
fn every_violation_is_proven_by_its_operations_alone() {
    for seed in 0..2_000 {
        let history = random(seed);
        for violation in last_read(&history).violations {
            let alone = history.excerpt(&violation.operations, &violation.elements);
            assert!(
                last_read(&alone).violations.contains(&violation),
                "seed {seed}: {violation:?}"
            );
        }
    }
}

/// Whether the eight lines are those of plain set arithmetic.
fn lines_agree(history: &SetHistory, rules: Rules) -> bool {
    let (found, expected) = (eight_lines(history, rules), expected(history));
    let counts = [
        (found.total, &expected.attempts),
        (found.acknowledged, &expected.acknowledged),
        (found.survivors, &expected.ok),
        (found.acknowledged_lost, &expected.lost),
        (found.unacknowledged_found, &expected.recovered),
        (found.unexpected, &expected.unexpected),
        (found.failed_add_seen, &expected.refused),
        (found.too_late, &expected.too_late),
    ];
    let wrong = [&expected.lost, &expected.unexpected, &expected.refused];
    let shares = [
        (found.ack_rate, found.acknowledged, found.total),
        (found.loss_rate, found.acknowledged_lost, found.acknowledged),
        (
            found.unacknowledged_but_successful_rate,
            found.unacknowledged_found,
            found.total - found.acknowledged,
        ),
    ];
    found.valid == validity(&expected, &wrong)
        && counts.iter().all(|(count, set)| *count == set.len() as u64)
        && shares
            .iter()
            .all(|&(rate, seen, of)| rate == Rate::new(seen, of))
}

#[test]
fn the_eight_lines_agree_with_set_arithmetic() {
    for seed in 0..cases(5_000) {
        let history = random(seed);
        let (found, last) = (read_modify_write(&history), last_read(&history));
        assert!(lines_agree(&history, Rules::ALL), "seed {seed}: {found:?}");
        assert_eq!(
            (found.valid, &found.violations),
            (last.valid, &last.violations)
        );
    }
}

#[test]
fn the_eight_lines_need_every_rule() {
    for rule in NEEDED {
        let killed = (0..20_000).find(|&seed| !lines_agree(&random(seed), Rules::without(rule)));
        println!("eight lines without {rule:?}: caught by history {killed:?}");
        assert!(killed.is_some(), "nothing depends on {rule:?}");
    }
}

/// Ten adds, of which 0 to 7 are acknowledged; the last read has 0, 1, 2, 8 and perhaps more.
fn classic(more: &[i64]) -> SetHistory {
    let mut builder = SetHistory::builder();
    for element in 0..10_i64 {
        let status = if element < 8 {
            Status::Ok
        } else {
            Status::Info
        };
        let (place, call) = (
            u32::try_from(element).expect("small"),
            element.cast_unsigned() * 10,
        );
        builder.add(SetOp::new(status, 0, place, call, call + 5), element);
    }
    let reply = [0, 1, 2, 8].iter().chain(more).copied();
    builder.read(SetOp::new(Status::Ok, 1, 10, 200, 210), reply);
    builder.finish()
}

#[test]
fn the_eight_lines_read_as_ever() {
    let result = read_modify_write(&classic(&[]));
    let text = "10 total\n8 acknowledged\n4 survivors\n5 acknowledged writes lost\n1 unacknowledged writes found\n\
        0.8000 ack rate (95 %: 0.4902 to 0.9433)\n0.6250 loss rate (95 %: 0.3057 to 0.8632)\n\
        0.1250 unacknowledged but successful rate (1 of 2 unacknowledged, 0.5000; 95 %: 0.0945 to 0.9055)\n";
    assert_eq!(result.to_string(), text);
    assert_eq!(result.valid, Validity::Invalid);
    assert_eq!(
        read_modify_write(&SetHistory::default()).valid,
        Validity::Unknown
    );
}

#[test]
fn the_result_has_the_fields_of_jepsen() {
    let result = last_read(&classic(&[77, 77]));
    let json = serde_json::to_value(&result).expect("JSON");
    assert_eq!(json["valid"], false);
    assert_eq!(json["ok"], "#{0..2 8}");
    assert_eq!(json["lost"], "#{3..7}");
    assert_eq!(json["recovered"], "#{8}");
    assert_eq!(json["unexpected"], "#{77}");
    assert_eq!(json["duplicated"], "#{77}");
    assert_eq!(
        (&json["attempt-count"], &json["acknowledged-count"]),
        (&10.into(), &8.into())
    );
    assert_eq!(json["jepsen-would-say"], serde_json::Value::Null);
    let kinds: Vec<Kind> = result
        .violations
        .iter()
        .map(|violation| violation.kind)
        .collect();
    assert_eq!(kinds[..2], [Kind::Phantom, Kind::Lost]);
}

#[test]
fn what_nobody_read_is_unknown() {
    let mut builder = SetHistory::builder();
    builder.add(SetOp::new(Status::Ok, 0, 0, 0, 1), ElementRef::Text("a"));
    let result = last_read(&builder.finish());
    assert_eq!(
        (result.valid, result.error),
        (Validity::Unknown, Some("the set was never read"))
    );
    assert_eq!(
        (result.lost_count, result.too_late.as_str()),
        (0, "#{\"a\"}")
    );
}
