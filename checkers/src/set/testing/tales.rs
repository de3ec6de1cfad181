//! Every kind of violation as it is told: a reader who has only this text must understand what is wrong.

use std::fmt::Write;

use crate::history::Status;
use crate::set::{FullOptions, SetHistory, SetOp, Violation, full, grow_only, last_read};
use crate::tale::Tale;

/// Builds a history from lines such as `0-1 add 7`, `2-3 read 7 8`, `0-1 add 7 fail`.
fn told(lines: &[&str]) -> SetHistory {
    let mut builder = SetHistory::builder();
    for (place, line) in (0..).zip(lines) {
        let mut words = line.split(' ');
        let span = words.next().expect("a span");
        let (call, ret) = span.split_once('-').expect("from-to");
        let time = |text: &str| text.parse::<u64>().expect("ms") * 1_000_000;
        let what = words.next().expect("a word");
        let arguments: Vec<&str> = words.collect();
        let status = match arguments.last() {
            Some(&"fail") => Status::Fail,
            Some(&"info") => Status::Info,
            _ => Status::Ok,
        };
        let op = SetOp::new(status, u64::from(place), place, time(call), time(ret));
        let numbers: Vec<i64> = arguments
            .iter()
            .filter_map(|word| word.parse().ok())
            .collect();
        match what {
            "add" => builder.add(op, numbers[0]),
            _ => builder.read(op, numbers),
        }
    }
    builder.finish()
}

/// The first violation, with the lines that it names.
fn tale(lines: &[&str], judge: impl Fn(&SetHistory) -> Vec<Violation>) -> String {
    let violations = judge(&told(lines));
    let violation = violations.first().expect("a violation");
    let tale = violation.tell();
    let mut text = format!("{}\n", violation.kind.name());
    for (position, &place) in tale.lets.iter().enumerate() {
        let _ = writeln!(text, "  {} = {}", Tale::letter(position), lines[place]);
    }
    for sentence in tale.then.iter().chain([&tale.however]) {
        let _ = writeln!(text, "  {sentence}");
    }
    text
}

fn strict(history: &SetHistory) -> Vec<Violation> {
    grow_only(history).violations
}

fn elements(history: &SetHistory) -> Vec<Violation> {
    full(history, FullOptions { linearizable: true }).violations
}

fn last(history: &SetHistory) -> Vec<Violation> {
    last_read(history).violations
}

#[test]
fn single_replies() {
    insta::assert_snapshot!(tale(&["0-1 add 7", "2-3 read 7 9"], strict), @r#"
    phantom
      A = 2-3 read 7 9
      Nobody ever tried to add 9.
      However, A returned 9: an element from nowhere.
    "#);
    insta::assert_snapshot!(tale(&["0-1 add 7 fail", "2-3 read 7"], strict), @r#"
    failed-add-seen
      A = 0-1 add 7 fail
      B = 2-3 read 7
      A was refused, which says that 7 was not added and never will be.
      However, B returned 7: the refusal was not true.
    "#);
    insta::assert_snapshot!(tale(&["0-1 read 7", "2-3 add 7"], elements), @r#"
    from-the-future
      A = 0-1 read 7
      B = 2-3 add 7
      A finished before B began, and B is the first attempt to add 7, so A cannot have seen 7.
      However, A returned 7: an element from the future.
    "#);
    insta::assert_snapshot!(tale(&["0-1 add 7", "2-3 read 7 7"], strict), @r#"
    duplicate
      A = 2-3 read 7 7
      A set holds 7 once or not at all.
      However, A returned 2 copies of 7.
    "#);
    insta::assert_snapshot!(tale(&["0-1 add 7", "2-3 read 7 7 7"], elements), @r#"
    duplicate
      A = 2-3 read 7 7 7
      A set holds 7 once or not at all.
      However, A returned 3 copies of 7.
    "#);
}

#[test]
fn replies_that_do_not_fit_together() {
    insta::assert_snapshot!(tale(&["0-1 add 7", "2-3 read"], strict), @r#"
    missed
      A = 0-1 add 7
      B = 2-3 read
      A added 7 and was acknowledged before B began, so B had to return 7.
      However, B did not return 7: an acknowledged element is missing.
    "#);
    insta::assert_snapshot!(tale(&["0-9 add 7 info", "2-3 read 7", "4-5 read"], strict), @r#"
    vanished
      A = 0-9 add 7 info
      B = 2-3 read 7
      C = 4-5 read
      A is the attempt to add 7.
      B returned 7 and finished before C began, so C had to return 7 as well: nothing is ever removed from this set.
      However, C did not return 7: an element that had been seen is missing.
    "#);
    let chain = ["0-9 add 2", "0-9 add 3", "1-8 read 2", "1-8 read 3"];
    insta::assert_snapshot!(tale(&chain, strict), @r#"
    not-a-chain
      A = 0-9 add 2
      B = 0-9 add 3
      C = 1-8 read 2
      D = 1-8 read 3
      C returned 2 without 3, so A took effect before B.
      D returned 3 without 2, so B took effect before A.
      However, only one of the two can be true: no order of the adds explains both reads.
    "#);
    let order = ["1-2 add 1", "3-4 add 2", "0-9 read 2"];
    insta::assert_snapshot!(tale(&order, strict), @r#"
    out-of-order
      A = 1-2 add 1
      B = 3-4 add 2
      C = 0-9 read 2
      A added 1 and was acknowledged before B, the first attempt to add 2, began, so whoever sees 2 must see 1 as well.
      However, C returned 2 without 1: an acknowledged element is missing.
    "#);
}

#[test]
fn lost_and_stale_elements() {
    insta::assert_snapshot!(tale(&["0-1 add 7", "2-3 read 7", "4-5 read"], elements), @r#"
    lost
      A = 0-1 add 7
      B = 4-5 read
      A added 7 and was acknowledged before B began, so B had to return 7.
      However, B did not return 7, and B is the last read: 7 is lost.
    "#);
    let seen = ["0-9 add 7 info", "2-3 read 7", "4-5 read"];
    insta::assert_snapshot!(tale(&seen, elements), @r#"
    lost
      A = 0-9 add 7 info
      B = 2-3 read 7
      C = 4-5 read
      A is the attempt to add 7.
      B returned 7 and finished before C began, so C had to return 7 as well.
      However, C did not return 7, and C is the last read: 7 is lost.
    "#);
    insta::assert_snapshot!(tale(&["0-1 add 7", "4-5 read", "6-7 read 7"], elements), @r#"
    stale
      A = 0-1 add 7
      B = 4-5 read
      C = 6-7 read 7
      A added 7 and was acknowledged before B began, so B had to return 7.
      However, B did not return 7. It was not lost: C, which began later, returned it. But it was still missing 3.000 ms after it was known.
    "#);
    let seen = ["0-9 add 7 info", "2-3 read 7", "4-5 read", "6-7 read 7"];
    insta::assert_snapshot!(tale(&seen, elements), @r#"
    stale
      A = 0-9 add 7 info
      B = 2-3 read 7
      C = 4-5 read
      D = 6-7 read 7
      A is the attempt to add 7.
      B returned 7 and finished before C began, so C had to return 7 as well.
      However, C did not return 7. It was not lost: D, which began later, returned it. But it was still missing 1.000 ms after it was known.
    "#);
    insta::assert_snapshot!(tale(&["0-1 add 7", "2-3 read"], last), @r#"
    lost
      A = 0-1 add 7
      B = 2-3 read
      A added 7 and was acknowledged before B began, so B had to return 7.
      However, B did not return 7, and B is the last read: 7 is lost.
    "#);
}

/// The whole result, as it stands in a report.
#[test]
fn a_result_in_full() {
    let lines = [
        "0-1 add 1",
        "0-9 add 2 info",
        "0-1 add 3 fail",
        "2-3 add 4",
        "4-5 read 2 3 9 9",
        "6-7 read 1 2",
    ];
    let result = full(&told(&lines), FullOptions::default());
    let json = serde_json::to_value(&result).expect("JSON");
    let mut text = String::new();
    for (field, value) in json.as_object().expect("an object") {
        let _ = writeln!(text, "{field}: {value}");
    }
    insta::assert_snapshot!(text, @r#"
    added-again-count: 0
    attempt-count: 4
    duplicated: [{"element":9,"times":2}]
    duplicated-count: 1
    failed-add-seen: [3]
    failed-add-seen-count: 1
    from-the-future: []
    from-the-future-count: 0
    jepsen-would-say: null
    lost: [3,4]
    lost-count: 2
    lost-latencies: {"0":0,"0.5":0,"0.95":0,"0.99":0,"1":0}
    lost-latencies-ns: {"0":0,"0.5":0,"0.95":0,"0.99":0,"1":0}
    never-read: []
    never-read-count: 0
    read-count: 2
    stable-count: 2
    stable-latencies: {"0":0,"0.5":3,"0.95":3,"0.99":3,"1":3}
    stable-latencies-ns: {"0":0,"0.5":3000001,"0.95":3000001,"0.99":3000001,"1":3000001}
    stale: [1]
    stale-count: 1
    unexpected: [9]
    unexpected-count: 1
    valid: false
    violations: [{"amount":0,"at-ns":4000000,"elements":[9],"kind":"phantom","operations":[4]},{"amount":2,"at-ns":4000000,"elements":[9],"kind":"duplicate","operations":[4]},{"amount":0,"at-ns":4000000,"elements":[3],"kind":"failed-add-seen","operations":[2,4]},{"amount":3000000,"at-ns":6000000,"elements":[4],"kind":"lost","operations":[3,5]},{"amount":1000000,"at-ns":6000000,"elements":[3],"kind":"lost","operations":[2,4,5]}]
    worst-stale: [{"element":1,"known":0,"last-absent":4,"stable-latency":3,"stable-latency-ns":3000001}]
    "#);
}
