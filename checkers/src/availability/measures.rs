//! How operations ended during each fault and outside all of them, and the longest times without a success.
//!
//! Numbers for the report. They convict nobody: under a fault, refusals are what a quorum is for.

use crate::finding::Finding;
use crate::history::{Function, History, Nanos, Operation, Status};
use crate::statistics::Rate;
use crate::witness::Amount;

/// Outcomes of one kind of operation, by the times at which they were asked for and answered, both in order.
#[derive(Default)]
struct Spans {
    calls: Vec<Nanos>,
    ends: Vec<Nanos>,
    /// Those that no fault touched.
    calm: u64,
}

impl Spans {
    /// Operations that overlap a span: those that began by its end, but for those that ended before it.
    fn overlapping(&self, from: Nanos, to: Nanos) -> u64 {
        let begun = self.calls.partition_point(|&call| call <= to);
        let over = self.ends.partition_point(|&end| end < from);
        begun.saturating_sub(over) as u64
    }
}

/// Reads or writes: ok, fail and info apart.
#[derive(Default)]
struct Kind {
    ok: Spans,
    fail: Spans,
    info: Spans,
}

impl Kind {
    fn spans(&mut self, status: Status) -> &mut Spans {
        match status {
            Status::Ok => &mut self.ok,
            Status::Fail => &mut self.fail,
            Status::Info => &mut self.info,
        }
    }

    /// How many of those succeeded that a fault touched, each counted once.
    fn under_fault(&self) -> Amount {
        let touched = |spans: &Spans| (spans.calls.len() as u64).saturating_sub(spans.calm);
        let ok = touched(&self.ok);
        Amount::Rate(Rate::new(
            ok,
            ok + touched(&self.fail) + touched(&self.info),
        ))
    }

    fn outcomes(&self, count: impl Fn(&Spans) -> u64) -> Amount {
        Amount::Outcomes {
            ok: count(&self.ok),
            fail: count(&self.fail),
            info: count(&self.info),
        }
    }
}

/// Reads and writes of clients, by when they began and ended.
fn kinds(history: &History, bands: &[(Nanos, Nanos)]) -> [Kind; 2] {
    let mut kinds = [Kind::default(), Kind::default()];
    let of_clients = |operation: &&Operation| operation.f != Function::Census;
    for operation in history.operations.iter().filter(of_clients) {
        let spans = kinds[usize::from(operation.is_write())].spans(operation.status);
        spans.calls.push(operation.call);
        spans.calm += u64::from(!touches(bands, operation));
    }
    let places = history.by_completion().into_iter();
    let ended = places.map(|place| &history.operations[place as usize]);
    for operation in ended.filter(of_clients) {
        let spans = kinds[usize::from(operation.is_write())].spans(operation.status);
        spans.ends.extend(operation.completed());
    }
    kinds
}

pub(super) fn measure(history: &History, finding: &mut Finding) {
    let bands = bands(history);
    let kinds = kinds(history, &bands);
    let all = || {
        kinds
            .iter()
            .flat_map(|kind| [&kind.ok, &kind.fail, &kind.info])
    };
    let start = all().filter_map(|spans| spans.calls.first()).min();
    let end = all().filter_map(|spans| spans.ends.last()).max();
    let (Some(&start), Some(&end)) = (start, end) else {
        return;
    };
    for (name, kind) in ["reads", "writes"].into_iter().zip(&kinds) {
        finding.measure(name, kind.outcomes(|spans| spans.calls.len() as u64));
        finding.measure(
            format!("{name} outside faults"),
            kind.outcomes(|spans| spans.calm),
        );
        if !bands.is_empty() {
            finding.measure(format!("{name} under fault"), kind.under_fault());
        }
        let gaps = Gaps::of(&kind.ok.ends, start, end);
        finding.measure(format!("longest gap of {name}"), gaps.longest(start, end));
        for fault in history.faults.iter().filter(|fault| fault.may_have_taken()) {
            let (from, to) = fault.span();
            let label = format!("{name} during {} ({})", fault.id, fault.kind.as_str());
            let outcomes = kind.outcomes(|spans| spans.overlapping(from, to));
            finding.measure(label.clone(), outcomes);
            let (from, to) = (from.clamp(start, end), to.clamp(start, end));
            finding.measure(format!("{label}: longest gap"), gaps.longest(from, to));
        }
    }
}

/// Spans of all faults that may have taken, merged where they overlap.
fn bands(history: &History) -> Vec<(Nanos, Nanos)> {
    let faults = history.faults.iter().filter(|fault| fault.may_have_taken());
    let mut spans: Vec<(Nanos, Nanos)> = faults.map(crate::history::FaultWindow::span).collect();
    spans.sort_unstable();
    let mut bands: Vec<(Nanos, Nanos)> = Vec::new();
    for (from, to) in spans {
        match bands.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => bands.push((from, to)),
        }
    }
    bands
}

fn touches(bands: &[(Nanos, Nanos)], operation: &Operation) -> bool {
    let end = operation.completed().unwrap_or(Nanos::NEVER);
    let at = bands.partition_point(|&(_, to)| to < operation.call);
    bands.get(at).is_some_and(|&(from, _)| from <= end)
}

/// Times between successes, with the longest of any run of them at hand: a segment tree.
struct Gaps<'a> {
    ends: &'a [Nanos],
    tree: Vec<u64>,
}

impl<'a> Gaps<'a> {
    /// Of the sorted ends of successes. Gap number i lies before success i.
    fn of(ends: &'a [Nanos], start: Nanos, end: Nanos) -> Gaps<'a> {
        let leaves = ends.len() + 1;
        let mut tree = vec![0; 2 * leaves];
        let mut before = start;
        for (leaf, &at) in tree[leaves..].iter_mut().zip(ends.iter().chain([&end])) {
            *leaf = at.since(before).0;
            before = at;
        }
        for node in (1..leaves).rev() {
            tree[node] = tree[2 * node].max(tree[2 * node + 1]);
        }
        Gaps { ends, tree }
    }

    /// The longest time without a success within a span.
    fn longest(&self, from: Nanos, to: Nanos) -> Amount {
        let first = self.ends.partition_point(|&end| end < from);
        let after = self.ends.partition_point(|&end| end <= to);
        if first >= after {
            return Amount::Ns(to.since(from).0);
        }
        let head = self.ends[first].since(from).0;
        let tail = to.since(self.ends[after - 1]).0;
        Amount::Ns(head.max(tail).max(self.between(first + 1, after)))
    }

    /// The longest of these gaps, the last one excluded.
    fn between(&self, from: usize, to: usize) -> u64 {
        let leaves = self.ends.len() + 1;
        let (mut low, mut high, mut longest) = (from + leaves, to + leaves, 0);
        while low < high {
            if low % 2 == 1 {
                longest = longest.max(self.tree[low]);
                low += 1;
            }
            if high % 2 == 1 {
                high -= 1;
                longest = longest.max(self.tree[high]);
            }
            low /= 2;
            high /= 2;
        }
        longest
    }
}
