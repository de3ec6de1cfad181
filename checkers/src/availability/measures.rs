//! How operations ended during each fault and outside all of them, and the longest times without a success.
//!
//! Numbers for the report. They convict nobody: under a fault, refusals are what a quorum is for.

use crate::finding::Finding;
use crate::history::{Function, History, Nanos, Operation, Status};
use crate::witness::Amount;

/// Outcomes of one kind of operation, by the times at which they were asked for and answered.
#[derive(Default)]
struct Spans {
    calls: Vec<Nanos>,
    ends: Vec<Nanos>,
}

impl Spans {
    fn sort(&mut self) {
        self.calls.sort_unstable();
        self.ends.sort_unstable();
    }

    /// Operations that overlap a span: those that began by its end, but for those that ended before it.
    fn overlapping(&self, from: Nanos, to: Nanos) -> u64 {
        let begun = self.calls.partition_point(|&call| call <= to);
        let over = self.ends.partition_point(|&end| end < from);
        begun.saturating_sub(over) as u64
    }
}

/// Reads or writes: ok, fail and info apart.
struct Kind {
    name: &'static str,
    ok: Spans,
    fail: Spans,
    info: Spans,
}

impl Kind {
    fn of(name: &'static str, operations: &[&Operation]) -> Kind {
        let mut kind = Kind {
            name,
            ok: Spans::default(),
            fail: Spans::default(),
            info: Spans::default(),
        };
        for operation in operations {
            let spans = match operation.status {
                Status::Ok => &mut kind.ok,
                Status::Fail => &mut kind.fail,
                Status::Info => &mut kind.info,
            };
            spans.calls.push(operation.call);
            spans
                .ends
                .push(operation.completed().unwrap_or(Nanos::NEVER));
        }
        kind.ok.sort();
        kind.fail.sort();
        kind.info.sort();
        kind
    }

    fn outcomes(&self, from: Nanos, to: Nanos) -> Amount {
        Amount::Outcomes {
            ok: self.ok.overlapping(from, to),
            fail: self.fail.overlapping(from, to),
            info: self.info.overlapping(from, to),
        }
    }
}

pub(super) fn measure(history: &History, finding: &mut Finding) {
    let of_clients = || {
        history
            .operations
            .iter()
            .filter(|operation| operation.f != Function::Census)
    };
    let (writes, reads): (Vec<&Operation>, Vec<&Operation>) =
        of_clients().partition(|operation| operation.is_write());
    let end = of_clients().filter_map(Operation::completed).max();
    let start = of_clients().map(|operation| operation.call).min();
    let (Some(start), Some(end)) = (start, end) else {
        return;
    };
    let bands = bands(history);
    for (name, operations) in [("reads", reads), ("writes", writes)] {
        let kind = Kind::of(name, &operations);
        let calm: Vec<&Operation> = operations
            .into_iter()
            .filter(|operation| !touches(&bands, operation))
            .collect();
        let calm = Kind::of(name, &calm);
        finding.measure(kind.name, kind.outcomes(Nanos(0), Nanos::NEVER));
        finding.measure(
            format!("{name} outside faults"),
            calm.outcomes(Nanos(0), Nanos::NEVER),
        );
        let gaps = Gaps::of(&kind.ok.ends, start, end);
        finding.measure(format!("longest gap of {name}"), gaps.longest(start, end));
        for fault in history.faults.iter().filter(|fault| fault.may_have_taken()) {
            let (from, to) = fault.span();
            let label = format!("{name} during {} ({})", fault.id, fault.kind.as_str());
            finding.measure(label.clone(), kind.outcomes(from, to));
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
