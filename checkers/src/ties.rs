//! Stamps that need not follow real time although no clock was touched: whole milliseconds, and stamps that clients give.
//!
//! A coarse clock orders two writes unless the later one began within the same millisecond in which the earlier one was still being stamped. So
//! it is the times of operations that tell, and never what was read.

use std::collections::BTreeMap;

use crate::history::{Function, History, KeyId, Nanos, Operation, StampSource, Stamps};

/// Nanoseconds in a millisecond.
const NS_PER_MS: u64 = 1_000_000;

/// Why stamps taken like this may not follow real time, whatever happened; none if they do.
pub(crate) fn of_settings(stamps: Stamps) -> Option<String> {
    if stamps.source == StampSource::Client {
        return Some("clients give the stamps, and nobody knows their clocks".to_owned());
    }
    stamps.milliseconds.then(|| {
        "stamps tell whole milliseconds, and writes may follow each other faster".to_owned()
    })
}

/// Why the stamps of this history may not follow real time; none if they do.
pub(crate) fn of_history(history: &History) -> Option<String> {
    let stamps = history.header.settings.stamps;
    if !stamps.milliseconds || stamps.source == StampSource::Client {
        return of_settings(stamps);
    }
    let (key, gap) = close_writes(history)?;
    let name = history.key_name(key);
    let tie = if stamps.larger_value {
        "the larger value"
    } else {
        "the larger node"
    };
    Some(format!(
        "stamps tell whole milliseconds, of which {tie} wins, and a write of {name} began {} µs after what it should replace",
        gap.0 / 1_000
    ))
}

/// The first key of which a write began within a millisecond after another one had finished, or had been read.
fn close_writes(history: &History) -> Option<(KeyId, Nanos)> {
    let mut keys: BTreeMap<KeyId, Vec<&Operation>> = BTreeMap::new();
    for operation in &history.operations {
        if operation.f != Function::Census {
            keys.entry(operation.key).or_default().push(operation);
        }
    }
    keys.into_iter().find_map(|(key, operations)| {
        let mut finished: Vec<&Operation> = operations.clone();
        finished.retain(|operation| operation.is_ok());
        finished.sort_unstable_by_key(|operation| operation.ret);
        let writes = operations.iter().filter(|operation| operation.is_write());
        let gaps = writes.filter_map(|write| {
            let before = finished.partition_point(|other| other.ret < write.call);
            let recent = finished[..before].iter().rev();
            let mut recent = recent
                .map(|other| (write.call.since(other.ret), *other))
                .take_while(|(gap, _)| gap.0 < NS_PER_MS);
            recent.find_map(|(gap, other)| {
                let may_tie = other.is_write() || !is_settled(&operations, other, write.call);
                may_tie.then_some(gap)
            })
        });
        gaps.min().map(|gap| (key, gap))
    })
}

/// Whether what a read returned was written and acknowledged by this time, so that its stamp is older than that, too.
fn is_settled(operations: &[&Operation], read: &Operation, by: Nanos) -> bool {
    let writers = operations
        .iter()
        .filter(|operation| operation.is_write() && operation.value == read.value);
    let mut writers = writers;
    writers.all(|writer| writer.is_ok() && writer.ret < by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::{Clocks, Exposure};
    use crate::history::Settings;
    use crate::testing::{draw_with, header};

    /// A write from 0 to 100 ms, and another one that begins so many ns after it.
    fn after(gap_ns: u64, stamps: Stamps) -> Exposure {
        let mut header = header(3, 2, 2);
        header.settings = Settings {
            stamps,
            ..Settings::default()
        };
        let mut history = draw_with(
            header,
            "
            c1: |w k 1|
            c2:          |w k 2|",
        );
        let ret = history.operations[0].ret;
        history.operations[1].call = Nanos(ret.0 + gap_ns);
        Exposure::of_history(&history)
    }

    const COARSE: Stamps = Stamps {
        source: StampSource::Coordinator,
        milliseconds: true,
        larger_value: true,
    };

    #[test]
    fn whole_milliseconds_order_what_is_a_millisecond_apart() {
        assert_eq!(after(1_000_000, COARSE).clocks, Clocks::Synchronised);
        let close = after(999_999, COARSE);
        let Clocks::Skewed(why) = &close.clocks else {
            panic!("a millisecond can hold both");
        };
        assert!(why.contains("write of k began 999 µs"), "{why}");
        assert_eq!(after(1, Stamps::default()).clocks, Clocks::Synchronised);
        // At the same time they are concurrent, and neither has to win.
        assert_eq!(after(0, COARSE).clocks, Clocks::Synchronised);
    }

    #[test]
    fn what_was_read_before_it_was_acknowledged_counts_from_the_read() {
        let history = |gap_ns: u64, write_ret: u64| {
            let mut header = header(3, 2, 2);
            header.settings.stamps = COARSE;
            let mut history = draw_with(
                header,
                "
                c1: |w k 1|
                c2:  |r k 1|
                c3:            |w k 2|",
            );
            history.operations[0].ret = Nanos(write_ret);
            let read = history.operations[1].ret;
            history.operations[2].call = Nanos(read.0 + gap_ns);
            of_history(&history)
        };
        assert!(history(500, 9_000_000_000).is_some());
        assert_eq!(history(500, 1), None);
        assert_eq!(history(1_000_000, 9_000_000_000), None);
    }

    #[test]
    fn nobody_knows_the_clocks_of_clients() {
        let client = Stamps {
            source: StampSource::Client,
            ..Stamps::default()
        };
        assert!(!after(5_000_000, client).is_synchronised());
        let hybrid = Stamps {
            source: StampSource::Hybrid,
            ..Stamps::default()
        };
        assert!(after(5, hybrid).is_synchronised());
    }
}
