//! Timers that somebody else's clock drives, and the outbox of one call into the SWIM library. The library asks "call me back after so
//! long"; this file turns that into moments, in an order that does not depend on anything but the requests.

use std::collections::BTreeMap;
use std::time::Duration;

use super::life::Life;
use crate::protocol::time::Nanos;

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Alarm {
    /// Something of the SWIM library.
    Swim(foca::Timer<Life>),
    /// A round of gossip.
    Gossip,
    /// A call to somebody who is silent.
    Announce,
}

/// What is due when. Equal moments keep the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeMap<(Nanos, u64), Alarm>,
    asked: u64,
}

impl Timers {
    pub(super) fn add(&mut self, at: Nanos, alarm: Alarm) {
        self.due.insert((at, self.asked), alarm);
        self.asked += 1;
    }

    /// The next moment at which something is due.
    pub(super) fn deadline(&self) -> Option<Nanos> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// The next alarm that is due at `now`.
    pub(super) fn take(&mut self, now: Nanos) -> Option<Alarm> {
        let first = self.due.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        Some(first.remove())
    }

    /// Puts everything off by `later`, in the same order.
    pub(super) fn postpone(&mut self, later: Duration) {
        let due = std::mem::take(&mut self.due);
        self.due = due
            .into_iter()
            .map(|((at, asked), alarm)| ((at.after(later), asked), alarm))
            .collect();
    }
}

/// What one call into the SWIM library asked for.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) sends: Vec<(Life, Vec<u8>)>,
    pub(super) alarms: Vec<(Duration, foca::Timer<Life>)>,
}

impl foca::Runtime<Life> for Outbox {
    /// Notifications tell less than the list of members does (nothing of suspicion), so that list is compared instead.
    fn notify(&mut self, _: foca::Notification<'_, Life>) {}

    fn send_to(&mut self, to: Life, data: &[u8]) {
        self.sends.push((to, data.to_vec()));
    }

    fn submit_after(&mut self, event: foca::Timer<Life>, after: Duration) {
        self.alarms.push((after, event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_moments_keep_their_order_also_when_put_off() {
        let mut timers = Timers::default();
        timers.add(Nanos(5), Alarm::Gossip);
        timers.add(Nanos(5), Alarm::Announce);
        timers.add(Nanos(3), Alarm::Announce);
        assert_eq!(timers.deadline(), Some(Nanos(3)));
        timers.postpone(Duration::from_nanos(10));
        assert_eq!(timers.take(Nanos(12)), None);
        let order: Vec<_> = std::iter::from_fn(|| timers.take(Nanos(15))).collect();
        assert_eq!(order, [Alarm::Announce, Alarm::Gossip, Alarm::Announce]);
    }
}
