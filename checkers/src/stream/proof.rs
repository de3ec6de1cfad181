//! The words for an alarm: the part of the history that it is about, looked at again by the judges of whole histories.
//!
//! A stream keeps nothing that it could show. So whoever has the file reads it a second time: of the key of the alarm, from the
//! write of the value that was read to the read itself, and no more of that than a limit. What does not matter is left out, so that nothing
//! looks wrong only because something else is not there. An inversion that leans on an older write stays without words, and so does what hangs on
//! two equal times. This also tells an old value from one that was never written to the key.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::judge::Alarm;
use super::lines::Lines;
use crate::explain::{Explanation, explain};
use crate::guarantee::Guarantee;
use crate::history::codec::Line;
use crate::history::{Event, EventType, F, Function, Header, History, Index, Process, Value};
use crate::verdict::checkers;
use crate::witness::Anomaly;

/// Events that are kept of the beginning, and of the end, of what an alarm is about.
const KEPT_MAX: usize = 50_000;

/// The judges that can tell an alarm, in the order in which they are asked.
const TELLERS: [Guarantee; 4] = [
    Guarantee::NoPhantoms,
    Guarantee::NoFailedWrites,
    Guarantee::FreshReads,
    Guarantee::NoInversion,
];

/// Looks for the proofs of some alarms.
pub struct Prover {
    header: Header,
    lines: Lines,
    is_header: bool,
    nemesis: Vec<Event>,
    wanted: Vec<Wanted>,
}

/// An alarm, and what the file says about it.
struct Wanted {
    alarm: Alarm,
    /// Whether the write of its value has begun.
    begun: bool,
    /// Operations under way while the write of the value has not begun.
    waiting: BTreeMap<Process, Event>,
    /// Processes whose operation has begun and not ended, of those kept.
    open: BTreeSet<u64>,
    first: Vec<Event>,
    last: VecDeque<Event>,
}

/// An alarm in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// The alarm.
    pub alarm: Alarm,
    /// What it is. Its witness names operations of [`Proof::history`].
    pub anomaly: Anomaly,
    /// What happened, as far as it matters.
    pub history: History,
    /// The words.
    pub explanation: Explanation,
}

impl Prover {
    /// Looks for the proofs of these alarms in a file with this header.
    pub fn new(header: Header, alarms: impl IntoIterator<Item = Alarm>) -> Prover {
        let wanted = alarms.into_iter().map(|alarm| Wanted {
            begun: alarm.value.is_none(),
            alarm,
            waiting: BTreeMap::new(),
            open: BTreeSet::new(),
            first: Vec::new(),
            last: VecDeque::new(),
        });
        Prover {
            header,
            lines: Lines::default(),
            is_header: true,
            nemesis: Vec::new(),
            wanted: wanted.collect(),
        }
    }

    /// Takes the next block of the file.
    pub fn push_block(&mut self, block: &[u8]) {
        let mut lines = std::mem::take(&mut self.lines);
        let _ = lines.push(block, |line| {
            self.line(line);
            Ok::<(), ()>(())
        });
        self.lines = lines;
    }

    /// The proofs of those alarms that could be proved.
    pub fn finish(mut self) -> Vec<Proof> {
        let tail = self.lines.finish();
        self.line(&tail);
        let (header, nemesis) = (self.header, self.nemesis);
        let proofs = self
            .wanted
            .into_iter()
            .filter_map(|wanted| wanted.prove(&header, &nemesis));
        proofs.collect()
    }

    fn line(&mut self, text: &[u8]) {
        if std::mem::take(&mut self.is_header) {
            return;
        }
        let line = Line::read(text);
        if let Some(line) = &line
            && !self.wanted.iter_mut().any(|wanted| wanted.wants(line))
        {
            return;
        }
        let Ok(event) = serde_json::from_slice::<Event>(text) else {
            return;
        };
        if event.process == Process::Nemesis {
            self.nemesis.push(event);
            return;
        }
        let line = line.or_else(|| Line::of(&event, None));
        for wanted in &mut self.wanted {
            if line.as_ref().is_some_and(|line| wanted.wants(line)) {
                wanted.keep(event.clone());
            }
        }
    }
}

impl Wanted {
    fn wants(&mut self, line: &Line<'_>) -> bool {
        let (from, to) = self.alarm.events;
        if line.index == from || line.index == to {
            return true;
        }
        if line.key != Some(&self.alarm.key) || line.f == Function::Census {
            return false;
        }
        let is_its_write = line.f == Function::Write
            && line.value == self.alarm.value.map_or(Value::Nil, Value::Int);
        if line.index > to {
            // How what was under way ended, which may be that it was refused.
            return line.kind != EventType::Invoke && self.open.contains(&line.process);
        }
        self.begun |= is_its_write;
        true
    }

    fn keep(&mut self, event: Event) {
        if !self.begun && event.index < self.alarm.events.0 {
            // What is under way when the write begins may tell of it, too.
            if event.kind == EventType::Invoke {
                self.waiting.insert(event.process, event);
            } else {
                self.waiting.remove(&event.process);
            }
            return;
        }
        for (_, event) in std::mem::take(&mut self.waiting) {
            self.keep_one(event);
        }
        self.keep_one(event);
    }

    fn keep_one(&mut self, event: Event) {
        if let Process::Client(process) = event.process {
            if event.kind == EventType::Invoke {
                self.open.insert(process);
            } else {
                self.open.remove(&process);
            }
        }
        if self.first.len() < KEPT_MAX {
            self.first.push(event);
            return;
        }
        if self.last.len() == KEPT_MAX {
            self.last.pop_front();
        }
        self.last.push_back(event);
    }

    fn prove(self, header: &Header, nemesis: &[Event]) -> Option<Proof> {
        let to = self.alarm.events.1;
        let mut events = part(
            self.first.into_iter().chain(self.last).collect(),
            &self.alarm,
        );
        events.extend(nemesis.iter().filter(|event| event.index <= to).cloned());
        events.sort_by_key(|event| event.index);
        for (index, event) in (0..).zip(&mut events) {
            event.index = index;
        }
        let history = History::from_events(header.clone(), events).ok()?;
        let index = Index::of(&history);
        let anomaly = TELLERS.iter().find_map(|guarantee| {
            let checker = checkers()
                .into_iter()
                .find(|c| c.guarantee() == *guarantee)?;
            let anomalies = checker.check(&history, &index).anomalies;
            anomalies.into_iter().find(|anomaly| {
                let operations = anomaly.witness.operations();
                let calls = operations.iter().map(|&at| history.operations[at].call);
                anomaly.at == self.alarm.at && calls.max() >= Some(self.alarm.at)
            })
        })?;
        let explanation = explain(&history, &index.exposure, &anomaly);
        Some(Proof {
            alarm: self.alarm,
            anomaly,
            history,
            explanation,
        })
    }
}

/// Of these events, those whose operations are whole and whose values come from among them.
fn part(events: Vec<Event>, alarm: &Alarm) -> Vec<Event> {
    let mut open: BTreeMap<Process, usize> = BTreeMap::new();
    let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
    let mut written = Vec::new();
    for (at, event) in events.iter().enumerate() {
        if event.kind == EventType::Invoke {
            open.insert(event.process, at);
            if let (F::Write, Value::Int(value)) = (&event.f, &event.value) {
                written.push(*value);
            }
        } else if let Some(begun) = open.remove(&event.process) {
            ends.insert(begun, at);
        }
    }
    written.sort_unstable();
    let mut keep = vec![false; events.len()];
    for (&begun, &ended) in &ends {
        let (begins, ends) = (&events[begun], &events[ended]);
        let is_alarm = begins.index == alarm.events.0;
        let is_read = begins.f == F::Read;
        let known = match &ends.value {
            Value::Nil => alarm.value.is_none(),
            Value::Int(value) => written.binary_search(value).is_ok(),
            Value::Json(_) => false,
        };
        keep[begun] = is_alarm || !is_read || (ends.kind == EventType::Ok && known);
        keep[ended] = keep[begun];
    }
    // A write that has not ended by then may matter; its client does nothing else meanwhile.
    for (_, begun) in open {
        keep[begun] = events[begun].f != F::Read;
    }
    let kept = events.into_iter().zip(keep).filter(|(_, keep)| *keep);
    kept.map(|(event, _)| event).collect()
}
