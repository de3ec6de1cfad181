//! Events one by one, with what is promised by all that happened so far: for whoever has events rather than a file.

use std::collections::VecDeque;

use super::judge::{Alarm, StreamJudge};
use super::result::Streamed;
use crate::contract::Contract;
use crate::exposure::Exposure;
use crate::history::codec::Line;
use crate::history::pairing::{Pairing, place_of};
use crate::history::{Event, Header, History, HistoryError, Process};

/// Follows a history as it grows.
pub struct Follower {
    header: Header,
    judge: StreamJudge,
    /// Faults and phases, which are few.
    nemesis: Vec<Event>,
    /// Refuses those of them that make no sense.
    guard: Pairing,
}

impl Follower {
    /// Follows the history of this header.
    pub fn new(header: Header) -> Follower {
        Follower {
            judge: StreamJudge::new(&header),
            guard: Pairing::new(header.clone()),
            header,
            nemesis: Vec::new(),
        }
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// When it cannot be the next event of a history.
    pub fn push(&mut self, event: &Event) -> Result<(), HistoryError> {
        self.judge.push(event)?;
        if event.process == Process::Nemesis {
            let index = self.guard.index_next();
            let alone = Event {
                index,
                ..event.clone()
            };
            // Alone it stands elsewhere than in its file.
            self.guard
                .push(alone)
                .map_err(|error| error.at(place_of(event.index)))?;
            self.nemesis.push(event.clone());
        }
        Ok(())
    }

    pub(super) fn push_line(&mut self, line: &Line<'_>) -> Result<(), HistoryError> {
        self.judge.push_line(line)
    }

    /// The next alarm, if there is one.
    pub fn next_alarm(&mut self) -> Option<Alarm> {
        self.judge.next_alarm()
    }

    /// Events taken so far.
    pub fn events(&self) -> u64 {
        self.judge.events()
    }

    /// What the run was exposed to so far, and what is promised by that. A later fault may take a promise back.
    ///
    /// # Errors
    /// When some line of the nemesis cannot be understood.
    pub fn contract(&self) -> Result<(Exposure, Contract), HistoryError> {
        let events = (0..).zip(&self.nemesis).map(|(index, event)| Event {
            index,
            ..event.clone()
        });
        let faults = History::from_events(self.header.clone(), events.collect())?;
        let exposure = Exposure::of_header(&self.header, &faults.faults);
        let contract = Contract::with_levels(&self.header, &exposure, self.judge.levels().clone());
        Ok((exposure, contract))
    }

    /// Whether an anomaly breaks a promise, by all that happened so far.
    ///
    /// # Errors
    /// As [`Follower::contract`].
    pub fn is_promised(&self, alarm: &Alarm) -> Result<bool, HistoryError> {
        let (exposure, contract) = self.contract()?;
        Ok(alarm.is_promised(&exposure, &contract))
    }

    /// What came of it, when there are no more events. Alarms that were not taken are among it.
    pub fn finish(self) -> (Header, Streamed, VecDeque<Alarm>) {
        let (streamed, alarms) = self.judge.finish();
        (self.header, streamed, alarms)
    }
}

impl Alarm {
    /// Whether it breaks a promise of a contract.
    pub fn is_promised(&self, exposure: &Exposure, contract: &Contract) -> bool {
        let guarantee = self.guarantee(exposure.is_synchronised());
        let promise = guarantee.and_then(|guarantee| contract.promise(guarantee));
        promise.is_some_and(|promise| promise.promised)
    }
}
