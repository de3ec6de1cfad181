//! The history as the judges see it: operations with a span of time each, and fault windows.
//!
//! Plain data. Lines are paired into operations in `pairing.rs`; views per key are in `index.rs`.

use super::event::{Event, Evidence, F, Nanos, Value};
use super::fault::FaultWindow;
use super::header::{Header, Versions};
use super::level::{Level, LevelName};

/// A key, by its place in [`History::keys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub u32);

/// A node, by its place in [`History::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeIndex(pub u32);

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It happened, between `call` and `ret`.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// Unknown: it may happen at any time after `call`, or never. Also an operation without a completion.
    Info,
}

impl Status {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Fail => "fail",
            Status::Info => "info",
        }
    }
}

/// What a client asked of a key. A phase or another tool's word makes no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// A quorum read.
    Read,
    /// A quorum write.
    Write,
    /// A quorum delete: a write of "absent".
    Delete,
    /// A final read at one replica, by-passing the quorum.
    Census,
}

impl Function {
    /// The operation that an event is about; none for phases, faults and words of other tools.
    pub fn of(f: &F) -> Option<Function> {
        match f {
            F::Read => Some(Function::Read),
            F::Write => Some(Function::Write),
            F::Delete => Some(Function::Delete),
            F::Census => Some(Function::Census),
            F::Inspect | F::Phase | F::Other(_) => None,
        }
    }
}

impl From<Function> for F {
    fn from(function: Function) -> F {
        match function {
            Function::Read => F::Read,
            Function::Write => F::Write,
            Function::Delete => F::Delete,
            Function::Census => F::Census,
        }
    }
}

/// An index of no line, and so of no completion.
const NO_INDEX: u32 = u32::MAX;
/// A small number that is not there.
const ABSENT: u8 = u8::MAX;
/// A number that is too large for its byte, and is among the rarities.
const WIDE: u8 = u8::MAX - 1;
/// The first of the numbers that stand for levels with a name.
const NAMED: u8 = WIDE - 9;

/// The most lines that a history may have: places of lines are 32 bits wide.
pub(super) const LINES_MAX: u32 = NO_INDEX;

/// An invocation paired with its completion: a closed span of time.
///
/// A history holds millions of these, so what few of them have is kept apart, and what nodes claim is kept as text.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The logical process (client) that asked.
    pub process: u64,
    /// When it was invoked.
    pub call: Nanos,
    /// When it completed; [`Nanos::NEVER`] if that is unknown (`info`, or no completion).
    pub ret: Nanos,
    /// The value written; for ok reads the value read.
    pub value: Value,
    rare: Option<Box<Rare>>,
    /// On which key.
    pub key: KeyId,
    invoke_index: u32,
    complete_index: u32,
    /// What was asked.
    pub f: Function,
    /// How it ended.
    pub status: Status,
    node: u8,
    level: u8,
}

/// What few operations have.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rare {
    /// When the `info` was written.
    unknown_at: Option<Nanos>,
    error: Option<Box<str>>,
    /// The values that a write or delete had read.
    context: Option<Box<[Value]>>,
    /// What the nodes claim, as the JSON object that our own writer makes of it.
    claims: Option<Box<str>>,
    node: Option<NodeIndex>,
    level: Option<Level>,
}

impl Operation {
    /// An operation that has not completed.
    pub(super) fn invoked(process: u64, f: Function, key: KeyId, call: Nanos, index: u32) -> Self {
        Operation {
            process,
            call,
            ret: Nanos::NEVER,
            value: Value::Nil,
            rare: None,
            key,
            invoke_index: index,
            complete_index: NO_INDEX,
            f,
            status: Status::Info,
            node: ABSENT,
            level: ABSENT,
        }
    }

    /// Notes that it completed.
    pub(super) fn complete(&mut self, status: Status, time: Nanos, index: u32) {
        self.status = status;
        self.complete_index = index;
        if status == Status::Info {
            self.rare(|rare| rare.unknown_at = Some(time));
        } else {
            self.ret = time;
        }
    }

    /// Real-time order. Spans are closed: equal stamps are concurrent.
    pub fn precedes(&self, later: &Operation) -> bool {
        self.ret < later.call
    }

    /// Whether it happened for certain.
    pub fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// Whether it changes the key: a write or a delete.
    pub fn is_write(&self) -> bool {
        matches!(self.f, Function::Write | Function::Delete)
    }

    /// When its completion was written, whatever it said; none if the history ends before that.
    pub fn completed(&self) -> Option<Nanos> {
        match self.status {
            Status::Ok | Status::Fail => Some(self.ret),
            Status::Info => self.rare.as_ref()?.unknown_at,
        }
    }

    /// Index of its invocation in the file.
    pub fn invoke_index(&self) -> u64 {
        u64::from(self.invoke_index)
    }

    /// Index of its completion in the file; none if the history ends before that.
    pub fn complete_index(&self) -> Option<u64> {
        (self.complete_index != NO_INDEX).then_some(u64::from(self.complete_index))
    }

    /// The coordinator (for a census: the replica).
    pub fn node(&self) -> Option<NodeIndex> {
        match self.node {
            ABSENT => None,
            WIDE => self.rare.as_ref()?.node,
            small => Some(NodeIndex(u32::from(small))),
        }
    }

    /// Names the coordinator.
    pub fn set_node(&mut self, node: Option<NodeIndex>) {
        let wide;
        (self.node, wide) = narrow(node.map(|node| node.0));
        if wide.is_some() || self.rare.is_some() {
            self.rare(|rare| rare.node = wide.map(NodeIndex));
        }
    }

    /// What was asked for.
    pub fn level(&self) -> Option<Level> {
        match self.level {
            ABSENT => None,
            WIDE => self.rare.as_ref()?.level,
            named if named >= NAMED => {
                let name = LevelName::ALL.get(usize::from(named - NAMED))?;
                Some(Level::Named(*name))
            }
            small => Some(Level::Count(u32::from(small))),
        }
    }

    /// Says what was asked for.
    pub fn set_level(&mut self, level: Option<Level>) {
        let wide;
        (self.level, wide) = match level {
            None => (ABSENT, None),
            Some(Level::Count(count)) => match u8::try_from(count) {
                Ok(small) if small < NAMED => (small, None),
                _ => (WIDE, level),
            },
            Some(Level::Named(name)) => {
                let place = (NAMED..)
                    .zip(LevelName::ALL)
                    .find(|&(_, other)| other == name);
                (place.map_or(ABSENT, |(place, _)| place), None)
            }
        };
        if wide.is_some() || self.rare.is_some() {
            self.rare(|rare| rare.level = wide);
        }
    }

    /// Why it failed, or why nothing is known.
    pub fn error(&self) -> Option<&str> {
        self.rare.as_ref()?.error.as_deref()
    }

    /// Says why it failed.
    pub fn set_error(&mut self, error: Option<&str>) {
        self.rare(|rare| rare.error = error.map(Into::into));
    }

    /// The values that a write or delete had read, and so replaces; none if it is blind.
    pub fn context(&self) -> Option<&[Value]> {
        self.rare.as_ref()?.context.as_deref()
    }

    /// Says what it had read.
    pub fn set_context(&mut self, context: Option<&[Value]>) {
        if context.is_some() || self.rare.is_some() {
            self.rare(|rare| rare.context = context.map(Into::into));
        }
    }

    /// Whether the nodes claim anything.
    pub(crate) fn has_claims(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.claims.is_some())
    }

    /// What the nodes claim. It is read from its text each time: for a few operations, not for all.
    pub fn evidence(&self) -> Option<Box<Evidence>> {
        serde_json::from_str(self.rare.as_ref()?.claims.as_deref()?).ok()
    }

    /// Says what the nodes claim.
    pub fn set_evidence(&mut self, evidence: Option<&Evidence>) {
        self.set_claims(evidence.map(|evidence| evidence.to_text().into()));
    }

    /// As [`Operation::set_evidence`], of evidence as our own writer writes it.
    pub(super) fn set_claims(&mut self, claims: Option<Box<str>>) {
        self.rare(|rare| rare.claims = claims);
    }

    /// Changes the rarities, which are there only if some of them is.
    fn rare(&mut self, change: impl FnOnce(&mut Rare)) {
        let rare = self.rare.get_or_insert_default();
        change(rare);
        if **rare == Rare::default() {
            self.rare = None;
        }
    }
}

/// A number as one byte, and beside it if it is too large for that.
fn narrow(number: Option<u32>) -> (u8, Option<u32>) {
    let small = number.map_or(Ok(ABSENT), u8::try_from);
    match (small, number) {
        (_, None) => (ABSENT, None),
        (Ok(small), Some(_)) if small < WIDE => (small, None),
        (_, wide) => (WIDE, wide),
    }
}

/// A whole history.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The first line.
    pub header: Header,
    /// Names of the keys, in the order in which they were first met.
    pub keys: Vec<String>,
    /// Names of the nodes: those of the header in seat order, then any others.
    pub nodes: Vec<String>,
    /// Operations in the order of their invocations.
    pub operations: Vec<Operation>,
    /// Faults in the order of their first lines.
    pub faults: Vec<FaultWindow>,
    /// When the run entered each phase, in order.
    pub phases: Vec<(Nanos, String)>,
    /// All nemesis lines as they were, so that an excerpt can repeat them.
    pub nemesis: Vec<Event>,
    /// Client operations of other tools (another `f`): paired, not kept, judged by nobody.
    pub foreign_operations: u64,
    /// The keys that such operations were about, ascending. Nobody knows what they did there.
    pub foreign_keys: Vec<KeyId>,
    /// Whether one of them named no key, and so may have been about any.
    pub foreign_anywhere: bool,
    /// Time of the last event.
    pub end: Nanos,
    /// Whether the last line was torn and dropped: the writer was killed.
    pub torn_tail: bool,
}

impl History {
    /// A history without events.
    pub fn new(header: Header) -> History {
        History {
            nodes: header.nodes.clone(),
            header,
            keys: Vec::new(),
            operations: Vec::new(),
            faults: Vec::new(),
            phases: Vec::new(),
            nemesis: Vec::new(),
            foreign_operations: 0,
            foreign_keys: Vec::new(),
            foreign_anywhere: false,
            end: Nanos(0),
            torn_tail: false,
        }
    }

    /// Whether operations that no judge knows may have changed a key, so that a value there may come from them.
    pub fn is_foreign(&self, key: KeyId) -> bool {
        self.foreign_anywhere || self.foreign_keys.binary_search(&key).is_ok()
    }

    /// Places of the operations that completed, in the order of their completions.
    pub(crate) fn by_completion(&self) -> Vec<u32> {
        let indexes = self
            .operations
            .iter()
            .map(|operation| operation.complete_index);
        let last = indexes.filter(|&index| index != NO_INDEX).max();
        let lines = last.map_or(0, |last| last as usize + 1);
        let mut places = vec![NO_INDEX; lines];
        for (place, operation) in (0..NO_INDEX).zip(&self.operations) {
            if let Some(line) = places.get_mut(operation.complete_index as usize) {
                *line = place;
            }
        }
        places.retain(|&place| place != NO_INDEX);
        places
    }

    /// The values that an answer returned: its siblings, or the one value of a register; none if nothing was there.
    pub fn returned(&self, operation: &Operation) -> Vec<Value> {
        match (self.header.versions, &operation.value) {
            (_, Value::Nil) => Vec::new(),
            (Versions::Dvv, Value::Json(list)) => match list.as_array() {
                Some(siblings) => siblings.iter().map(Value::from).collect(),
                None => vec![operation.value.clone()],
            },
            (_, value) => vec![value.clone()],
        }
    }

    /// The name of a key; empty for an id of another history.
    pub fn key_name(&self, key: KeyId) -> &str {
        self.keys.get(key.0 as usize).map_or("", String::as_str)
    }

    /// The name of a node; empty for an index of another history.
    pub fn node_name(&self, node: NodeIndex) -> &str {
        self.nodes.get(node.0 as usize).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation() -> Operation {
        Operation::invoked(1, Function::Write, KeyId(0), Nanos(5), 0)
    }

    #[test]
    fn an_operation_fits_one_cache_line() {
        assert_eq!(size_of::<Operation>(), 64);
    }

    #[test]
    fn small_and_large_numbers_are_kept_alike() {
        for number in [
            None,
            Some(0),
            Some(244),
            Some(245),
            Some(253),
            Some(254),
            Some(255),
            Some(u32::MAX),
        ] {
            let mut operation = operation();
            operation.set_node(number.map(NodeIndex));
            operation.set_level(number.map(Level::Count));
            assert_eq!(operation.node(), number.map(NodeIndex));
            assert_eq!(operation.level(), number.map(Level::Count));
        }
        for level in LevelName::ALL.map(Level::Named) {
            let mut operation = operation();
            operation.set_level(Some(level));
            assert_eq!(operation.level(), Some(level));
        }
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace() {
        let mut changed = operation();
        changed.set_error(Some("no quorum"));
        changed.set_level(Some(Level::Count(1_000)));
        changed.set_evidence(Some(&Evidence::default()));
        changed.set_context(Some(&[Value::Int(1)]));
        assert_eq!(changed.context(), Some([Value::Int(1)].as_slice()));
        assert_eq!(changed.error(), Some("no quorum"));
        assert_eq!(changed.evidence(), Some(Box::default()));
        changed.set_error(None);
        changed.set_level(None);
        changed.set_evidence(None);
        changed.set_context(None);
        assert_eq!(changed, operation());
    }
}
