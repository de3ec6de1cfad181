//! Events in, alarms out: finds the operation and the key of each event, and hands both to the key when their turn comes.

use std::collections::VecDeque;

use super::hold::{Ask, Datum, Due, HELD_MAX, Held, Hold};
use super::key::{Begun, FOREIGN, KeyStream, NO_REGISTER, TOO_LONG, Wrong};
use super::result::Streamed;
use crate::contract::{Access, Levels};
use crate::guarantee::Guarantee;
use crate::history::codec::Line;
use crate::history::names::Places;
use crate::history::pairing::{line_of, place_of};
use crate::history::{
    Event, EventType, F, Function, Header, HistoryError, Nanos, Process, Status, Value,
};
use crate::register::table::Table;
use crate::register::violation::Kind;

/// Alarms that wait to be taken; more are counted and not kept.
const ALARMS_MAX: usize = 1_000;

/// A read that convicts, as soon as that is certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What is wrong with it. A phantom may be a read from the future: its write may still come.
    pub kind: Kind,
    /// The key.
    pub key: String,
    /// What it returned; none for nothing, and for what is no integer.
    pub value: Option<i64>,
    /// When it began.
    pub at: Nanos,
    /// Indexes of the events in which it began and ended.
    pub events: (u64, u64),
    /// Another value had been read whose write began after its own was in effect. Counts only where clocks are synchronised.
    pub older: bool,
    /// Its value had been read before another value was read.
    pub flip: bool,
    /// It proves that its key is not linearizable.
    pub convicts: bool,
}

impl Alarm {
    /// The guarantee that it breaks, the most telling one; none if all hangs on clocks that are not synchronised.
    pub fn guarantee(&self, clocks_are_synchronised: bool) -> Option<Guarantee> {
        match self.kind {
            Kind::Phantom | Kind::Future => Some(Guarantee::NoPhantoms),
            Kind::FailedWrite => Some(Guarantee::NoFailedWrites),
            Kind::StaleRead => Some(Guarantee::FreshReads),
            Kind::Inversion => {
                let counts = self.flip || (self.older && clocks_are_synchronised);
                let beside = self.convicts.then_some(Guarantee::Linearizability);
                if counts {
                    Some(Guarantee::NoInversion)
                } else {
                    beside
                }
            }
            Kind::DoubleSuccess
            | Kind::Circle
            | Kind::Chain
            | Kind::FalseFailure
            | Kind::NoOrder => None,
        }
    }

    /// The line in which the read returned, counting from 1.
    pub fn line(&self) -> u64 {
        line_of(self.events.1)
    }
}

/// Judges events as they come.
pub struct StreamJudge {
    names: Vec<String>,
    places: Places,
    keys: Vec<KeyStream>,
    hold: Hold<Begun>,
    /// The operation under way of each process.
    processes: Table<u32>,
    header: Header,
    /// What acknowledged operations asked for.
    levels: Levels,
    alarms: VecDeque<Alarm>,
    index_next: u64,
    now: Nanos,
    operations: u64,
    census: u64,
    foreign: u64,
    /// Whether an operation that it does not know named no key.
    foreign_anywhere: bool,
    /// Whether keys are registers. A stream says nothing of others.
    is_of_registers: bool,
}

impl StreamJudge {
    /// A judge of a history with this header.
    pub fn new(header: &Header) -> StreamJudge {
        StreamJudge::holding(header, HELD_MAX)
    }

    /// A judge that holds back at most so many events.
    pub(super) fn holding(header: &Header, held_max: usize) -> StreamJudge {
        StreamJudge {
            names: Vec::new(),
            places: Places::of(&[]),
            keys: Vec::new(),
            hold: Hold::new(held_max),
            processes: Table::default(),
            header: header.clone(),
            levels: Levels::default(),
            alarms: VecDeque::new(),
            index_next: 0,
            now: Nanos(0),
            operations: 0,
            census: 0,
            foreign: 0,
            foreign_anywhere: false,
            is_of_registers: header.is_of_registers(),
        }
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// When it cannot be the next event of a history.
    pub fn push(&mut self, event: &Event) -> Result<(), HistoryError> {
        if let Some(line) = Line::of(event, None) {
            return self.push_line(&line);
        }
        self.admit(event.index, event.time)?;
        if let Process::Client(_) = event.process
            && event.f != F::Inspect
        {
            self.foreign += u64::from(event.kind == EventType::Invoke);
            match &event.key {
                Some(key) => {
                    let place = self.key(key)?;
                    self.keys[place as usize].give_up(FOREIGN);
                }
                // It may have been about any key. A completion need not name what its invocation named.
                None => self.foreign_anywhere |= event.kind == EventType::Invoke,
            }
        }
        self.judge_due();
        Ok(())
    }

    pub(super) fn push_line(&mut self, event: &Line<'_>) -> Result<(), HistoryError> {
        self.admit(event.index, event.time)?;
        if event.f == Function::Census {
            self.census += u64::from(event.kind == EventType::Invoke);
        } else if event.kind == EventType::Invoke {
            self.begins(event)?;
        } else {
            self.ends(event)?;
        }
        self.judge_due();
        Ok(())
    }

    /// The next alarm, if there is one.
    pub fn next_alarm(&mut self) -> Option<Alarm> {
        self.alarms.pop_front()
    }

    /// Events taken so far.
    pub fn events(&self) -> u64 {
        self.index_next
    }

    /// Client operations begun so far, the census not counted.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// The levels that operations asked for so far.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// What came of it, when there are no more events. Alarms that were not taken are among it.
    pub fn finish(mut self) -> (Streamed, VecDeque<Alarm>) {
        self.hold.finish();
        self.judge_due();
        if self.foreign_anywhere {
            for key in &mut self.keys {
                key.give_up(FOREIGN);
            }
        }
        let streamed = Streamed::of(&self.names, &self.keys)
            .with_operations(self.operations, self.census, self.foreign)
            .with_memory(self.bytes(), self.hold.most());
        (streamed, self.alarms)
    }

    /// The memory of what is known of the keys, bytes.
    fn bytes(&self) -> usize {
        let own = self.keys.len() * size_of::<KeyStream>();
        own + self.keys.iter().map(KeyStream::bytes).sum::<usize>()
    }

    fn admit(&mut self, index: u64, time: Nanos) -> Result<(), HistoryError> {
        let (place, expected) = (place_of(self.index_next), self.index_next);
        if index < expected {
            return Err(HistoryError::IndexDuplicate {
                place,
                index,
                expected,
            });
        }
        if index > expected {
            return Err(HistoryError::IndexMissing {
                place,
                index,
                expected,
            });
        }
        if time < self.now {
            let (time, before) = (time.0, self.now.0);
            return Err(HistoryError::TimeBackwards {
                place,
                time,
                before,
            });
        }
        self.index_next += 1;
        self.now = time;
        self.hold.reaches(time.0);
        Ok(())
    }

    fn key(&mut self, name: &str) -> Result<u32, HistoryError> {
        let known = self.places.intern(&mut self.names, name);
        let place = known.ok_or(HistoryError::TooManyNames {
            place: place_of(self.index_next),
            limit: u32::MAX,
        })?;
        if place as usize == self.keys.len() {
            let mut key = KeyStream::default();
            if !self.is_of_registers {
                key.give_up(NO_REGISTER);
            }
            self.keys.push(key);
        }
        Ok(place)
    }

    fn begins(&mut self, event: &Line<'_>) -> Result<(), HistoryError> {
        let (place, process) = (place_of(event.index), event.process);
        let ask = match event.f {
            Function::Write => Ask::Write,
            Function::Delete => Ask::Delete,
            Function::Read | Function::Census => Ask::Read,
        };
        let name = event.key.ok_or_else(|| HistoryError::KeyMissing {
            place,
            f: format!("{ask:?}").to_lowercase(),
        })?;
        let key = self.key(name)?;
        if let Some(&mut open) = self.processes.get(process) {
            let open_line = line_of(self.hold.get(open).0.invoked);
            return Err(HistoryError::DoubleInvoke {
                place,
                process,
                open_line,
            });
        }
        self.operations += 1;
        let place = self.hold.begins(Held {
            ask,
            key,
            value: if ask == Ask::Write {
                datum(&event.value)
            } else {
                Datum::Nothing
            },
            call: event.time.0,
            invoked: event.index,
            completed: event.index,
            status: None,
            given_up: false,
        });
        self.processes.insert(process, place);
        Ok(())
    }

    fn ends(&mut self, event: &Line<'_>) -> Result<(), HistoryError> {
        let (place, process) = (place_of(event.index), event.process);
        let Some(open) = self.processes.remove(process) else {
            return Err(HistoryError::NoInvocation { place, process });
        };
        let held = &mut self.hold.get(open).0;
        let differs = |what| HistoryError::Mismatch {
            place,
            process,
            what,
            open_line: line_of(held.invoked),
        };
        let asked = matches!(
            (held.ask, event.f),
            (Ask::Read, Function::Read)
                | (Ask::Write, Function::Write)
                | (Ask::Delete, Function::Delete)
        );
        if !asked {
            return Err(differs("f"));
        }
        if event.key != self.names.get(held.key as usize).map(String::as_str) {
            return Err(differs("key"));
        }
        let value = datum(&event.value);
        if held.ask == Ask::Write && value != Datum::Nothing && value != held.value {
            return Err(differs("value"));
        }
        let status = match event.kind {
            EventType::Ok => Status::Ok,
            EventType::Fail => Status::Fail,
            EventType::Invoke | EventType::Info => Status::Info,
        };
        if held.ask == Ask::Read && status == Status::Ok {
            held.value = value;
        }
        held.status = Some(status);
        held.completed = event.index;
        if status == Status::Ok {
            let access = match held.ask {
                Ask::Read => Access::Read,
                Ask::Write | Ask::Delete => Access::Write,
            };
            let (level, node) = (event.level, event.node);
            self.levels.meet(&self.header, access, level, node);
        }
        if held.given_up {
            // It was judged already, as of unknown outcome.
            let key = held.key;
            if status != Status::Info {
                self.keys[key as usize].give_up(TOO_LONG);
            }
            self.hold.free(open);
        } else {
            self.hold.ends(open, event.time.0);
        }
        Ok(())
    }

    fn judge_due(&mut self) {
        while let Some(due) = self.hold.due() {
            match due {
                Due::Begins(place) => {
                    let (held, begun) = self.hold.get(place);
                    *begun = self.keys[held.key as usize].begins(held);
                    // What never ends is not needed any more; what was given up may still end.
                    if !matches!(held.status, Some(Status::Ok) | None) {
                        self.hold.free(place);
                    }
                }
                Due::Ends(place, now) => {
                    let (held, begun) = *self.hold.get(place);
                    let wrong = self.keys[held.key as usize].ends(&held, begun, now);
                    if let Some(wrong) = wrong {
                        self.alarm(&held, wrong);
                    }
                    self.hold.free(place);
                }
            }
        }
    }

    fn alarm(&mut self, held: &Held, wrong: Wrong) {
        if self.alarms.len() >= ALARMS_MAX || self.keys[held.key as usize].unjudged.is_some() {
            return;
        }
        self.alarms.push_back(Alarm {
            kind: wrong.kind,
            key: self
                .names
                .get(held.key as usize)
                .cloned()
                .unwrap_or_default(),
            value: match held.value {
                Datum::Int(value) => Some(value),
                Datum::Nothing | Datum::Other => None,
            },
            at: Nanos(held.call),
            events: (held.invoked, held.completed),
            older: wrong.older,
            flip: wrong.flip,
            convicts: wrong.convicts,
        });
    }
}

fn datum(value: &Value) -> Datum {
    match value {
        Value::Nil => Datum::Nothing,
        Value::Int(value) => Datum::Int(*value),
        Value::Json(_) => Datum::Other,
    }
}
