//! What the log recovers after every kind of end, on a real disk.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::config::SyncPolicy;
use crate::protocol::{Record, Token, Version};
use crate::wire::Stamp;

use super::entry::tests::{bytes_of, records};
use super::entry::{self, Entry};
use super::{Event, Log, LogError, SEGMENT_BYTES_MAX, queue};

const NEVER_MS: u64 = 3_600_000;

fn record(number: i64) -> Record {
    let version = Version {
        stamp: Stamp {
            wall_ns: number,
            node: 1,
        },
        value: Some(number.to_le_bytes().as_slice().into()),
    };
    Record::Held {
        key: format!("k{}", number % 3).as_str().into(),
        content: version.into(),
    }
}

/// A log that was read and is ready for more.
struct Opened {
    log: Log,
    events: UnboundedReceiver<Event>,
    records: Vec<Record>,
    epoch: u64,
}

fn try_open(path: &Path, sync: SyncPolicy, segment_bytes_max: u64) -> Result<Opened, LogError> {
    let mut opening = Log::open(path)?;
    let epoch = opening.epoch();
    let records: Vec<_> = opening.records().collect();
    let (log, events, count) = opening.start(sync, segment_bytes_max)?;
    assert_eq!(count, records.len() as u64);
    Ok(Opened {
        log,
        events,
        records,
        epoch,
    })
}

fn open(path: &Path, sync: SyncPolicy) -> Opened {
    try_open(path, sync, SEGMENT_BYTES_MAX).expect("a log")
}

/// Why it cannot be opened.
fn refusal(path: &Path) -> LogError {
    let opened = try_open(path, SyncPolicy::EachWrite, SEGMENT_BYTES_MAX);
    opened.map(|_| ()).expect_err("a spoilt directory")
}

/// Reads what is durable, and lets go of the directory.
fn durable(path: &Path) -> Vec<Record> {
    open(path, SyncPolicy::EachWrite).records
}

fn segment(path: &Path, number: u64) -> PathBuf {
    path.join(format!("wal-{number:010}.log"))
}

fn snapshot(path: &Path, number: u64) -> PathBuf {
    path.join(format!("snapshot-{number:010}"))
}

fn snapshot_bytes(records: &[Record]) -> Vec<u8> {
    let (mut bytes, _) = bytes_of(records);
    let count = records.len() as u64;
    entry::append(&Entry::<Record>::End { records: count }, &mut bytes).unwrap();
    bytes
}

/// Appends, and waits until everything is synced.
fn append_synced(opened: &mut Opened, records: impl IntoIterator<Item = Record>) {
    let mut waiting = 0;
    for (number, record) in (0..).zip(records) {
        opened.log.append(Token(number), &record);
        waiting += 1;
    }
    while waiting > 0 {
        if let Event::Synced(tokens) = opened.events.blocking_recv().expect("a live log") {
            waiting -= tokens.len();
        }
    }
}

#[test]
fn what_was_synced_survives_and_starts_are_counted() {
    let dir = TempDir::new().unwrap();
    for epoch in 1..4 {
        let mut opened = open(dir.path(), SyncPolicy::EachWrite);
        assert_eq!(opened.epoch, epoch);
        let before: Vec<_> = (1..i64::try_from(epoch).unwrap()).map(record).collect();
        assert_eq!(opened.records, before);
        append_synced(&mut opened, [record(i64::try_from(epoch).unwrap())]);
        assert_eq!(opened.log.unsynced(), 0);
    }
}

#[test]
fn unsynced_records_die_with_the_process_but_not_with_a_clean_stop() {
    let dir = TempDir::new().unwrap();
    let killed = open(dir.path(), SyncPolicy::EveryMs(NEVER_MS));
    assert!(
        killed.log.append(Token(0), &record(1)),
        "counts as persisted at once"
    );
    assert_eq!(killed.log.unsynced(), 1);
    drop(killed);
    assert_eq!(durable(dir.path()), []);
    let stopped = open(dir.path(), SyncPolicy::EveryMs(NEVER_MS));
    stopped.log.append(Token(0), &record(1));
    stopped.log.close().unwrap();
    assert_eq!(durable(dir.path()), [record(1)]);
}

#[test]
fn a_period_ends_in_a_sync() {
    let dir = TempDir::new().unwrap();
    let mut opened = open(dir.path(), SyncPolicy::EveryMs(1));
    append_synced(&mut opened, [record(1), record(2)]);
    drop(opened);
    assert_eq!(durable(dir.path()), [record(1), record(2)]);
}

#[test]
fn many_records_do_not_wait_for_their_period() {
    let dir = TempDir::new().unwrap();
    let mut opened = open(dir.path(), SyncPolicy::EveryMs(NEVER_MS));
    let many = i64::try_from(queue::RIPE_RECORDS).unwrap();
    append_synced(&mut opened, (0..many).map(record));
    opened.log.append(Token(0), &record(many));
    drop(opened);
    assert_eq!(durable(dir.path()).len(), queue::RIPE_RECORDS);
}

#[test]
fn each_write_does_not_count_as_persisted_before_its_sync() {
    let dir = TempDir::new().unwrap();
    let opened = open(dir.path(), SyncPolicy::EachWrite);
    assert!(!opened.log.append(Token(0), &record(1)));
}

#[test]
fn a_directory_has_one_owner() {
    let dir = TempDir::new().unwrap();
    let opened = open(dir.path(), SyncPolicy::EachWrite);
    assert!(matches!(refusal(dir.path()), LogError::InUse(_)));
    drop(opened);
    durable(dir.path());
}

/// Waits until a piece of a snapshot is due.
fn await_piece(opened: &mut Opened) {
    while !matches!(
        opened.events.blocking_recv().expect("a live log"),
        Event::SnapshotWanted
    ) {}
}

#[test]
fn a_large_segment_is_replaced_by_a_snapshot() {
    for sync in [SyncPolicy::EachWrite, SyncPolicy::EveryMs(1)] {
        let dir = TempDir::new().unwrap();
        let mut opened = try_open(dir.path(), sync, 100).unwrap();
        for number in 0..10 {
            opened
                .log
                .append(Token(u64::try_from(number).unwrap()), &record(number));
        }
        await_piece(&mut opened);
        opened.log.begin_snapshot(vec![record(7), record(8)]);
        opened.log.append(Token(10), &record(10));
        await_piece(&mut opened);
        assert!(segment(dir.path(), 1).exists(), "the snapshot is not whole");
        opened.log.append(Token(11), &record(11));
        opened.log.go_on_with_snapshot(vec![record(9)]);
        await_piece(&mut opened);
        opened.log.go_on_with_snapshot(Vec::new());
        opened.log.append(Token(12), &record(12));
        opened.log.close().unwrap();
        assert!(!segment(dir.path(), 1).exists());
        assert!(snapshot(dir.path(), 2).exists());
        let all: Vec<_> = (7..13).map(record).collect();
        assert_eq!(durable(dir.path()), all);
        assert_eq!(durable(dir.path()), all, "recovering changes nothing");
    }
}

#[test]
fn a_snapshot_that_was_not_finished_is_none() {
    let dir = TempDir::new().unwrap();
    let opened = open(dir.path(), SyncPolicy::EachWrite);
    opened.log.append(Token(0), &record(0));
    opened.log.begin_snapshot(vec![record(7)]);
    opened.log.append(Token(1), &record(1));
    opened.log.close().unwrap();
    assert!(segment(dir.path(), 2).exists());
    assert_eq!(durable(dir.path()), [record(0), record(1)]);
}

#[test]
fn what_fits_no_entry_ends_the_log() {
    let dir = TempDir::new().unwrap();
    let mut opened = open(dir.path(), SyncPolicy::EachWrite);
    let too_large = Record::Held {
        key: "k".into(),
        content: Version {
            stamp: Stamp::default(),
            value: Some(vec![0; 1 << 20].into()),
        }
        .into(),
    };
    opened.log.append(Token(0), &record(0));
    opened.log.append(Token(1), &too_large);
    while opened.events.blocking_recv().is_some() {}
    assert!(matches!(opened.log.close(), Err(LogError::Record(_))));
    assert_eq!(durable(dir.path()), [record(0)]);
}

/// One step of taking a snapshot, by name.
type Step<'a> = (&'a str, Box<dyn Fn(&Path) + 'a>);

/// The directory as each step of taking a snapshot leaves it; whichever was the last, nothing is lost.
#[test]
fn a_crash_at_any_step_of_a_snapshot_loses_nothing() {
    let old: Vec<_> = (0..4).map(record).collect();
    let (old_bytes, _) = bytes_of(&old);
    let (new_bytes, _) = bytes_of(&[record(4)]);
    let whole = snapshot_bytes(&old);
    let half = &whole[..whole.len() / 2];
    let steps: [Step<'_>; 5] = [
        (
            "the old segment",
            Box::new(|dir| fs::write(segment(dir, 1), &old_bytes).unwrap()),
        ),
        (
            "the new segment",
            Box::new(|dir| fs::write(segment(dir, 2), []).unwrap()),
        ),
        (
            "half a snapshot",
            Box::new(|dir| {
                fs::write(dir.join("snapshot-0000000002.tmp"), half).unwrap();
            }),
        ),
        (
            "the snapshot",
            Box::new(|dir| {
                fs::remove_file(dir.join("snapshot-0000000002.tmp")).unwrap();
                fs::write(snapshot(dir, 2), &whole).unwrap();
            }),
        ),
        (
            "without the old segment",
            Box::new(|dir| fs::remove_file(segment(dir, 1)).unwrap()),
        ),
    ];
    for last in 0..steps.len() {
        let dir = TempDir::new().unwrap();
        for (_, step) in &steps[..=last] {
            step(dir.path());
        }
        let name = steps[last].0;
        let mut opened = open(dir.path(), SyncPolicy::EachWrite);
        assert_eq!(opened.records, old, "{name}");
        assert_eq!(segment(dir.path(), 1).exists(), last < 3, "{name}");
        append_synced(&mut opened, [record(4)]);
        drop(opened);
        let newest = segment(dir.path(), if last == 0 { 1 } else { 2 });
        assert!(fs::read(newest).unwrap().ends_with(&new_bytes), "{name}");
        assert_eq!(durable(dir.path()).len(), 5, "{name}");
    }
}

#[test]
fn damage_that_no_crash_makes_is_an_error_with_a_place() {
    let (mut bytes, ends) = bytes_of(&[record(1), record(2)]);
    bytes[ends[0]] ^= 1;
    let dir = TempDir::new().unwrap();
    fs::write(segment(dir.path(), 1), &bytes).unwrap();
    fs::write(segment(dir.path(), 2), []).unwrap();
    let error = refusal(dir.path());
    let place = format!("wal-0000000001.log is damaged at byte {}", ends[0]);
    assert!(error.to_string().contains(&place), "{error}");

    let dir = TempDir::new().unwrap();
    let (bytes, _) = bytes_of(&[record(1)]);
    fs::write(snapshot(dir.path(), 3), bytes).unwrap();
    fs::write(segment(dir.path(), 3), []).unwrap();
    let error = refusal(dir.path());
    assert!(
        matches!(error, LogError::Damaged { .. }),
        "a snapshot without its end: {error}"
    );
}

#[test]
fn a_missing_file_is_an_error() {
    for there in [[1, 3], [2, 3]] {
        let dir = TempDir::new().unwrap();
        for number in there {
            fs::write(segment(dir.path(), number), []).unwrap();
        }
        let error = refusal(dir.path());
        assert!(matches!(error, LogError::Missing(_)), "{there:?}: {error}");
    }
    let dir = TempDir::new().unwrap();
    fs::write(snapshot(dir.path(), 2), snapshot_bytes(&[])).unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, LogError::Missing(_)), "{error}");
}

#[test]
fn a_spoilt_epoch_is_an_error() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("epoch"), "seven").unwrap();
    let error = refusal(dir.path());
    assert!(
        error.to_string().contains("holds \"seven\", not a count"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_torn_end_is_cut_off_and_the_log_goes_on(
        records in records(),
        cut: prop::sample::Index,
        junk in prop::collection::vec(any::<u8>(), 0..30),
    ) {
        let (bytes, ends) = bytes_of(&records);
        let cut = cut.index(bytes.len() + 1);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let dir = TempDir::new().unwrap();
        // After a cut, junk is what the disk had there before.
        fs::write(segment(dir.path(), 1), [&bytes[..cut], &junk].concat()).unwrap();
        let mut opened = open(dir.path(), SyncPolicy::EachWrite);
        prop_assert_eq!(&opened.records[..], &records[..whole]);
        append_synced(&mut opened, [record(99)]);
        drop(opened);
        let mut expected = records[..whole].to_vec();
        expected.push(record(99));
        prop_assert_eq!(durable(dir.path()), expected);
    }
}
