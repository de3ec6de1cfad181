//! What a crash in the middle of a write leaves of a batch of records, by the codec that real logs are written and read with.
//!
//! For simulators, which have no files. It decides nothing: where the write was cut short is told to it.

use crate::protocol::Record;

use super::entry::{self, Entry};
use super::scan::{Scan, Step};

/// What the next start finds of these records, if the first `whole` of them reached the disk, and of the one after them as many bytes as
/// `part_bytes` says when it is told how many there are, but not all.
pub fn survivors(
    batch: &[Record],
    whole: usize,
    part_bytes: impl FnOnce(usize) -> usize,
) -> Vec<Record> {
    let mut bytes = Vec::new();
    let mut end_of_whole = 0;
    for (place, record) in batch.iter().enumerate().take(whole.saturating_add(1)) {
        // What is too large to be written is not there.
        if entry::append(&Entry::Record(record), &mut bytes).is_err() {
            break;
        }
        if place < whole {
            end_of_whole = bytes.len();
        }
    }
    let torn_bytes = bytes.len() - end_of_whole;
    if torn_bytes > 0 {
        bytes.truncate(end_of_whole + part_bytes(torn_bytes).min(torn_bytes - 1));
    }
    let mut scan = Scan::new(&bytes[..]);
    let mut left = Vec::new();
    while let Ok(Step::Entry(Entry::Record(record))) = scan.next() {
        left.push(record);
    }
    left
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::survivors;
    use crate::shell::log::entry::tests::records;

    proptest! {
        #[test]
        fn whole_records_survive_and_a_torn_one_does_not(batch in records(), whole in 0..14_usize, part: prop::sample::Index) {
            let left = survivors(&batch, whole, |bytes| part.index(bytes + 1));
            prop_assert_eq!(left, &batch[..whole.min(batch.len())]);
        }
    }
}
