//! The log of a simulated node, and what a `kill -9` leaves of it.
//!
//! It keeps the promises of `quorate_node`'s log and no more: under `EachWrite` records that queued up share one sync and count
//! as persisted when it ends; under `EveryMs` they count at once, and live in memory until the sync that the first of
//! them asked for. It plans nothing itself: it says when it wants to be synced.

use quorate_node::config::SyncPolicy;
use quorate_node::protocol::{Record, Token};
use quorate_node::shell::survivors;
use quorate_workloads::Rng;

use super::weather::Weather;

/// Nanoseconds in a millisecond.
const NS_PER_MS: u64 = 1_000_000;

/// What a disk wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// Nothing.
    Nothing,
    /// To begin a sync after this long, ns: call [`Disk::begin_sync`].
    Begin(u64),
    /// To end the sync that it began, after this long, ns: call [`Disk::end_sync`].
    End(u64),
}

/// One node's log. It survives its process.
#[derive(Debug)]
pub(super) struct Disk {
    policy: SyncPolicy,
    rng: Rng,
    /// What is on the disk, in the order in which it was written.
    durable: Vec<Record>,
    /// What is being written and synced.
    syncing: Option<Vec<(Token, Record)>>,
    /// What is in the process's memory only.
    queued: Vec<(Token, Record)>,
}

impl Disk {
    pub(super) fn new(policy: SyncPolicy, rng: Rng) -> Disk {
        Disk {
            policy,
            rng,
            durable: Vec::new(),
            syncing: None,
            queued: Vec::new(),
        }
    }

    /// Whether a record counts as persisted as soon as it is appended.
    pub(super) fn is_lazy(&self) -> bool {
        matches!(self.policy, SyncPolicy::EveryMs(_))
    }

    /// Takes a record.
    pub(super) fn append(&mut self, token: Token, record: Record) -> Wants {
        let is_first = self.queued.is_empty() && self.syncing.is_none();
        self.queued.push((token, record));
        if is_first {
            self.next_sync()
        } else {
            Wants::Nothing
        }
    }

    /// Writes all that has queued up.
    pub(super) fn begin_sync(&mut self, weather: &Weather) -> Wants {
        if self.syncing.is_some() || self.queued.is_empty() {
            return Wants::Nothing;
        }
        self.syncing = Some(std::mem::take(&mut self.queued));
        Wants::End(weather.sync_ns(&mut self.rng))
    }

    /// What was being synced is durable; these are its tokens.
    pub(super) fn end_sync(&mut self) -> Vec<Token> {
        let synced = self.syncing.take().unwrap_or_default();
        let (tokens, records): (Vec<Token>, Vec<Record>) = synced.into_iter().unzip();
        self.durable.extend(records);
        tokens
    }

    /// When what queued up during a sync is to be synced.
    pub(super) fn next_sync(&self) -> Wants {
        match self.policy {
            _ if self.queued.is_empty() => Wants::Nothing,
            SyncPolicy::EachWrite => Wants::Begin(0),
            SyncPolicy::EveryMs(period_ms) => Wants::Begin(period_ms.saturating_mul(NS_PER_MS)),
        }
    }

    /// Its process is killed. Of what was being written, some first part has reached the disk, in which the last record may be torn;
    /// what was not is gone. Returns what is gone.
    pub(super) fn lose_memory(&mut self) -> Vec<Record> {
        let syncing = self.syncing.take().unwrap_or_default();
        let mut batch: Vec<Record> = syncing.into_iter().map(|(_, record)| record).collect();
        let whole = usize::try_from(self.rng.between(0, batch.len() as u64)).unwrap_or(0);
        let rng = &mut self.rng;
        let left = survivors(&batch, whole, |bytes| {
            usize::try_from(rng.below(bytes as u64)).unwrap_or(0)
        });
        let mut gone = batch.split_off(left.len().min(batch.len()));
        self.durable.extend(left);
        gone.extend(self.queued.drain(..).map(|(_, record)| record));
        gone
    }

    /// Everything that a start of the process finds.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        self.durable.iter().cloned()
    }

    /// Whether everything is durable.
    pub(super) fn is_synced(&self) -> bool {
        self.queued.is_empty() && self.syncing.is_none()
    }
}

#[cfg(test)]
mod tests {
    use quorate_node::protocol::{Key, Version};
    use quorate_node::wire::Stamp;

    use super::*;

    fn record(wall_ns: i64) -> Record {
        let stamp = Stamp { wall_ns, node: 1 };
        let content = Version { stamp, value: None }.into();
        let key = Key::from("k");
        Record::Held { key, content }
    }

    fn disk(policy: SyncPolicy, seed: u64) -> Disk {
        Disk::new(policy, Rng::new(seed))
    }

    #[test]
    fn records_that_queue_up_during_a_sync_share_the_next_one() {
        let mut disk = disk(SyncPolicy::EachWrite, 1);
        assert_eq!(disk.append(Token(0), record(0)), Wants::Begin(0));
        let Wants::End(_) = disk.begin_sync(&Weather::default()) else {
            panic!("a sync takes its time");
        };
        assert_eq!(disk.append(Token(1), record(1)), Wants::Nothing);
        assert_eq!(disk.append(Token(2), record(2)), Wants::Nothing);
        assert_eq!(disk.end_sync(), [Token(0)]);
        assert_eq!(disk.next_sync(), Wants::Begin(0));
        disk.begin_sync(&Weather::default());
        assert_eq!(disk.end_sync(), [Token(1), Token(2)]);
        assert_eq!(disk.next_sync(), Wants::Nothing);
        assert!(disk.is_synced());
        assert_eq!(disk.records().count(), 3);
    }

    #[test]
    fn a_lazy_disk_is_synced_one_period_after_its_first_record() {
        let mut disk = disk(SyncPolicy::EveryMs(5), 1);
        assert!(disk.is_lazy());
        assert_eq!(disk.append(Token(0), record(0)), Wants::Begin(5_000_000));
        assert_eq!(disk.append(Token(1), record(1)), Wants::Nothing);
        disk.lose_memory();
        assert_eq!(disk.records().count(), 0);
        assert_eq!(disk.begin_sync(&Weather::default()), Wants::Nothing);
    }

    #[test]
    fn of_a_sync_cut_short_any_first_part_may_have_reached_the_disk() {
        let mut reached = [0; 4];
        for seed in 0..200 {
            let mut disk = disk(SyncPolicy::EachWrite, seed);
            for number in 0..3 {
                disk.append(Token(number), record(0));
            }
            disk.begin_sync(&Weather::default());
            disk.append(Token(9), record(0));
            disk.lose_memory();
            reached[disk.records().count()] += 1;
            assert!(disk.is_synced());
        }
        assert!(reached.iter().all(|&times| times > 20), "{reached:?}");
    }
}
