//! Words for times, values, operations and lists. No sentences: those are in `story.rs` and `why.rs`.

use crate::history::{Function, History, Nanos, Operation, Status, Value};

/// A moment, such as `4.812s`.
pub(crate) fn moment(time: Nanos) -> String {
    if time == Nanos::NEVER {
        return "never".to_owned();
    }
    let ms = time.0 / 1_000_000;
    format!("{}.{:03}s", ms / 1000, ms % 1000)
}

/// A duration, as exact as it is short: `2.1 s`, `199 ms`, `0.250 ms`, `40 ns`.
pub(crate) fn duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..10_000_000 => format!("{}.{:03} ms", ns / 1_000_000, ns / 1_000 % 1_000),
        10_000_000..10_000_000_000 => format!("{} ms", ns / 1_000_000),
        _ => format!("{}.{} s", ns / 1_000_000_000, ns / 100_000_000 % 10),
    }
}

/// `n1`, `n1 and n2`, `n1, n2 and n3`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `it` or `them`, and so on.
pub(super) fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// The value that an operation wrote or read.
pub(crate) fn value(operation: &Operation) -> String {
    match (operation.f, &operation.value) {
        (Function::Delete, _) | (_, Value::Nil) => "nothing".to_owned(),
        (_, value) => value.to_string(),
    }
}

/// What was done, by whom, when, and how it ended.
pub(super) fn columns(history: &History, operation: &Operation) -> [String; 4] {
    let key = history.key_name(operation.key);
    let node = operation
        .node()
        .map_or("an unnamed replica", |node| history.node_name(node));
    let value = value(operation);
    let what = match (operation.f, operation.status) {
        (Function::Write, _) => format!("write {key} = {value}{}", had_read(history, operation)),
        (Function::Delete, _) => format!("delete {key}{}", had_read(history, operation)),
        (Function::Census, Status::Ok) => format!("census {key} at {node} -> {value}"),
        (Function::Census, _) => format!("census {key} at {node}"),
        (_, Status::Ok) => format!("read {key} -> {value}"),
        (..) => format!("read {key}"),
    };
    let end = match operation.completed() {
        _ if operation.ret != Nanos::NEVER => format!("to {}", moment(operation.ret)),
        Some(completed) => format!("to {}", moment(completed)),
        None => "and then no answer".to_owned(),
    };
    let ended = match operation.status {
        Status::Ok if operation.is_write() => "acknowledged".to_owned(),
        Status::Ok => String::new(),
        Status::Fail => reasoned("refused", operation),
        Status::Info => reasoned("outcome unknown", operation),
    };
    let when = format!("{} {end}", moment(operation.call));
    [what, format!("c{}", operation.process), when, ended]
}

/// What a write says that it had read. Of registers nothing is said, because nothing is asked.
fn had_read(history: &History, operation: &Operation) -> String {
    match operation.context() {
        _ if history.header.is_of_registers() => String::new(),
        None => " (blind)".to_owned(),
        Some([]) => " (had read nothing)".to_owned(),
        Some(values) => {
            let values: Vec<String> = values.iter().map(Value::to_string).collect();
            format!(" (had read {})", values.join(", "))
        }
    }
}

fn reasoned(word: &str, operation: &Operation) -> String {
    match operation.error() {
        Some(error) => format!("{word}: {error}"),
        None => word.to_owned(),
    }
}
