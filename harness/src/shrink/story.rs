//! `STORY.md`: what a shrunk run is, in the words of somebody who tells it to a colleague.
//!
//! It tells what was asked, done and seen. What that proves is told by the explanation of the verdict, which it quotes.

use std::collections::BTreeMap;
use std::fmt::Write;

use quorate_checkers::history::operation::Status;
use quorate_checkers::history::{Function, History, Operation, Versions};
use quorate_checkers::verdict::{Row, Ruling};
use quorate_node::config::{ReadRepair, SyncPolicy};

use super::Size;
use super::scripted::{load_began, places};
use super::times::NS_PER_MS;
use crate::fault::{Cut, Fault, Link};
use crate::plan::{Ask, Plan, Scheduled, ScriptedOp, World};
use crate::report::text::grouped;
use crate::world::node_name;

/// Operations that are told one by one.
const TOLD_MAX: usize = 50;

/// A shrunk run, to be told.
pub(super) struct Story<'a> {
    /// What was carried out.
    pub(super) plan: &'a Plan,
    /// What happened.
    pub(super) history: &'a History,
    /// What that shows.
    pub(super) row: &'a Row,
    /// How large the plan was before.
    pub(super) before: Size,
    /// The run that it was shrunk from.
    pub(super) origin: &'a str,
    /// Where it is kept.
    pub(super) directory: &'a str,
}

impl Story<'_> {
    /// The text of `STORY.md`.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        self.title(&mut out);
        self.asked(&mut out);
        self.done(&mut out);
        self.seen(&mut out);
        self.again(&mut out);
        out
    }

    fn title(&self, out: &mut String) {
        let name = self.row.promise.guarantee.anomaly_name().replace('-', " ");
        let after = Size::of(self.plan);
        let (before, is_scripted) = (self.before, !self.plan.load.script.is_empty());
        let _ = writeln!(out, "# {}{}\n", name[..1].to_uppercase(), &name[1..]);
        let _ = writeln!(
            out,
            "{}, {}, {}, {}, {}: what is left of {} ({}, {}, {}, {}).{}\n",
            count(after.operations, "operation"),
            count(after.clients, "client"),
            count(after.keys, "key"),
            count(after.nodes, "node"),
            count(after.faults, "fault"),
            self.origin,
            count(before.operations, "operation"),
            count(before.clients, "client"),
            count(before.nodes, "node"),
            count(before.faults, "fault"),
            if is_scripted {
                ""
            } else {
                " The load is drawn from the seed, so the operations are those that are due."
            }
        );
        let store = &self.plan.store;
        let repair = match store.read_repair {
            ReadRepair::None => "reads repair nothing",
            ReadRepair::Async => "reads repair stale replicas after they answer",
            ReadRepair::Blocking => "reads repair stale replicas before they answer",
        };
        let sync = match store.sync {
            SyncPolicy::EachWrite => "every write is synced before it is acknowledged".to_owned(),
            SyncPolicy::EveryMs(ms) => format!("logs are synced every {ms} ms"),
        };
        let _ = writeln!(
            out,
            "The store: {}, every key on N={} of them, R={} W={}; {repair}; {sync}{}.",
            count(store.nodes.into(), "node"),
            store.n,
            store.r,
            store.w,
            match self.history.header.versions {
                Versions::Lww => "",
                Versions::Dvv => "; concurrent writes are kept as siblings",
            }
        );
        if !store.sabotage.is_empty() {
            let names: Vec<&str> = store.sabotage.iter().map(|defect| defect.name()).collect();
            let _ = writeln!(out, "Built into it on purpose: {}.", names.join(", "));
        }
        let world = match self.plan.world {
            World::Live => "real processes, so no two runs are quite the same",
            World::Sim(_) => "simulated, so it happens again in the same way every time",
        };
        let _ = writeln!(out, "It is {world}.\n");
    }

    fn asked(&self, out: &mut String) {
        let _ = writeln!(out, "## What was asked\n");
        let script = &self.plan.load.script;
        if script.is_empty() {
            let load = &self.plan.load;
            let rate = match load.rate {
                0 => "as fast as clients can".to_owned(),
                rate => format!("{} per second", count(rate, "operation")),
            };
            let _ = writeln!(out, "The workload `{}`, {rate}.\n", load.workload);
            return;
        }
        let began = load_began(self.history);
        let places = places(self.plan, self.history);
        let came: BTreeMap<usize, &Operation> = places
            .iter()
            .filter_map(|(&op, &place)| Some((place, self.history.operations.get(op)?)))
            .collect();
        let mut order: Vec<usize> = (0..script.len()).collect();
        order.sort_by_key(|&place| script[place].at_ns);
        for &place in order.iter().take(TOLD_MAX) {
            let op = came.get(&place);
            let at_ns = op.map_or(script[place].at_ns, |op| op.call.since(began).0);
            let answer = op.map_or_else(|| "it was never asked".to_owned(), |op| outcome(op));
            let _ = writeln!(out, "- {} {answer}.", request(&script[place], at_ns));
        }
        if script.len() > TOLD_MAX {
            let _ = writeln!(
                out,
                "- and {} more.",
                grouped((script.len() - TOLD_MAX) as u64)
            );
        }
        let _ = writeln!(out);
    }

    fn done(&self, out: &mut String) {
        let _ = writeln!(out, "## What was done to the cluster\n");
        if self.plan.timeline.is_empty() {
            let _ = writeln!(
                out,
                "Nothing: it happens without any fault, by how long messages and disks take.\n"
            );
            return;
        }
        for scheduled in &self.plan.timeline {
            let _ = writeln!(out, "- {}.", deed(scheduled));
        }
        let _ = writeln!(out);
    }

    fn seen(&self, out: &mut String) {
        let promise = &self.row.promise;
        let _ = writeln!(out, "## What came of it\n");
        if let Some(explanation) = self.row.explanations.first() {
            let _ = writeln!(out, "```text\n{}```\n", explanation.render());
        }
        let title = promise.guarantee.title();
        let _ = match self.row.ruling {
            Ruling::Broken => writeln!(
                out,
                "That breaks a promise: {title}, because {}.\n",
                promise.reason
            ),
            _ => writeln!(
                out,
                "No promise is broken: {title} is not promised, because {}.\n",
                promise.reason
            ),
        };
    }

    fn again(&self, out: &mut String) {
        let directory = self.directory;
        let _ = writeln!(out, "## Again\n");
        let _ = writeln!(out, "    quorate run {directory}/plan.json");
        let _ = writeln!(out, "    quorate check {directory}/history.jsonl");
    }
}

/// `1 fault`, `2 faults`, `no faults`.
fn count(number: u64, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        many => format!("{} {what}s", grouped(many)),
    }
}

/// `At 1.2 ms client 0 asks n1 to write k = 1`.
fn request(op: &ScriptedOp, at_ns: u64) -> String {
    let key = &op.key;
    let what = match op.op {
        Ask::Read => format!("for {key}"),
        Ask::Write(value) => format!("to write {key} = {value}"),
        Ask::Delete => format!("to delete {key}"),
        Ask::Inspect => format!("for its own {key}"),
        Ask::Count(counter) => format!("for its {}", counter.name()),
        Ask::Repair => "to compare itself with its peers".to_owned(),
        Ask::FindLeader(_) => "whether it leads".to_owned(),
    };
    let level = op
        .level
        .map_or_else(String::new, |level| format!(" at level {level}"));
    let (at, node) = (ms(at_ns), node_name(op.node));
    format!("At {at} client {} asks {node} {what}{level}:", op.client)
}

/// What came of an operation, after a colon.
fn outcome(op: &Operation) -> String {
    let after = op.completed().map_or_else(String::new, |at| {
        format!(" after {}", ms(at.since(op.call).0))
    });
    let why = op
        .error()
        .map_or_else(String::new, |why| format!(" ({why})"));
    match (op.f, op.status) {
        (Function::Read | Function::Census, Status::Ok) => {
            format!("the answer is {}{after}", op.value)
        }
        (_, Status::Ok) => format!("acknowledged{after}"),
        (_, Status::Fail) => format!("refused{after}{why}"),
        (_, Status::Info) => format!("the outcome is unknown{after}{why}"),
    }
}

/// What a fault does, and when.
fn deed(scheduled: &Scheduled) -> String {
    let links = |links: &[Link]| {
        let names = links
            .iter()
            .map(|link| format!("{} to {}", node_name(link.from), node_name(link.to)));
        names.collect::<Vec<_>>().join(", ")
    };
    let nodes = |nodes: &[u16]| {
        let names: Vec<String> = nodes.iter().copied().map(node_name).collect();
        names.join(", ")
    };
    let what = match &scheduled.fault {
        Fault::Kill { nodes: killed } => {
            format!("{} killed, and started again", nodes(killed))
        }
        Fault::Pause { nodes: paused } => format!("{} stopped, and let go on", nodes(paused)),
        Fault::Partition {
            cut, links: lost, ..
        } => {
            let how = match cut {
                Cut::Hold => "what is sent is held back until then",
                Cut::Reset => "what is sent is lost",
            };
            format!("nothing gets through from {}; {how}", links(lost))
        }
        Fault::Slow {
            links: late,
            delay_ms,
            jitter_ms,
        } => format!(
            "everything from {} is late by {delay_ms} to {} ms",
            links(late),
            delay_ms.saturating_add(*jitter_ms)
        ),
        Fault::Clock { offsets_ms } => {
            let clocks = offsets_ms
                .iter()
                .map(|&(node, ms)| format!("the clock of {} is off by {ms} ms", node_name(node)));
            clocks.collect::<Vec<_>>().join(", ")
        }
        Fault::Ring(_) => format!("the ring changes: {}", scheduled.fault),
    };
    let until_ms = scheduled.at_ms.saturating_add(scheduled.for_ms);
    format!(
        "{}: from {} ms to {} ms {what}",
        scheduled.id,
        grouped(scheduled.at_ms),
        grouped(until_ms)
    )
}

fn ms(ns: u64) -> String {
    let (whole, part_us) = (ns / NS_PER_MS, ns % NS_PER_MS / 1_000);
    if part_us == 0 {
        format!("{} ms", grouped(whole))
    } else {
        format!("{}.{part_us:03} ms", grouped(whole))
    }
}
