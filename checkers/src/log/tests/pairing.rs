//! Which events make an operation, and what its argument and its result are.

use super::*;
use crate::history::Status;

fn pairs(text: &str) -> Vec<(usize, Option<usize>, Status)> {
    let operations = parse(text)
        .operations()
        .unwrap_or_else(|error| panic!("{error}"));
    operations
        .iter()
        .map(|operation| (operation.invocation, operation.completion, operation.status))
        .collect()
}

#[test]
fn completions_join_the_open_invocation_of_their_process() {
    let text = "{:process 0, :type :invoke, :f :write, :value 1}
        {:process :nemesis, :type :info, :f :start}
        {:process 1, :type :invoke, :f :read}
        {:process :watcher, :type :info, :f :note}
        {:process 0, :type :fail, :f :write, :value 1}
        {:process 0, :type :invoke, :f :write, :value 2}
        {:process 1, :type :ok, :f :read, :value 1}
        {:process 0, :type :info, :f :write}
        {:process 5, :type :invoke, :f :read}";
    assert_eq!(
        pairs(text),
        [
            (0, Some(4), Status::Fail),
            (2, Some(6), Status::Ok),
            (5, Some(7), Status::Info),
            (8, None, Status::Info)
        ]
    );
}

#[test]
fn events_without_a_process_are_of_one_and_names_are_clients() {
    let text = "{:type :invoke, :f :read} {:type :ok, :value 1}
        {:type :invoke, :process \"a\", :f :read} {:type :invoke, :process \"b\", :f :read} {:type :ok :process \"a\", :f :read}";
    assert_eq!(
        pairs(text),
        [
            (0, Some(1), Status::Ok),
            (2, Some(4), Status::Ok),
            (3, None, Status::Info)
        ]
    );
}

#[test]
fn the_invocation_says_what_was_asked_and_the_completion_what_came_of_it() {
    let log = parse(
        "{:process 0, :type :invoke, :f :add, :value 1} {:process 0, :type :info, :f :add, :value :timed-out}
         {:process 1, :type :invoke, :f :generate, :value nil} {:process 1, :type :ok, :f :generate, :value 9}",
    );
    let operations = log.operations().expect("operations");
    assert_eq!(operations[0].argument(&log), &Datum::Int(1));
    assert_eq!(operations[0].result(&log), &Datum::keyword("timed-out"));
    assert_eq!(operations[1].argument(&log), &Datum::Int(9));
}

#[test]
fn exported_completions_repeat_what_was_asked() {
    let mut log = parse(
        "{:process 0, :type :invoke, :f :add, :value 1} {:process 0, :type :info, :f :add, :value :timed-out}
         {:process 1, :type :invoke, :f :add, :value 2} {:process 1, :type :fail, :f :add, :error \"full\"}
         {:process 2, :type :invoke, :f :read} {:process 2, :type :ok, :f :read, :value [1]}",
    );
    log.repeat_arguments().expect("operations");
    assert_eq!(
        (&log.events[1].value, &log.events[1].error),
        (&Datum::Int(1), &Datum::keyword("timed-out"))
    );
    assert_eq!(
        (&log.events[3].value, &log.events[3].error),
        (&Datum::Int(2), &Datum::text("full"))
    );
    assert_eq!(log.events[5].value, value("[1]"));
}

#[test]
fn what_does_not_fit_together_is_refused_with_both_places() {
    for (text, expected) in [
        (
            "{:process 0, :type :invoke, :f :read}\n  {:process 0, :type :invoke, :f :read}",
            "line 2, column 3: process 0 invokes, but its invocation at line 1, column 1 is not complete",
        ),
        (
            "[{:process 0, :type :ok, :f :read}]",
            "line 1, column 2: process 0 completes, but invoked nothing",
        ),
        (
            "{:process :a, :type :invoke, :f :read}\n{:process :a, :type :ok, :f :write}",
            "line 2, column 1: process a completes write, but invoked read at line 1, column 1",
        ),
    ] {
        let refusal = parse(text).operations().expect_err("refused").to_string();
        assert!(refusal.starts_with(expected), "{refusal}");
    }
}
