//! Lost updates: what clients added to a set that they had read, and that is not there in the end.
//!
//! A write adds what its value holds and its context does not, and takes out what its context holds and its value does not; a context of
//! several values is their union, as the client united them. What is there in the end is what any replica holds, united, as the
//! census found it. The counts are those of the sets tests of 2013 (`set/read_modify_write.rs` has the same of one read of a client),
//! and beside the loss stands what last-write-wins alone explains: of c writes from the same version, one survives at most.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::{History, Index, Nanos, Value, Versions};
use crate::missing::{INCOMPLETE, NO_SET};
use crate::set::{Contention, EightLines};
use crate::statistics::Rate;
use crate::witness::{Amount, Anomaly, Part};

use super::cast::{Cast, Words};
use super::keys::{Key, Keys, siblings};

/// The judge of [`Guarantee::NoLostUpdates`].
#[derive(Clone, Copy, Debug)]
pub(super) struct LostUpdate;

/// The name of the classic lines.
const EIGHT_LINES: &str = "what became of the sets";
/// The name of what explains the loss.
const CONTENTION: &str = "writes from the same version";

/// Elements of a set.
type Elements = BTreeSet<i64>;

/// What a write did to the set that it had read.
struct Change {
    write: u32,
    added: Elements,
    taken: Elements,
}

/// What became of the sets of all keys.
#[derive(Default)]
struct Sums {
    lines: EightLines,
    /// Elements that an acknowledged write took out.
    taken: u64,
    /// Those of them that are there in the end.
    resurfaced: u64,
    contention: Contention,
}

impl Checker for LostUpdate {
    fn guarantee(&self) -> Guarantee {
        Guarantee::NoLostUpdates
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "acknowledged additions");
        let keys = Keys::get(history, index);
        let held = keys.all.iter().any(|key| !key.census.is_empty());
        let mut sums = Sums::default();
        for key in &keys.all {
            if let Some(why) = key.unreadable {
                finding.skip(why);
                continue;
            }
            if !key.is_complete {
                if held {
                    finding.skip(INCOMPLETE);
                }
                continue;
            }
            let (Some(changes), Some(left)) = (changes(history, key), left(history, key)) else {
                finding.skip(NO_SET);
                continue;
            };
            for (element, change) in sums.add(history, key, &changes, &left) {
                finding.see(key.write(change.write).call, || {
                    tell(history, key, element, change, &changes)
                });
            }
        }
        finding.judged = sums.lines.acknowledged;
        sums.measure(&mut finding);
        finding
    }
}

impl Sums {
    /// Counts a key; the elements that are lost, with the writes that added them.
    fn add<'a>(
        &mut self,
        history: &History,
        key: &Key,
        changes: &'a [Change],
        left: &Elements,
    ) -> Vec<(i64, &'a Change)> {
        let mut taken: BTreeMap<i64, bool> = BTreeMap::new();
        let happened = changes
            .iter()
            .filter(|change| key.write(change.write).may_be());
        for change in happened {
            let is_acked = key.write(change.write).is_acked();
            for &element in &change.taken {
                *taken.entry(element).or_default() |= is_acked;
            }
        }
        let surely = taken.iter().filter(|(_, is_acked)| **is_acked);
        for (element, _) in surely {
            self.taken += 1;
            self.resurfaced += u64::from(left.contains(element));
        }
        self.count_versions(history, key, changes);
        // An element that several writes added counts once, and as acknowledged if one of them is.
        let mut added: BTreeMap<i64, &Change> = BTreeMap::new();
        for change in changes {
            let is_acked = key.write(change.write).is_acked();
            for &element in &change.added {
                let first = added.entry(element).or_insert(change);
                if is_acked && !key.write(first.write).is_acked() {
                    *first = change;
                }
            }
        }
        let mut lost = Vec::new();
        for (element, change) in added {
            self.lines.total += 1;
            let is_left = left.contains(&element);
            self.lines.survivors += u64::from(is_left);
            if !key.write(change.write).is_acked() {
                self.lines.found += u64::from(is_left);
                continue;
            }
            self.lines.acknowledged += 1;
            if !is_left && !taken.contains_key(&element) {
                self.lines.lost += 1;
                let has_read = !key.write(change.write).is_blind;
                self.contention.lost += u64::from(has_read);
                lost.push((element, change));
            }
        }
        lost
    }

    /// How many acknowledged additions started from how many versions.
    fn count_versions(&mut self, history: &History, key: &Key, changes: &[Change]) {
        let mut versions: BTreeSet<String> = BTreeSet::new();
        for change in changes.iter().filter(|change| !change.added.is_empty()) {
            let write = key.write(change.write);
            let context = history.operations[write.operation].context();
            let (true, Some(context)) = (write.is_acked(), context) else {
                continue;
            };
            self.contention.additions += change.added.len() as u64;
            let names: Vec<String> = context.iter().map(Value::to_string).collect();
            versions.insert(names.join(" "));
        }
        self.contention.versions += versions.len() as u64;
    }

    fn measure(&self, finding: &mut Finding) {
        let lines = self.lines;
        if self.taken == 0 && lines.total > 0 {
            finding.measure(EIGHT_LINES, Amount::EightLines(lines));
        }
        if lines.acknowledged > 0 {
            let rate = Rate::new(lines.lost, lines.acknowledged);
            finding.measure("loss", Amount::Rate(rate));
        }
        if self.contention.versions > 0 {
            finding.measure(CONTENTION, Amount::Contention(self.contention));
        }
        if self.taken > 0 {
            let rate = Rate::new(self.resurfaced, self.taken);
            finding.measure("taken out and there again", Amount::Rate(rate));
        }
    }
}

/// What each write of a key did; none if something that was written is no set.
fn changes(history: &History, key: &Key) -> Option<Vec<Change>> {
    let writes = (0..).zip(&key.writes);
    let each = writes.map(|(at, write)| {
        let operation = &history.operations[write.operation];
        let value = set(&operation.value)?;
        let mut context = Elements::new();
        for value in operation.context().unwrap_or_default() {
            context.extend(set(value)?);
        }
        Some(Change {
            write: at,
            added: value.difference(&context).copied().collect(),
            taken: context.difference(&value).copied().collect(),
        })
    });
    each.collect()
}

/// What any replica holds in the end; none if that is no set.
fn left(history: &History, key: &Key) -> Option<Elements> {
    let mut left = Elements::new();
    for read in &key.census {
        let value = &history.operations[read.operation].value;
        match history.header.versions {
            Versions::Lww => left.extend(set(value)?),
            Versions::Dvv => {
                for sibling in siblings(value)? {
                    left.extend(set(&sibling)?);
                }
            }
        }
    }
    Some(left)
}

/// The elements of a set; nothing is the empty one.
fn set(value: &Value) -> Option<Elements> {
    match value {
        Value::Nil => Some(Elements::new()),
        Value::Int(_) => None,
        Value::Json(json) => {
            let elements = json.as_array()?.iter();
            elements.map(serde_json::Value::as_i64).collect()
        }
    }
}

fn tell(
    history: &History,
    key: &Key,
    element: i64,
    change: &Change,
    changes: &[Change],
) -> Anomaly {
    let (add, adder) = (change.write, key.write(change.write));
    // Whoever wrote next without it is the one who wrote over it, if versions are kept by their stamps.
    let without = changes.iter().filter(|other| {
        let write = key.write(other.write);
        let value = set(&history.operations[write.operation].value).unwrap_or_default();
        write.is_acked() && write.ret > adder.call && !value.contains(&element)
    });
    let over = without.min_by_key(|other| (key.write(other.write).ret, other.write));
    let mut cast = Cast::new(history, key).write(Part::Newer, add);
    if let Some(over) = over {
        cast = cast.write(Part::Older, over.write);
    }
    let cast = cast.census();
    let a = cast.of(add);
    let mut then = vec![format!(
        "{a} added {element} to what its client had read, and was acknowledged; nobody took it out."
    )];
    if let Some(over) = over {
        then.push(format!(
            "{} ended after {a} had begun, and wrote a set without it: its client had not read {element}.",
            cast.of(over.write)
        ));
    }
    let however = format!("However, in the census no replica holds {element}: it is lost.");
    let words = Words { then, however };
    let at: Nanos = adder.call;
    cast.anomaly(Guarantee::NoLostUpdates, at, Vec::new(), words)
}
