//! Brute-force twins: every checker once more, straight from its definition, with no index, no sweep and no sorting.
//!
//! Slow on purpose and written apart from the checkers. They agree on how much was judged and how much was seen.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::linear;
use super::random::{Drawn, any_history, thin_history};
use crate::availability::Availability;
use crate::finding::Checker;
use crate::guarantee::Guarantee;
use crate::history::{
    FaultKind, FaultWindow, Function, History, Index, KeyId, Nanos, Operation, Status, Value,
};
use crate::verdict::checkers;
use crate::witness::Part;

/// How much was judged, how much was seen, and whether something was skipped.
pub(super) type Tally = (u64, u64, bool);

/// One key of a history, seen operation by operation.
struct Key<'a> {
    history: &'a History,
    ops: Vec<&'a Operation>,
}

impl<'a> Key<'a> {
    fn all(history: &'a History) -> Vec<Key<'a>> {
        (0..history.keys.len())
            .map(|key| Key {
                history,
                ops: history
                    .operations
                    .iter()
                    .filter(|op| op.key.0 as usize == key)
                    .collect(),
            })
            .collect()
    }

    fn of(&self, f: Function) -> Vec<&'a Operation> {
        self.ops.iter().copied().filter(|op| op.f == f).collect()
    }

    fn mapped(&self) -> bool {
        let writes = self.of(Function::Write);
        writes.iter().all(|a| {
            matches!(a.value, Value::Int(_))
                && writes.iter().filter(|b| a.value == b.value).count() == 1
        })
    }

    fn acked(&self) -> Vec<&'a Operation> {
        self.ops
            .iter()
            .copied()
            .filter(|op| op.is_write() && op.is_ok())
            .collect()
    }

    fn writer(&self, read: &Operation) -> Option<&'a Operation> {
        self.of(Function::Write)
            .into_iter()
            .find(|write| write.value == read.value)
    }

    fn ok_reads(&self) -> Vec<&'a Operation> {
        self.of(Function::Read)
            .into_iter()
            .filter(|read| read.is_ok())
            .collect()
    }

    /// The last ok answer of each replica.
    fn census(&self) -> Vec<&'a Operation> {
        let census: Vec<&Operation> = self
            .of(Function::Census)
            .into_iter()
            .filter(|op| op.is_ok() && op.node().is_some())
            .collect();
        let last = |op: &&Operation| {
            census
                .iter()
                .all(|other| other.node() != op.node() || other.invoke_index() <= op.invoke_index())
        };
        census.iter().copied().filter(last).collect()
    }

    fn sound(&self, read: &Operation) -> bool {
        read.value == Value::Nil
            || self
                .writer(read)
                .is_some_and(|w| w.status != Status::Fail && w.call <= read.ret)
    }

    fn sound_reads(&self) -> Vec<&'a Operation> {
        self.ok_reads()
            .into_iter()
            .filter(|read| self.sound(read))
            .collect()
    }

    /// f of what was read: -1 for the initial value.
    fn f(&self, read: &Operation) -> i128 {
        if read.value == Value::Nil {
            let deletes = self.of(Function::Delete);
            let candidates = deletes
                .iter()
                .filter(|d| d.status != Status::Fail && d.call <= read.ret);
            return candidates.map(|d| i128::from(d.ret.0)).max().unwrap_or(-1);
        }
        if !self.sound(read) {
            return i128::from(u64::MAX);
        }
        let reads = self.sound_reads();
        let same = reads.iter().filter(|other| other.value == read.value);
        let write = self.writer(read).map(|write| write.ret.0);
        same.map(|other| other.ret.0)
            .chain(write)
            .min()
            .map_or(-1, i128::from)
    }

    fn complete(&self) -> bool {
        let nodes: BTreeSet<_> = self.census().iter().map(|op| op.node()).collect();
        !nodes.is_empty() && nodes.len() >= self.history.header.quorum.n as usize
    }

    fn survivors_f(&self) -> i128 {
        self.census()
            .iter()
            .map(|answer| self.f(answer))
            .max()
            .unwrap_or(-1)
    }

    fn gone(&self) -> Vec<&'a Operation> {
        let f = self.survivors_f();
        self.acked()
            .into_iter()
            .filter(|w| i128::from(w.call.0) > f)
            .collect()
    }

    fn skewed(&self) -> bool {
        self.history.faults.iter().any(|fault| {
            fault.kind == FaultKind::Clock
                && fault.may_have_taken()
                && fault.offsets_ns.iter().any(|&ns| ns != 0)
        })
    }

    fn clock_loss(&self, gone: &Operation) -> bool {
        let deletes = self
            .of(Function::Delete)
            .iter()
            .any(|d| d.status != Status::Fail);
        let older = self.census().iter().any(|answer| match answer.value {
            Value::Nil => deletes,
            _ => self.sound(answer),
        });
        let end = self
            .census()
            .iter()
            .map(|op| op.ret)
            .max()
            .unwrap_or_default();
        let killed = self.history.faults.iter().any(|fault| {
            fault.kind == FaultKind::Kill
                && fault.may_have_taken()
                && fault.injected <= end
                && fault.healed.unwrap_or(Nanos::NEVER) >= gone.call
        });
        let shown = self.sound_reads().iter().any(|read| match gone.f {
            Function::Delete => read.value == Value::Nil && read.ret >= gone.call,
            _ => read.value == gone.value,
        });
        older && (self.skewed() || (!killed && !shown))
    }

    fn stale_by<'b>(&'b self, read: &'b Operation) -> impl Iterator<Item = &'a Operation> + 'b {
        self.acked()
            .into_iter()
            .filter(move |w| self.f(read) < i128::from(w.call.0) && w.ret < read.call)
    }

    fn inverted(&self, read: &Operation) -> bool {
        let reads = self.sound_reads();
        let older = reads.iter().any(|a| {
            a.ret < read.call
                && a.value != read.value
                && self
                    .writer(a)
                    .is_some_and(|w| self.f(read) < i128::from(w.call.0))
        });
        let flip = read.value != Value::Nil
            && reads.iter().any(|a| {
                a.value != read.value
                    && a.ret < read.call
                    && reads
                        .iter()
                        .any(|b| b.value == read.value && b.ret < a.call)
            });
        (older && !self.skewed()) || flip
    }

    fn resurrected(&self, read: &Operation) -> bool {
        read.value != Value::Nil
            && self
                .stale_by(read)
                .any(|d| d.f == Function::Delete && self.last_word(d, |w| w.ret < read.call))
    }

    fn last_word(&self, delete: &Operation, counts: impl Fn(&Operation) -> bool) -> bool {
        self.acked()
            .into_iter()
            .filter(|w| counts(w))
            .all(|w| w.call < delete.call || (w.f == Function::Delete && w.call == delete.call))
    }
}

/// What the twin of one checker counts.
pub(super) fn tally(history: &History, guarantee: Guarantee) -> Tally {
    if guarantee == Guarantee::Availability {
        return availability(history);
    }
    if guarantee == Guarantee::Linearizability {
        return linear::tally(history);
    }
    if let Some(tally) = super::sessions::tally(history, guarantee) {
        return tally;
    }
    let keys = Key::all(history);
    let by_census = matches!(
        guarantee,
        Guarantee::NoLostWrites
            | Guarantee::NoClockLoss
            | Guarantee::NoConcurrentLoss
            | Guarantee::NoResurrection
            | Guarantee::Convergence
    );
    let has_census = keys.iter().any(|key| !key.census().is_empty());
    let (mut judged, mut seen, mut skipped) = (0, 0, false);
    for key in &keys {
        if guarantee != Guarantee::Convergence && !key.mapped() {
            skipped = true;
            continue;
        }
        skipped |= by_census && has_census && !key.complete();
        let (more_judged, more_seen) = tally_key(key, guarantee);
        judged += more_judged;
        seen += more_seen;
    }
    (judged as u64, seen as u64, skipped)
}

fn tally_key(key: &Key<'_>, guarantee: Guarantee) -> (usize, usize) {
    let all_reads = || key.ok_reads().into_iter().chain(key.census());
    let reads = key.sound_reads();
    let acked = key.acked();
    let count = |test: &dyn Fn(&Operation) -> bool| reads.iter().filter(|read| test(read)).count();
    match guarantee {
        Guarantee::NoPhantoms => {
            let phantom = |read: &&Operation| {
                read.value != Value::Nil
                    && key
                        .writer(read)
                        .is_none_or(|w| w.status != Status::Fail && w.call > read.ret)
            };
            (all_reads().count(), all_reads().filter(phantom).count())
        }
        Guarantee::NoFailedWrites => {
            let failed = |read: &&Operation| {
                read.value != Value::Nil
                    && key.writer(read).is_some_and(|w| w.status == Status::Fail)
            };
            (all_reads().count(), all_reads().filter(failed).count())
        }
        Guarantee::FreshReads => (
            count(&|read| acked.iter().any(|w| w.ret < read.call)),
            count(&|read| key.stale_by(read).next().is_some()),
        ),
        Guarantee::NoInversion => (
            count(&|read| reads.iter().any(|other| other.ret < read.call)),
            count(&|read| key.inverted(read)),
        ),
        Guarantee::NoResurrection => {
            let deletes = || acked.iter().filter(|w| w.f == Function::Delete);
            let judged = count(&|read| deletes().any(|d| d.ret < read.call));
            let seen = count(&|read| key.resurrected(read));
            if !key.complete() {
                return (judged, seen);
            }
            let gone = key.gone();
            let back = gone
                .iter()
                .any(|d| d.f == Function::Delete && key.last_word(d, |_| true));
            (
                judged + usize::from(deletes().next().is_some()),
                seen + usize::from(back),
            )
        }
        _ if !key.complete() => (0, 0),
        Guarantee::NoLostWrites => (
            acked.len(),
            usize::from(key.gone().iter().any(|w| !key.clock_loss(w))),
        ),
        Guarantee::NoClockLoss => (
            acked
                .iter()
                .filter(|w| acked.iter().any(|v| v.ret < w.call))
                .count(),
            key.gone().iter().filter(|w| key.clock_loss(w)).count(),
        ),
        Guarantee::NoConcurrentLoss => concurrent_loss(key),
        Guarantee::Convergence => {
            let census = key.census();
            let differs = census
                .iter()
                .any(|a| census.iter().any(|b| a.value != b.value));
            (1, usize::from(differs))
        }
        _ => unreachable!("judged apart"),
    }
}

fn concurrent_loss(key: &Key<'_>) -> (usize, usize) {
    let (acked, census) = (key.acked(), key.census());
    if census.iter().any(|answer| !key.sound(answer)) {
        return (0, 0);
    }
    let unreplaced: Vec<_> = acked
        .iter()
        .filter(|w| {
            let later =
                |op: &&Operation| op.is_write() && op.status != Status::Fail && w.ret < op.call;
            !key.ops.iter().copied().any(|op| later(&op))
        })
        .collect();
    let survives = |w: &Operation| {
        census.iter().any(|answer| match w.f {
            Function::Delete => answer.value == Value::Nil,
            _ => answer.value == w.value,
        })
    };
    let dropped = unreplaced
        .iter()
        .filter(|w| !survives(w) && i128::from(w.call.0) <= key.survivors_f())
        .count();
    (unreplaced.len(), dropped)
}

/// Whether a fault impairs a node, or the link between two, at a moment.
fn impaired(history: &History, time: Nanos, a: &str, b: Option<&str>) -> bool {
    history.faults.iter().any(|fault| {
        let took = fault.may_have_taken() && fault.injected <= time;
        if took && b.is_none() && fault.gone.iter().any(|gone| gone == a) {
            return true;
        }
        let active = fault.may_have_taken()
            && fault.injected <= time
            && fault
                .healed
                .is_none_or(|healed| time.0 < healed.0 + 1_000_000_000);
        active
            && match (&fault.kind, b) {
                (FaultKind::Kill | FaultKind::Pause, None) => fault.nodes.iter().any(|n| n == a),
                (FaultKind::Ring, None) => true,
                (FaultKind::Partition | FaultKind::Slow | FaultKind::Lossy, Some(b)) => fault
                    .links
                    .iter()
                    .any(|(from, to)| (from == a && to == b) || (from == b && to == a)),
                _ => false,
            }
    })
}

/// In which interval an operation is eligible.
fn eligible(history: &History, op: &Operation) -> Option<usize> {
    let changes: BTreeSet<Nanos> = history
        .faults
        .iter()
        .filter(|fault| fault.may_have_taken() && fault.kind != FaultKind::Clock)
        .flat_map(|fault: &FaultWindow| {
            let over = fault.healed.map(|healed| Nanos(healed.0 + 1_000_000_000));
            let known = fault.effect.map(|(known, _)| known);
            [Some(fault.injected), known, fault.heal_began, over]
                .into_iter()
                .flatten()
        })
        .collect();
    let interval = |time: Nanos| changes.iter().filter(|&&change| change <= time).count();
    let (end, node) = (op.completed()?, history.node_name(op.node()?));
    if op.f == Function::Census
        || interval(op.call) != interval(end)
        || impaired(history, op.call, node, None)
    {
        return None;
    }
    let quorum = history.header.quorum;
    let configured = if op.is_write() { quorum.w } else { quorum.r };
    let level = op
        .level()
        .map_or(Some(configured), crate::history::Level::count)?;
    let unreachable = history.nodes.iter().filter(|other| {
        *other != node
            && (impaired(history, op.call, other, None)
                || impaired(history, op.call, node, Some(other)))
    });
    (unreachable.count() as u64 + u64::from(level) <= u64::from(quorum.n))
        .then(|| interval(op.call))
}

fn availability(history: &History) -> Tally {
    let all: Vec<(usize, &Operation)> = history
        .operations
        .iter()
        .filter_map(|op| Some((eligible(history, op)?, op)))
        .collect();
    let enough = |ops: &[&Operation], min: usize| {
        let calls = ops.iter().map(|op| op.call.0);
        let spread = calls.clone().max().unwrap_or(0) - calls.min().unwrap_or(0);
        ops.len() >= min && spread >= 300_000_000 && !ops.iter().any(|op| op.is_ok())
    };
    let places: BTreeSet<usize> = all.iter().map(|(place, _)| *place).collect();
    let mut seen = 0;
    for place in places {
        let here: Vec<&Operation> = all
            .iter()
            .filter(|(other, _)| *other == place)
            .map(|(_, op)| *op)
            .collect();
        if !here.iter().any(|op| op.is_ok()) {
            seen += u64::from(enough(&here, 20));
            continue;
        }
        for writes in [false, true] {
            let of_kind: Vec<&Operation> = here
                .iter()
                .copied()
                .filter(|op| op.is_write() == writes)
                .collect();
            let keys = 0..u32::try_from(history.keys.len()).expect("few keys");
            let lacking = keys.filter(|key| {
                let of_key = of_kind.iter().copied().filter(|op| op.key == KeyId(*key));
                enough(&of_key.collect::<Vec<_>>(), 5)
            });
            seen += match lacking.count() as u64 {
                0 => u64::from(enough(&of_kind, 20)),
                keys => keys,
            };
        }
    }
    (all.len() as u64, seen, false)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_checker_agrees_with_its_twin(drawn in any_history()) {
        let Drawn(history) = drawn;
        let index = Index::of(&history);
        for checker in checkers() {
            let finding = checker.check(&history, &index);
            let found = (finding.judged, finding.seen, !finding.skipped.is_empty());
            prop_assert_eq!(found, tally(&history, checker.guarantee()), "{}", checker.guarantee());
            prop_assert_eq!(finding.anomalies.len() as u64, finding.seen.min(20));
        }
    }

    /// Of what fails, no key alone may have enough.
    #[test]
    fn availability_agrees_with_its_twin_on_many_keys(drawn in thin_history()) {
        let Drawn(history) = drawn;
        let finding = Availability.check(&history, &Index::of(&history));
        let found = (finding.judged, finding.seen, !finding.skipped.is_empty());
        prop_assert_eq!(found, availability(&history));
    }
}

/// Of many keys, both kinds of finding are drawn: for one key, and for all that is read or written.
#[test]
fn thin_histories_show_both_kinds_of_unavailability() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut of_one, mut of_all) = (0, 0);
    for _ in 0..1000 {
        let tree = thin_history().new_tree(&mut runner).expect("a history");
        let Drawn(history) = tree.current();
        for anomaly in Availability.check(&history, &Index::of(&history)).anomalies {
            let some_succeeded = anomaly.witness.role(Part::Success).is_some();
            match anomaly.key {
                Some(_) => of_one += 1,
                None => of_all += u32::from(some_succeeded),
            }
        }
    }
    assert!(of_one > 0 && of_all > 0, "{of_one} and {of_all}");
}

/// A twin that never sees anything would agree with a checker that never does.
#[test]
fn random_histories_show_every_anomaly() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let judged = checkers().into_iter().map(Checker::guarantee);
    let mut missing: BTreeSet<Guarantee> = judged.collect();
    for _ in 0..4000 {
        let tree = any_history().new_tree(&mut runner).expect("a history");
        let Drawn(history) = tree.current();
        let index = Index::of(&history);
        for checker in checkers() {
            if checker.check(&history, &index).seen > 0 {
                missing.remove(&checker.guarantee());
            }
        }
    }
    assert_eq!(missing, BTreeSet::new());
}
