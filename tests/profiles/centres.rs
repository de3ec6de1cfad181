//! Two data centres with three replicas each, cut apart (SEMANTICS 3.7): for every pair of levels, which side writes and reads meanwhile, and
//! whether what it reads is fresh.
//!
//! The table is transcribed. What is measured is what clients were told.

use std::collections::BTreeMap;
use std::fmt::Write;

use quorate::fault::{Cut, Fault, Link};
use quorate::plan::{Ask, Phases, Plan, PlanSpec, Scheduled, ScriptedOp, StoreSpec};
use quorate::trial::trial;
use quorate_checkers::history::{Operation, Status, Value};
use quorate_checkers::{Guarantee, History};
use quorate_node::config::Level;

/// How long the load lasts, ms.
const LASTS_MS: u64 = 1_500;
/// When the data centres are cut, ms.
const CUT_MS: u64 = 200;
/// When the old value is written, before the cut.
const OLD_MS: u64 = 50;
/// When the new value is written, ms.
const NEW_MS: u64 = 300;
/// When it is read, ms.
const READ_MS: u64 = 700;

/// A level of writes; whether it meets each level of reads, of a reader in the writer's data centre and in the other; and whether both sides
/// write while they are cut.
const TABLE: [(Level, [&str; 8], bool); 9] = [
    (Level::Any, ["--"; 8], true),
    (
        Level::One,
        ["--", "--", "--", "--", "--", "--", "--", "YY"],
        true,
    ),
    (
        Level::Two,
        ["--", "--", "--", "--", "--", "--", "--", "YY"],
        true,
    ),
    (
        Level::LocalOne,
        ["--", "--", "--", "--", "--", "--", "--", "YY"],
        true,
    ),
    (
        Level::Three,
        ["--", "--", "--", "--", "--", "YY", "YY", "YY"],
        true,
    ),
    (
        Level::LocalQuorum,
        ["--", "--", "--", "--", "Y-", "--", "YY", "YY"],
        true,
    ),
    (
        Level::Quorum,
        ["--", "--", "YY", "--", "--", "YY", "YY", "YY"],
        false,
    ),
    (
        Level::EachQuorum,
        ["--", "--", "YY", "--", "YY", "YY", "YY", "YY"],
        false,
    ),
    (Level::All, ["YY"; 8], false),
];

/// The levels of reads, and whether both sides read while they are cut.
const READS: [(Level, bool); 8] = [
    (Level::One, true),
    (Level::Two, true),
    (Level::Three, true),
    (Level::LocalOne, true),
    (Level::LocalQuorum, true),
    (Level::Quorum, false),
    (Level::EachQuorum, false),
    (Level::All, false),
];

/// The nodes of the two data centres.
const SIDES: [[u16; 3]; 2] = [[1, 3, 5], [2, 4, 6]];

/// What became of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Fresh,
    Stale,
    Refused,
}

/// One pair of levels while the data centres are cut, and after a write from the first one: whether each side wrote, and what each reads.
struct Measured {
    wrote: [bool; 2],
    read: [Told; 2],
    promised: [bool; 2],
}

/// A value is written everywhere, the data centres are cut, and then the sides write a key of their own and one reads that of the first.
fn plan(write: Level, read: Level, reader: usize) -> Plan {
    let spec = PlanSpec {
        nodes: Some(6),
        n: Some(6),
        faults: Some(vec!["none".to_owned()]),
        request_timeout: Some("250ms".to_owned()),
        op_timeout: Some("500ms".to_owned()),
        read_repair: Some("none".to_owned()),
        world: Some("sim".to_owned()),
        read_level: Some(read),
        write_level: Some(write),
        store: Some(StoreSpec {
            data_centres: Some("us:1,3,5:3 eu:2,4,6:3".to_owned()),
            hints: Some("coordinator".to_owned()),
            ..StoreSpec::default()
        }),
        ..PlanSpec::default()
    };
    let mut plan = spec.plan(1).expect("a plan that is possible");
    plan.load.clients = 3;
    plan.phases = Phases {
        warm_ms: 0,
        storm_ms: LASTS_MS,
        quiet_ms_max: 2_000,
        quiet_ms_min: 0,
    };
    let links = SIDES[0].into_iter().flat_map(|from| {
        let across = SIDES[1].into_iter();
        across.flat_map(move |to| [Link { from, to }, Link { from: to, to: from }])
    });
    let cut = Fault::Partition {
        shape: "data-centres".to_owned(),
        cut: Cut::Reset,
        links: links.collect(),
    };
    plan.timeline = vec![Scheduled {
        cue: None,
        id: "f1".to_owned(),
        at_ms: CUT_MS,
        for_ms: LASTS_MS - CUT_MS,
        fault: cut,
    }];
    let ask = |at_ms: u64, client: u64, node: u16, op: Ask, key: &str, level| ScriptedOp {
        name: None,
        after: Vec::new(),
        until: None,
        at_ns: at_ms * 1_000_000,
        client,
        node,
        op,
        key: key.to_owned(),
        level,
    };
    plan.load.script = vec![
        ask(OLD_MS, 0, 1, Ask::Write(1), "us", Some(Level::All)),
        ask(OLD_MS, 1, 2, Ask::Write(1), "eu", Some(Level::All)),
        ask(NEW_MS, 0, 1, Ask::Write(2), "us", None),
        ask(READ_MS, 2, SIDES[reader][1], Ask::Read, "us", None),
    ];
    if reader == 1 {
        // Not where the first side reads: what a pair of levels promises there is about its own writes.
        plan.load
            .script
            .push(ask(NEW_MS, 1, 2, Ask::Write(2), "eu", None));
    }
    plan.validate().expect("a plan that is possible");
    plan
}

fn measure(write: Level, read: Level) -> Measured {
    let mut measured = Measured {
        wrote: [false; 2],
        read: [Told::Refused; 2],
        promised: [false; 2],
    };
    for reader in 0..2 {
        let trial = trial(&plan(write, read, reader)).expect("a run");
        let history = &trial.history;
        let of = |key: &str, value: i64| {
            let mut all = history.operations.iter();
            all.any(|op| {
                let is_it = history.key_name(op.key) == key && op.value == Value::Int(value);
                op.is_write() && op.is_ok() && is_it
            })
        };
        measured.wrote = [of("us", 2), of("eu", 2)];
        measured.read[reader] = told(history);
        let row = trial.verdict.row(Guarantee::FreshReads).expect("judged");
        measured.promised[reader] = row.promise.promised;
        assert!(
            !row.promise.promised || row.finding.seen == 0,
            "{write} {read}"
        );
        let availability = trial.verdict.row(Guarantee::Availability).expect("judged");
        assert_eq!(availability.finding.seen, 0, "{write} {read}");
    }
    measured
}

/// What the only read was told.
fn told(history: &History) -> Told {
    let is_read = |op: &&Operation| op.f == quorate_checkers::history::Function::Read;
    let read = history
        .operations
        .iter()
        .find(is_read)
        .expect("it was asked");
    match (read.status, &read.value) {
        (Status::Ok, Value::Int(2)) => Told::Fresh,
        (Status::Ok, _) => Told::Stale,
        _ => Told::Refused,
    }
}

#[test]
fn two_data_centres_that_are_cut_do_what_the_table_says() {
    let mut text = String::from(
        "two data centres of three replicas, cut; the writer is in the first: which side writes, and what a reader in the first/second \
         is told of what was acknowledged\n",
    );
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for (write, row, both_write) in TABLE {
        let mut line = format!("{:<13}", write.to_string());
        for ((read, both_read), cell) in READS.into_iter().zip(row) {
            let measured = measure(write, read);
            assert_eq!(measured.wrote, [both_write; 2], "{write}");
            let mut cells = Vec::new();
            for (reader, expected) in cell.chars().enumerate() {
                let told = measured.read[reader];
                let pair = format!("{write} / {read}, reader on side {reader}");
                assert_eq!(told != Told::Refused, both_read, "{pair}");
                let word = match (measured.wrote[0], told) {
                    (_, Told::Refused) => "refused",
                    // What was refused need not be read.
                    (false, _) => "nothing to miss",
                    (true, Told::Fresh) => "fresh",
                    (true, Told::Stale) => "stale",
                };
                assert!(expected != 'Y' || word != "stale", "{pair}");
                // The other side cannot have got it.
                assert!(word != "fresh" || reader == 0, "{pair}");
                *counts.entry(word).or_default() += 1;
                // Both were acknowledged, and the pair was promised just where the table says so.
                if both_write && both_read {
                    assert_eq!(measured.promised[reader], expected == 'Y', "{pair}");
                }
                cells.push(word);
            }
            let _ = write!(line, " {read}: {}", cells.join("/"));
        }
        let sides = if both_write { "both sides" } else { "neither" };
        let _ = writeln!(text, "{line}  writes: {sides}");
    }
    println!("{text}{counts:?}");
    assert!(
        counts["fresh"] > 0 && counts["stale"] > 0 && counts["refused"] > 0,
        "{counts:?}"
    );
}

/// A level that is not met by the other need not be met in the writer's own data centre either: what its neighbours are told is late.
#[test]
fn a_low_level_may_be_missed_next_door() {
    for (write, read, stale) in [
        (Level::One, Level::One, true),
        (Level::LocalOne, Level::LocalQuorum, true),
        (Level::LocalQuorum, Level::LocalOne, true),
        (Level::LocalQuorum, Level::LocalQuorum, false),
    ] {
        let mut plan = plan(write, read, 0);
        // The first two replicas that acknowledge are the coordinator's own and its neighbour's; the reader asks the third.
        let late = |from: u16, to: u16, at_ms: u64| Scheduled {
            cue: None,
            id: format!("late{from}{to}"),
            at_ms,
            for_ms: LASTS_MS - at_ms,
            fault: Fault::Slow {
                links: vec![Link { from, to }],
                delay_ms: 230,
                jitter_ms: 0,
            },
        };
        plan.timeline.push(late(1, 3, CUT_MS + 50));
        if write != Level::LocalQuorum {
            plan.timeline.push(late(1, 5, CUT_MS + 50));
        }
        plan.timeline.push(late(3, 1, CUT_MS + 50));
        let last = plan.load.script.last_mut().expect("a read");
        last.at_ns = (NEW_MS + 20) * 1_000_000;
        let trial = trial(&plan).expect("a run");
        let expected = if stale { Told::Stale } else { Told::Fresh };
        assert_eq!(told(&trial.history), expected, "{write} {read}");
        let row = trial.verdict.row(Guarantee::FreshReads).expect("judged");
        assert_eq!(
            (row.finding.seen > 0, row.promise.promised),
            (stale, !stale)
        );
    }
}
