//! What the log recovers after every kind of end, on a real disk.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use crate::config::SyncPolicy;
use crate::protocol::{Record, Token, Version};
use crate::wire::Stamp;

use super::entry::tests::{bytes_of, records};
use super::entry::{self, Entry};
use super::{Event, Log, LogError, Opened, SEGMENT_BYTES_MAX};

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

fn open(path: &Path, sync: SyncPolicy) -> Opened {
    Log::open(path, sync, SEGMENT_BYTES_MAX).expect("a log")
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
    entry::append(&Entry::End { records: count }, &mut bytes).unwrap();
    bytes
}

/// Appends, and waits until everything is synced.
fn append_synced(opened: &mut Opened, records: impl IntoIterator<Item = Record>) {
    let mut waiting = 0;
    for (number, record) in (0..).zip(records) {
        opened.log.append(Token(number), record);
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
        killed.log.append(Token(0), record(1)),
        "counts as persisted at once"
    );
    assert_eq!(killed.log.unsynced(), 1);
    drop(killed);
    assert_eq!(durable(dir.path()), []);
    let stopped = open(dir.path(), SyncPolicy::EveryMs(NEVER_MS));
    stopped.log.append(Token(0), record(1));
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
fn each_write_does_not_count_as_persisted_before_its_sync() {
    let dir = TempDir::new().unwrap();
    let opened = open(dir.path(), SyncPolicy::EachWrite);
    assert!(!opened.log.append(Token(0), record(1)));
}

#[test]
fn a_directory_has_one_owner() {
    let dir = TempDir::new().unwrap();
    let opened = open(dir.path(), SyncPolicy::EachWrite);
    let second = Log::open(dir.path(), SyncPolicy::EachWrite, SEGMENT_BYTES_MAX);
    assert!(matches!(second, Err(LogError::InUse(_))));
    drop(opened);
    durable(dir.path());
}

#[test]
fn a_large_segment_is_replaced_by_a_snapshot() {
    let dir = TempDir::new().unwrap();
    let mut opened = Log::open(dir.path(), SyncPolicy::EachWrite, 100).unwrap();
    for number in 0..10 {
        opened
            .log
            .append(Token(u64::try_from(number).unwrap()), record(number));
    }
    while !matches!(opened.events.blocking_recv(), Some(Event::SnapshotWanted)) {}
    let merged = vec![record(7), record(8), record(9)];
    opened.log.snapshot(merged.clone());
    opened.log.append(Token(10), record(10));
    opened.log.close().unwrap();
    assert!(!segment(dir.path(), 1).exists());
    assert!(snapshot(dir.path(), 2).exists());
    let all: Vec<_> = merged.into_iter().chain([record(10)]).collect();
    assert_eq!(durable(dir.path()), all);
    assert_eq!(durable(dir.path()), all, "recovering changes nothing");
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
    let error = Log::open(dir.path(), SyncPolicy::EachWrite, SEGMENT_BYTES_MAX).unwrap_err();
    let place = format!("wal-0000000001.log is damaged at byte {}", ends[0]);
    assert!(error.to_string().contains(&place), "{error}");

    let dir = TempDir::new().unwrap();
    let (bytes, _) = bytes_of(&[record(1)]);
    fs::write(snapshot(dir.path(), 3), bytes).unwrap();
    fs::write(segment(dir.path(), 3), []).unwrap();
    let error = Log::open(dir.path(), SyncPolicy::EachWrite, SEGMENT_BYTES_MAX).unwrap_err();
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
        let error = Log::open(dir.path(), SyncPolicy::EachWrite, SEGMENT_BYTES_MAX).unwrap_err();
        assert!(matches!(error, LogError::Missing(_)), "{there:?}: {error}");
    }
    let dir = TempDir::new().unwrap();
    fs::write(snapshot(dir.path(), 2), snapshot_bytes(&[])).unwrap();
    let error = Log::open(dir.path(), SyncPolicy::EachWrite, SEGMENT_BYTES_MAX).unwrap_err();
    assert!(matches!(error, LogError::Missing(_)), "{error}");
}

#[test]
fn a_spoilt_epoch_is_an_error() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("epoch"), "seven").unwrap();
    let error = Log::open(dir.path(), SyncPolicy::EachWrite, SEGMENT_BYTES_MAX).unwrap_err();
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
