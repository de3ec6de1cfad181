//! Keys whose reads return several values, and whose writes say what they had read: who wrote what was read, and who replaced whom.
//!
//! A write *replaces* the values of its context, and whatever those had replaced. That is all that is known of the order of versions here:
//! no stamps, and of clocks only that of the clients. It judges nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::finding::Finding;
use crate::history::index::KeyIndex;
use crate::history::{
    Function, Header, History, Index, KeyId, Nanos, Operation, Status, Value, Versions,
};
use crate::missing;

use super::sweep::{Sweep, Touching};

/// A write or delete of a key. Places of writes are those in [`Key::writes`].
#[derive(Clone, Debug)]
pub(super) struct Write {
    /// Its place in [`History::operations`].
    pub(super) operation: usize,
    pub(super) process: u64,
    pub(super) call: Nanos,
    pub(super) ret: Nanos,
    pub(super) status: Status,
    pub(super) is_delete: bool,
    /// Whether it said nothing of what it had read.
    pub(super) is_blind: bool,
    /// The writes of the values that it had read.
    pub(super) context: Vec<u32>,
    /// The writes that had read its value.
    pub(super) replaced_by: Vec<u32>,
}

impl Write {
    pub(super) fn is_acked(&self) -> bool {
        self.status == Status::Ok
    }

    /// Whether it is an acknowledged delete that replaced something: one whose work can be undone.
    pub(super) fn is_burial(&self) -> bool {
        self.is_delete && self.is_acked() && !self.context.is_empty()
    }

    /// Whether it may have happened.
    pub(super) fn may_be(&self) -> bool {
        self.status != Status::Fail
    }
}

/// One of the values that a read returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Found {
    /// Of a write that may have happened.
    Written(u32),
    /// Of a write that was refused.
    Refused(u32),
    /// Of a write that had not begun when the read ended.
    Future(u32),
    /// Nobody wrote it.
    Nobody,
}

/// An ok read, or the last ok answer of a replica in the census.
#[derive(Clone, Debug)]
pub(super) struct Read {
    /// Its place in [`History::operations`].
    pub(super) operation: usize,
    pub(super) process: u64,
    pub(super) call: Nanos,
    pub(super) ret: Nanos,
    /// In the order of the list that it returned.
    pub(super) found: Vec<Found>,
}

impl Read {
    /// The writes behind its values, as far as the order of events explains them.
    pub(super) fn writes(&self) -> impl Iterator<Item = u32> + '_ {
        self.found.iter().filter_map(|found| match found {
            Found::Written(at) => Some(*at),
            _ => None,
        })
    }

    /// Whether the order of events explains everything in it.
    pub(super) fn is_sound(&self) -> bool {
        self.found
            .iter()
            .all(|found| matches!(found, Found::Written(_)))
    }

    pub(super) fn shows(&self, write: u32) -> bool {
        self.found.contains(&Found::Written(write))
    }
}

/// All that happened to one key.
#[derive(Clone, Debug, Default)]
pub(super) struct Key {
    pub(super) id: u32,
    /// In the order of their invocations, refused ones included.
    pub(super) writes: Vec<Write>,
    /// In the order of their invocations.
    pub(super) reads: Vec<Read>,
    /// One per replica that answered.
    pub(super) census: Vec<Read>,
    /// Whether every replica answered.
    pub(super) is_complete: bool,
    /// When the first acknowledged write ended.
    pub(super) first_ack: Option<Nanos>,
    /// When the first acknowledged delete ended that replaced something.
    pub(super) first_burial: Option<Nanos>,
    /// The first acknowledged write of each process, by its place in the history.
    pub(super) own_ack: BTreeMap<u64, usize>,
    /// The first sound read of each process, likewise.
    pub(super) own_read: BTreeMap<u64, usize>,
    /// When the first sound read ended.
    pub(super) first_read: Option<Nanos>,
    /// Why nothing can be said of it, if so.
    pub(super) unreadable: Option<&'static str>,
    /// Whether a value was written twice, so that nobody knows which write was read.
    pub(super) is_ambiguous: bool,
}

impl Key {
    pub(super) fn write(&self, at: u32) -> &Write {
        &self.writes[at as usize]
    }

    /// Why its reads cannot be mapped to its writes, if they cannot.
    pub(super) fn unmapped(&self) -> Option<&'static str> {
        let twice = self.is_ambiguous.then_some(missing::WRITTEN_TWICE);
        self.unreadable.or(twice)
    }

    /// Visits everything that writes replaced, in any number of steps, unless `enter` says not to go on from there.
    pub(super) fn walk(&self, from: &[u32], mut enter: impl FnMut(u32) -> bool) {
        let direct = from.iter().flat_map(|&at| &self.write(at).context);
        let mut open: Vec<u32> = direct.copied().collect();
        while let Some(at) = open.pop() {
            if enter(at) {
                open.extend(&self.write(at).context);
            }
        }
    }

    /// The writes by way of which `newer` replaced `older`, the oldest first, without the two; none if it did not. Nobody reads a value
    /// before somebody asks for it to be written, so whatever is between the two was asked for between them.
    pub(super) fn path(&self, newer: u32, older: u32) -> Option<Vec<u32>> {
        let last = self.write(newer).call;
        let way = self.climb(older, |at| at == newer, |at| self.write(at).call <= last);
        way.map(|(_, way)| way)
    }

    /// Whether `newer` replaced `older`, in any number of steps.
    pub(super) fn replaced(&self, newer: u32, older: u32) -> bool {
        self.path(newer, older).is_some()
    }

    /// Whether a read shows a write, something that replaced it, or may owe its absence to a delete that had begun when the read ended.
    pub(super) fn explains(&self, read: &Read, write: u32) -> bool {
        let is_there = |at: u32| {
            let here = self.write(at);
            read.shows(at) || here.is_delete && here.may_be() && here.call <= read.ret
        };
        let begun = |at: u32| self.write(at).call <= read.ret;
        read.shows(write) || self.climb(write, is_there, begun).is_some()
    }

    /// The first of some writes that replaced one, if any did.
    pub(super) fn replaced_by_any(&self, older: u32, newer: &BTreeSet<u32>) -> Option<u32> {
        let found = self.climb(older, |at| newer.contains(&at), |_| true);
        found.map(|(newer, _)| newer)
    }

    /// One that is wanted of those that replaced a write, by the fewest steps, and the way to it without the two.
    fn climb(
        &self,
        from: u32,
        is_wanted: impl Fn(u32) -> bool,
        may_enter: impl Fn(u32) -> bool,
    ) -> Option<(u32, Vec<u32>)> {
        let mut came_from = BTreeMap::from([(from, from)]);
        let mut open = VecDeque::from([from]);
        while let Some(at) = open.pop_front() {
            for &next in &self.write(at).replaced_by {
                if came_from.contains_key(&next) || !may_enter(next) {
                    continue;
                }
                if is_wanted(next) {
                    let back = std::iter::successors(Some(at), |at| came_from.get(at).copied());
                    let mut way: Vec<u32> = back.take_while(|&at| at != from).collect();
                    way.reverse();
                    return Some((next, way));
                }
                came_from.insert(next, at);
                open.push_back(next);
            }
        }
        None
    }

    /// What a delete replaced and a read returns nevertheless.
    pub(super) fn brought_back(&self, delete: u32, read: &Read) -> Option<u32> {
        read.writes().find(|&at| self.replaced(delete, at))
    }

    /// The read that returned a write, and was the first of those to end.
    pub(super) fn first_shown(&self, write: u32) -> Option<&Read> {
        let reads = self.reads.iter().filter(|read| read.shows(write));
        reads.min_by_key(|read| read.ret)
    }

    /// When a write was in effect at the latest: by its own end, or by that of the first read that returned it.
    pub(super) fn in_effect(&self, write: u32) -> Nanos {
        let shown = self
            .first_shown(write)
            .map_or(Nanos::NEVER, |read| read.ret);
        shown.min(self.write(write).ret)
    }
}

impl Key {
    /// Acknowledged writes that the census leaves no room for, if it can be explained: no replica holds them or anything that replaced them,
    /// and no delete may have. Of a delete, that every replica holds some of what it replaced.
    pub(super) fn gone(&self) -> impl Iterator<Item = u32> + '_ {
        let is_known = self.is_complete && self.census.iter().all(Read::is_sound);
        let mut there = vec![!is_known; self.writes.len()];
        let held = self.census.iter().flat_map(Read::writes);
        let deletes = (0..).zip(&self.writes);
        let deletes = deletes.filter(|(_, write)| write.is_delete && write.may_be());
        let from: Vec<u32> = held.chain(deletes.map(|(at, _)| at)).collect();
        self.walk(&from, |at| {
            !std::mem::replace(&mut there[at as usize], true)
        });
        for at in from {
            there[at as usize] = true;
        }
        (0..).zip(&self.writes).filter_map(move |(at, write)| {
            let is_gone = if write.is_delete {
                let is_undone = |read: &Read| self.brought_back(at, read).is_some();
                is_known && self.census.iter().all(is_undone)
            } else {
                !there[at as usize]
            };
            (write.is_acked() && is_gone).then_some(at)
        })
    }

    /// When the first question of the census was asked.
    pub(super) fn census_call(&self) -> Nanos {
        let calls = self.census.iter().map(|read| read.call);
        calls.min().unwrap_or_default()
    }

    /// When the last answer of the census came.
    pub(super) fn census_ret(&self) -> Nanos {
        let rets = self.census.iter().map(|read| read.ret);
        rets.max().unwrap_or_default()
    }
}

/// All keys of a history.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    /// In the order of [`History::keys`].
    pub(super) all: Vec<Key>,
    /// What is wrong with the reads of each, if they map to its writes: by real time, and by what sessions may know.
    sweeps: Vec<(Sweep, Sweep)>,
}

impl Keys {
    fn of(history: &History, index: &Index) -> Keys {
        let mut parts = vec![(Vec::new(), Vec::new()); history.keys.len()];
        for (at, operation) in history.operations.iter().enumerate() {
            let (writes, reads) = &mut parts[operation.key.0 as usize];
            match (operation.f, operation.status) {
                (Function::Write | Function::Delete, _) => writes.push(at),
                (Function::Read, Status::Ok) => reads.push(at),
                _ => {}
            }
        }
        let all = (0..).zip(parts).zip(&index.keys);
        let all = all.map(|((id, (writes, reads)), views)| {
            let mut key = Key::of(history, &writes, &reads, views);
            key.id = id;
            if history.is_foreign(KeyId(id)) {
                key.unreadable = Some(missing::OTHER_KIND);
            }
            key
        });
        let all: Vec<Key> = all.collect();
        let sweeps = all.iter().map(|key| match key.unmapped() {
            None => (
                Sweep::of(key, Touching::Concurrent),
                Sweep::of(key, Touching::Ordered),
            ),
            Some(_) => (Sweep::default(), Sweep::default()),
        });
        Keys {
            sweeps: sweeps.collect(),
            all,
        }
    }

    /// The keys of a history; found once.
    pub(super) fn get<'a>(history: &History, index: &'a Index) -> &'a Keys {
        index.multivalue.get_or_init(|| Keys::of(history, index))
    }

    /// Counts the keys whose reads cannot be mapped to their writes.
    pub(super) fn skip_unmapped(&self, finding: &mut Finding) {
        for why in self.all.iter().filter_map(Key::unmapped) {
            finding.skip(why);
        }
    }

    /// The keys whose reads map to their writes, with what is wrong with the reads by real time.
    pub(super) fn mapped(&self) -> impl Iterator<Item = (&Key, &Sweep)> {
        let all = self.all.iter().zip(&self.sweeps);
        let mapped = all.filter(|(key, _)| key.unmapped().is_none());
        mapped.map(|(key, (sweep, _))| (key, sweep))
    }

    /// The same, with what may be wrong for sessions, in which operations that touch are one after the other.
    pub(super) fn mapped_for_sessions(&self) -> impl Iterator<Item = (&Key, &Sweep)> {
        let all = self.all.iter().zip(&self.sweeps);
        let mapped = all.filter(|(key, _)| key.unmapped().is_none());
        mapped.map(|(key, (_, sweep))| (key, sweep))
    }
}

/// What a value is known by: two spellings of one value are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Int(i64),
    Text(String),
}

impl Name {
    fn of(value: &Value) -> Option<Name> {
        match value {
            Value::Nil => None,
            Value::Int(value) => Some(Name::Int(*value)),
            Value::Json(value) => Some(Name::Text(value.to_string())),
        }
    }
}

/// The writes of each value.
type Writers = BTreeMap<Name, Vec<u32>>;

impl Key {
    fn of(history: &History, writes: &[usize], reads: &[usize], views: &KeyIndex) -> Key {
        let mut key = Key {
            writes: writes
                .iter()
                .map(|&at| write(at, &history.operations[at]))
                .collect(),
            is_complete: crate::census::is_complete(history, views),
            ..Key::default()
        };
        let mut by_value = Writers::new();
        for (place, &at) in (0..).zip(writes) {
            let operation = &history.operations[at];
            if operation.f == Function::Delete {
                continue;
            }
            match Name::of(&operation.value) {
                Some(name) => by_value.entry(name).or_default().push(place),
                None => key.unreadable = Some(missing::NOTHING_WRITTEN),
            }
        }
        key.is_ambiguous = by_value.values().any(|writes| writes.len() > 1);
        key.link(history, &by_value);
        let census = views
            .census
            .iter()
            .map(crate::history::index::Read::operation);
        let census: Vec<usize> = census.collect();
        key.reads = key.read_all(history, reads, &by_value);
        key.census = key.read_all(history, &census, &by_value);
        key.note_firsts();
        key
    }

    /// Notes what must have come before a read for it to be judged.
    fn note_firsts(&mut self) {
        let acked = || self.writes.iter().filter(|write| write.is_acked());
        self.first_ack = acked().map(|write| write.ret).min();
        let burials = acked().filter(|write| write.is_burial());
        self.first_burial = burials.map(|write| write.ret).min();
        let mut own_ack = BTreeMap::new();
        for write in acked() {
            own_ack.entry(write.process).or_insert(write.operation);
        }
        self.own_ack = own_ack;
        for read in self.reads.iter().filter(|read| read.is_sound()) {
            self.own_read.entry(read.process).or_insert(read.operation);
            let first = self.first_read.get_or_insert(read.ret);
            *first = read.ret.min(*first);
        }
    }

    /// Notes who replaced whom. What a context names and nobody wrote, or not yet, is a phantom of the read that it came from.
    fn link(&mut self, history: &History, by_value: &Writers) {
        for place in 0..self.writes.len() {
            let operation = &history.operations[self.writes[place].operation];
            let names = operation.context().unwrap_or_default().iter();
            let known = names.filter_map(Name::of).filter_map(|name| {
                let begun = by_value.get(&name)?.iter().copied();
                begun
                    .filter(|&at| at as usize != place && self.write(at).call <= operation.call)
                    .min()
            });
            let mut context: Vec<u32> = known.collect();
            context.sort_unstable();
            context.dedup();
            let by = u32::try_from(place).unwrap_or(u32::MAX);
            for &at in &context {
                self.writes[at as usize].replaced_by.push(by);
            }
            self.writes[place].context = context;
        }
    }

    fn read_all(&mut self, history: &History, places: &[usize], by_value: &Writers) -> Vec<Read> {
        let mut reads = Vec::with_capacity(places.len());
        for &at in places {
            let operation = &history.operations[at];
            let Some(values) = returned(&history.header, &operation.value) else {
                self.unreadable = Some(missing::NO_LIST);
                continue;
            };
            let found = values
                .iter()
                .map(|name| self.found(by_value, name, operation.ret));
            reads.push(Read {
                operation: at,
                process: operation.process,
                call: operation.call,
                ret: operation.ret,
                found: found.collect(),
            });
        }
        reads
    }

    /// The write behind a value; of several the one that explains it best, which can hide an anomaly but never invent one.
    fn found(&self, by_value: &Writers, name: &Name, ret: Nanos) -> Found {
        let candidates = by_value.get(name).into_iter().flatten();
        let each = candidates.map(|&at| match self.write(at).status {
            Status::Fail => Found::Refused(at),
            _ if self.write(at).call > ret => Found::Future(at),
            _ => Found::Written(at),
        });
        each.min().unwrap_or(Found::Nobody)
    }
}

fn write(at: usize, operation: &Operation) -> Write {
    Write {
        operation: at,
        process: operation.process,
        call: operation.call,
        ret: operation.ret,
        status: operation.status,
        is_delete: operation.f == Function::Delete,
        is_blind: operation.context().is_none(),
        context: Vec::new(),
        replaced_by: Vec::new(),
    }
}

/// The values that a read returned; none if it returned what no such store returns.
fn returned(header: &Header, value: &Value) -> Option<Vec<Name>> {
    match (header.versions, value) {
        (_, Value::Nil) => Some(Vec::new()),
        (Versions::Lww, value) => Name::of(value).map(|name| vec![name]),
        (Versions::Dvv, _) => {
            let siblings = siblings(value)?;
            siblings.iter().map(Name::of).collect()
        }
    }
}

/// The values in a list of siblings; none if it is no list.
pub(crate) fn siblings(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Nil => Some(Vec::new()),
        Value::Json(json) => Some(json.as_array()?.iter().map(Value::from).collect()),
        Value::Int(_) => None,
    }
}
