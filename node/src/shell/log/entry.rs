//! Entries of the log's files as bytes: `length u32 | crc32 u32 | postcard`, little-endian, the checksum over length and body.
//!
//! Only bytes in memory; files are `recovery.rs` and `writer.rs`.

use serde::{Deserialize, Serialize};

use crate::protocol::Record;
use crate::wire::FRAME_BYTES_MAX;

/// Length and checksum.
const HEAD_BYTES: usize = 8;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Entry {
    /// A record.
    Record(Record),
    /// The end of a snapshot of so many records. A segment has none.
    End { records: u64 },
}

/// Where a file stops making sense, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Break {
    pub(super) offset: usize,
    pub(super) why: &'static str,
}

/// Appends one entry to a buffer.
pub(super) fn append(entry: &Entry, buffer: &mut Vec<u8>) -> Result<(), postcard::Error> {
    let body = postcard::to_stdvec(entry)?;
    if body.len() > FRAME_BYTES_MAX {
        return Err(postcard::Error::SerializeBufferFull);
    }
    let length = u32::try_from(body.len()).map_err(|_| postcard::Error::SerializeBufferFull)?;
    let length = length.to_le_bytes();
    buffer.extend_from_slice(&length);
    buffer.extend_from_slice(&checksum(length, &body).to_le_bytes());
    buffer.extend_from_slice(&body);
    Ok(())
}

/// The entries of a file, up to its end or to the first place that makes no sense.
pub(super) fn scan(bytes: &[u8]) -> (Vec<Entry>, Option<Break>) {
    let mut entries = Vec::new();
    let mut offset = 0;
    while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
        match first(rest) {
            Ok((entry, length)) => {
                entries.push(entry);
                offset += length;
            }
            Err(why) => return (entries, Some(Break { offset, why })),
        }
    }
    (entries, None)
}

/// The first entry, and its length with its head, bytes.
fn first(bytes: &[u8]) -> Result<(Entry, usize), &'static str> {
    const TORN: &str = "an entry is cut short";
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or(TORN)?;
    let (sum, rest) = rest.split_first_chunk::<4>().ok_or(TORN)?;
    let body_bytes = u32::from_le_bytes(*length) as usize;
    if body_bytes > FRAME_BYTES_MAX {
        return Err("an entry is longer than any can be");
    }
    let body = rest.get(..body_bytes).ok_or(TORN)?;
    if checksum(*length, body) != u32::from_le_bytes(*sum) {
        return Err("a checksum does not match");
    }
    match postcard::take_from_bytes(body) {
        Ok((entry, [])) => Ok((entry, HEAD_BYTES + body_bytes)),
        _ => Err("an entry is of no known kind"),
    }
}

/// The length is included, so that a run of zeros is no entry.
fn checksum(length: [u8; 4], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use crate::protocol::Version;
    use crate::wire::Stamp;

    use super::*;

    pub(in super::super) fn records() -> impl Strategy<Value = Vec<Record>> {
        let value = prop::option::of(prop::collection::vec(any::<u8>(), 0..20));
        let record = ("[a-c]{1,3}", any::<i64>(), any::<u16>(), value);
        let record = record.prop_map(|(key, wall_ns, node, value)| {
            let version = Version {
                stamp: Stamp { wall_ns, node },
                value: value.map(Into::into),
            };
            Record::Held {
                key: key.into(),
                content: version.into(),
            }
        });
        prop::collection::vec(record, 0..12)
    }

    /// The bytes of these records, and the offset at which each of them ends.
    pub(in super::super) fn bytes_of(records: &[Record]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for record in records {
            append(&Entry::Record(record.clone()), &mut bytes).unwrap();
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn entries(records: &[Record]) -> Vec<Entry> {
        records.iter().cloned().map(Entry::Record).collect()
    }

    proptest! {
        #[test]
        fn a_cut_leaves_exactly_the_whole_entries_before_it(records in records(), cut: prop::sample::Index) {
            let (bytes, ends) = bytes_of(&records);
            let cut = cut.index(bytes.len() + 1);
            let whole = ends.iter().filter(|end| **end <= cut).count();
            let (scanned, broken) = scan(&bytes[..cut]);
            prop_assert_eq!(scanned, entries(&records[..whole]));
            let clean = cut == 0 || ends.contains(&cut);
            prop_assert_eq!(broken.is_none(), clean);
        }

        #[test]
        fn a_flipped_bit_invents_nothing(records in records(), at: prop::sample::Index, bit in 0..8_u8) {
            let (mut bytes, ends) = bytes_of(&records);
            prop_assume!(!bytes.is_empty());
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let before = ends.iter().filter(|end| **end <= at).count();
            let (scanned, broken) = scan(&bytes);
            prop_assert_eq!(scanned, entries(&records[..before]));
            prop_assert!(broken.is_some());
        }

        #[test]
        fn no_bytes_make_scanning_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = scan(&bytes);
        }
    }

    #[test]
    fn zeros_are_no_entries() {
        let (entries, broken) = scan(&[0; 64]);
        assert_eq!(entries, []);
        assert_eq!(broken.map(|broken| broken.offset), Some(0));
    }
}
