//! Brute-force twins of the judges of siblings: straight from the definitions, by the closure of all contexts and of all
//! knowledge. No sweep, no index, nothing shared with the judges.

use std::collections::BTreeSet;

use crate::guarantee::Guarantee;
use crate::history::{FaultKind, Function, History, Nanos, Operation, Status, Value};

/// How much was judged, how much was seen, and whether something was skipped.
pub(super) type Tally = (u64, u64, bool);

/// One key, operation by operation.
struct Key<'a> {
    history: &'a History,
    ops: Vec<&'a Operation>,
    /// Which operation of the list replaced which.
    replaced: Vec<Vec<bool>>,
}

fn values(read: &Operation) -> Vec<Value> {
    match &read.value {
        Value::Json(list) => list
            .as_array()
            .map_or(Vec::new(), |list| list.iter().map(Value::from).collect()),
        _ => Vec::new(),
    }
}

fn is_list(read: &Operation) -> bool {
    match &read.value {
        Value::Nil => true,
        Value::Int(_) => false,
        Value::Json(list) => list.is_array(),
    }
}

impl<'a> Key<'a> {
    fn of(history: &'a History, key: usize) -> Key<'a> {
        let ops = history.operations.iter();
        let ops: Vec<&Operation> = ops.filter(|op| op.key.0 as usize == key).collect();
        let mut all = Key {
            history,
            replaced: vec![vec![false; ops.len()]; ops.len()],
            ops,
        };
        for a in all.writes() {
            for value in all.ops[a].context().unwrap_or_default() {
                let begun = all.writers(value).into_iter();
                let begun = begun.filter(|&b| b != a && all.ops[b].call <= all.ops[a].call);
                // Of several writers nobody knows which one it was; such keys are not judged by this.
                if let Some(b) = begun.min() {
                    all.replaced[a][b] = true;
                }
            }
        }
        for via in all.writes() {
            for a in all.writes() {
                for b in all.writes() {
                    all.replaced[a][b] |= all.replaced[a][via] && all.replaced[via][b];
                }
            }
        }
        all
    }

    fn writes(&self) -> Vec<usize> {
        let all = 0..self.ops.len();
        all.filter(|&at| self.ops[at].is_write()).collect()
    }

    fn acked(&self) -> Vec<usize> {
        let all = self.writes().into_iter();
        all.filter(|&at| self.ops[at].is_ok()).collect()
    }

    fn is_delete(&self, at: usize) -> bool {
        self.ops[at].f == Function::Delete
    }

    fn writers(&self, value: &Value) -> Vec<usize> {
        let all = self.writes().into_iter();
        all.filter(|&at| !self.is_delete(at) && self.ops[at].value == *value)
            .collect()
    }

    fn is_ambiguous(&self) -> bool {
        let mut all = self.writes().into_iter();
        all.any(|at| !self.is_delete(at) && self.writers(&self.ops[at].value).len() > 1)
    }

    fn reads(&self) -> Vec<usize> {
        let all = 0..self.ops.len();
        all.filter(|&at| self.ops[at].f == Function::Read && self.ops[at].is_ok())
            .collect()
    }

    /// The last ok answer of each replica.
    fn census(&self) -> Vec<usize> {
        let answers = |at: &usize| {
            let op = self.ops[*at];
            op.f == Function::Census && op.is_ok() && op.node().is_some()
        };
        let all: Vec<usize> = (0..self.ops.len()).filter(answers).collect();
        let is_last = |at: &usize| {
            let same = |other: &&usize| self.ops[**other].node() == self.ops[*at].node();
            all.iter().filter(same).all(|other| other <= at)
        };
        all.iter().copied().filter(is_last).collect()
    }

    fn is_complete(&self) -> bool {
        let census = self.census();
        !census.is_empty() && census.len() >= self.history.header.quorum.n as usize
    }

    /// Whether some write that was not refused had begun when the read ended.
    fn is_explained(&self, read: usize, value: &Value) -> bool {
        self.writers(value).into_iter().any(|at| {
            self.ops[at].status != Status::Fail && self.ops[at].call <= self.ops[read].ret
        })
    }

    fn is_sound(&self, read: usize) -> bool {
        let values = values(self.ops[read]);
        values.iter().all(|value| self.is_explained(read, value))
    }

    fn sound(&self) -> Vec<usize> {
        let reads = self.reads().into_iter();
        reads.filter(|&read| self.is_sound(read)).collect()
    }

    /// The writes of what a read returned.
    fn shown(&self, read: usize) -> Vec<usize> {
        let values = values(self.ops[read]);
        let sound = values.iter().filter(|value| self.is_explained(read, value));
        sound.flat_map(|value| self.writers(value)).collect()
    }

    fn before(&self, a: usize, b: usize) -> bool {
        self.ops[a].ret < self.ops[b].call
    }

    /// Whether a read owes nothing to a write: it shows it or what replaced it, or some delete may have replaced it.
    fn covers(&self, read: usize, write: usize) -> bool {
        let shown = self.shown(read);
        let deletes = self.writes().into_iter().filter(|&at| {
            self.is_delete(at)
                && self.ops[at].status != Status::Fail
                && self.ops[at].call <= self.ops[read].ret
                && self.replaced[at][write]
        });
        let mut newer = shown.iter().copied();
        newer.any(|at| at == write || self.replaced[at][write]) || deletes.count() > 0
    }

    fn brings_back(&self, read: usize, delete: usize) -> bool {
        let shown = self.shown(read);
        shown.iter().any(|&at| self.replaced[delete][at])
    }

    /// Whether a read fails a write or delete that it has to heed.
    fn fails(&self, read: usize, write: usize) -> bool {
        if self.is_delete(write) {
            self.brings_back(read, write)
        } else {
            !self.covers(read, write)
        }
    }

    fn is_stale(&self, read: usize, own: bool) -> bool {
        self.acked()
            .into_iter()
            .any(|at| self.precedes(at, read, own) && self.fails(read, at))
    }

    /// Whether one came before the other in the same session, whatever the clock says.
    fn is_own(&self, a: usize, b: usize) -> bool {
        let ended = self.ops[a].complete_index();
        self.ops[a].process == self.ops[b].process
            && ended.is_some_and(|ended| ended < self.ops[b].invoke_index())
    }

    /// Whether one came before the other, for everybody or for its session.
    fn precedes(&self, a: usize, b: usize, own: bool) -> bool {
        if own {
            self.is_own(a, b)
        } else {
            self.before(a, b)
        }
    }

    fn is_inverted(&self, read: usize, own: bool) -> bool {
        let sound = self.sound().into_iter();
        let earlier: Vec<usize> = sound.filter(|&at| self.precedes(at, read, own)).collect();
        let forgets = earlier.iter().any(|&at| {
            self.shown(at)
                .iter()
                .any(|&write| !self.covers(read, write))
        });
        let flips = self.shown(read).iter().any(|write| {
            earlier.iter().any(|&first| {
                self.shown(first).contains(write)
                    && earlier.iter().any(|&then| {
                        self.precedes(first, then, own) && !self.shown(then).contains(write)
                    })
            })
        });
        forgets || flips
    }

    fn is_burial(&self, at: usize) -> bool {
        self.is_delete(at) && self.replaced[at].contains(&true)
    }

    fn is_resurrected(&self, read: usize) -> bool {
        self.acked()
            .into_iter()
            .any(|at| self.is_delete(at) && self.before(at, read) && self.brings_back(read, at))
    }

    /// Acknowledged writes that the census leaves no room for.
    fn gone(&self) -> Vec<usize> {
        let census = self.census();
        if !census.iter().all(|&read| self.is_sound(read)) {
            return Vec::new();
        }
        let held: Vec<usize> = census.iter().flat_map(|&read| self.shown(read)).collect();
        let is_gone = |at: &usize| {
            if self.is_delete(*at) {
                return census.iter().all(|&read| self.brings_back(read, *at));
            }
            let is_newer = |newer: usize| newer == *at || self.replaced[newer][*at];
            let deleted = self.writes().into_iter().any(|delete| {
                self.is_delete(delete)
                    && self.ops[delete].status != Status::Fail
                    && self.replaced[delete][*at]
            });
            !deleted && !held.iter().any(|&newer| is_newer(newer))
        };
        self.acked().into_iter().filter(is_gone).collect()
    }

    /// Which of the three promises about the end a gone write breaks.
    fn breaks(&self, gone: usize) -> Guarantee {
        let census = self.census();
        let end = census.iter().map(|&at| self.ops[at].ret).max();
        let from = self.ops[gone].call;
        let away = self.history.faults.iter().any(|fault| {
            fault.kind == FaultKind::Kill
                && fault.may_have_taken()
                && Some(fault.injected) <= end
                && fault.healed.unwrap_or(Nanos::NEVER) >= from
        });
        let held: BTreeSet<usize> = census.iter().flat_map(|&read| self.shown(read)).collect();
        if away || held.is_empty() {
            return Guarantee::NoLostWrites;
        }
        let in_effect = |write: usize| {
            let reads = self.reads().into_iter();
            let shown = reads.filter(|&read| self.shown(read).contains(&write));
            let ends = shown.map(|read| self.ops[read].ret);
            ends.chain([self.ops[write].ret]).min().expect("its own")
        };
        let rivals = held.iter().any(|&write| in_effect(write) >= from);
        if rivals && !self.is_delete(gone) {
            Guarantee::NoConcurrentLoss
        } else {
            Guarantee::NoClockLoss
        }
    }

    fn explodes(&self, read: usize) -> bool {
        let shown = self.shown(read);
        let doubled = shown
            .iter()
            .any(|at| shown.iter().filter(|other| *other == at).count() > 1);
        let beside = shown
            .iter()
            .any(|&a| shown.iter().any(|&b| self.replaced[a][b]));
        doubled || beside
    }
}

/// Who knows of whom, over all keys.
fn knowledge(history: &History, keys: &[Key<'_>]) -> Vec<Vec<bool>> {
    let count = history.operations.len();
    let mut knows = vec![vec![false; count]; count];
    let place = |op: &Operation| {
        let mut all = history.operations.iter();
        all.position(|other| other.invoke_index() == op.invoke_index())
            .expect("it is there")
    };
    for (b, later) in history.operations.iter().enumerate() {
        for (a, earlier) in history.operations[..b].iter().enumerate() {
            knows[b][a] |= earlier.process == later.process && earlier.is_ok();
        }
    }
    for key in keys {
        for read in key.sound() {
            for write in key.shown(read) {
                knows[place(key.ops[read])][place(key.ops[write])] = true;
            }
        }
    }
    for via in 0..count {
        for a in 0..count {
            for b in 0..count {
                knows[a][b] |= knows[a][via] && knows[via][b];
            }
        }
    }
    knows
}

fn causal(history: &History, keys: &[Key<'_>]) -> (usize, usize) {
    let mapped: Vec<&Key<'_>> = keys.iter().collect();
    let knows = knowledge(history, keys);
    let place = |op: &Operation| {
        let mut all = history.operations.iter();
        all.position(|other| other.invoke_index() == op.invoke_index())
            .expect("it is there")
    };
    let (mut judged, mut seen) = (0, 0);
    for key in mapped {
        for read in key.sound() {
            judged += 1;
            let bad = key.writes().into_iter().any(|write| {
                let (r, w) = (place(key.ops[read]), place(key.ops[write]));
                let reader = key.ops[read].process;
                // What its session knew before; what came with its own values is another thing.
                let knew = history.operations[..r].iter().enumerate().any(|(at, op)| {
                    op.process == reader && op.is_ok() && (at == w || knows[at][w])
                });
                knew && key.ops[write].status != Status::Fail && key.fails(read, write)
            });
            seen += usize::from(bad);
        }
    }
    (judged, seen)
}

/// What the twin of one judge counts.
pub(super) fn tally(history: &History, guarantee: Guarantee) -> Tally {
    let keys = (0..history.keys.len()).map(|key| Key::of(history, key));
    let (mut good, mut ambiguous) = (Vec::new(), Vec::new());
    let mut skipped = false;
    for key in keys {
        let answers = key.reads().into_iter().chain(key.census());
        if !answers.into_iter().all(|at| is_list(key.ops[at])) {
            skipped = true;
        } else if key.is_ambiguous() {
            ambiguous.push(key);
        } else {
            good.push(key);
        }
    }
    let by_value = matches!(guarantee, Guarantee::NoPhantoms | Guarantee::NoFailedWrites);
    let by_census = matches!(
        guarantee,
        Guarantee::NoLostWrites
            | Guarantee::NoClockLoss
            | Guarantee::NoConcurrentLoss
            | Guarantee::NoResurrection
    );
    skipped |= !by_value && !ambiguous.is_empty();
    if guarantee == Guarantee::CausalConsistency {
        let (judged, seen) = causal(history, &good);
        return (judged as u64, seen as u64, skipped);
    }
    let held = (0..history.keys.len()).any(|key| !Key::of(history, key).census().is_empty());
    let (mut judged, mut seen) = (0, 0);
    let also = ambiguous.iter().filter(|_| by_value);
    for key in good.iter().chain(also) {
        skipped |= by_census && held && !key.is_complete();
        let (more_judged, more_seen) = tally_key(key, guarantee);
        judged += more_judged;
        seen += more_seen;
    }
    (judged as u64, seen as u64, skipped)
}

fn tally_key(key: &Key<'_>, guarantee: Guarantee) -> (usize, usize) {
    let answers: Vec<usize> = key.reads().into_iter().chain(key.census()).collect();
    let sound = key.sound();
    let acked = key.acked();
    let count =
        |all: &[usize], test: &dyn Fn(usize) -> bool| all.iter().filter(|&&at| test(at)).count();
    match guarantee {
        Guarantee::NoPhantoms => {
            let is_failed = |at: &usize| key.ops[*at].status == Status::Fail;
            let strange = |read: usize, value: &Value| {
                !key.is_explained(read, value) && !key.writers(value).iter().any(is_failed)
            };
            let bad = |read: usize| values(key.ops[read]).iter().any(|v| strange(read, v));
            (answers.len(), count(&answers, &bad))
        }
        Guarantee::NoFailedWrites => {
            let is_failed = |at: &usize| key.ops[*at].status == Status::Fail;
            let failed = |read: usize, value: &Value| {
                !key.is_explained(read, value) && key.writers(value).iter().any(is_failed)
            };
            let bad = |read: usize| values(key.ops[read]).iter().any(|v| failed(read, v));
            (answers.len(), count(&answers, &bad))
        }
        Guarantee::FreshReads
        | Guarantee::ReadYourWrites
        | Guarantee::NoInversion
        | Guarantee::MonotonicReads => ordered(key, guarantee),
        Guarantee::NoSiblingExplosion => (
            count(&answers, &|read| {
                let shown = key.shown(read);
                shown.iter().any(|&at| key.replaced[at].contains(&true)) || key.explodes(read)
            }),
            count(&answers, &|read| key.explodes(read)),
        ),
        Guarantee::NoResurrection => {
            let burials: Vec<usize> = acked
                .iter()
                .copied()
                .filter(|&at| key.is_burial(at))
                .collect();
            let judged = count(&sound, &|read| {
                burials.iter().any(|&at| key.before(at, read))
            });
            let seen = count(&sound, &|read| key.is_resurrected(read));
            if !key.is_complete() {
                return (judged, seen);
            }
            let undone = key.gone().iter().any(|&at| key.is_delete(at));
            (
                judged + usize::from(!burials.is_empty()),
                seen + usize::from(undone),
            )
        }
        _ => ending(key, guarantee),
    }
}

/// Reads that miss what came before them, for everybody or for their session.
fn ordered(key: &Key<'_>, guarantee: Guarantee) -> (usize, usize) {
    let own = matches!(
        guarantee,
        Guarantee::ReadYourWrites | Guarantee::MonotonicReads
    );
    let of_writes = matches!(guarantee, Guarantee::FreshReads | Guarantee::ReadYourWrites);
    let sound = key.sound();
    let earlier = if of_writes {
        key.acked()
    } else {
        sound.clone()
    };
    let judged = sound
        .iter()
        .filter(|&&read| earlier.iter().any(|&at| key.precedes(at, read, own)));
    let wrong = |read: &&usize| {
        if of_writes {
            key.is_stale(**read, own)
        } else {
            key.is_inverted(**read, own)
        }
    };
    (judged.count(), sound.iter().filter(wrong).count())
}

fn ending(key: &Key<'_>, guarantee: Guarantee) -> (usize, usize) {
    if !key.is_complete() {
        return (0, 0);
    }
    let acked = key.acked();
    let gone = key.gone();
    let broken = gone
        .iter()
        .filter(|&&at| key.breaks(at) == guarantee)
        .count();
    match guarantee {
        Guarantee::NoLostWrites => (acked.len(), usize::from(broken > 0)),
        Guarantee::NoClockLoss => {
            let later = acked
                .iter()
                .filter(|&&at| acked.iter().any(|&v| key.before(v, at)));
            (later.count(), broken)
        }
        Guarantee::NoConcurrentLoss => {
            let writes = acked.iter().filter(|&&at| !key.is_delete(at));
            (writes.count(), broken)
        }
        other => unreachable!("{other} is judged apart"),
    }
}
