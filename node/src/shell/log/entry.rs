//! Entries of the log's files as bytes: `length u32 | crc32 u32 | postcard`, little-endian, the checksum over length and body.
//!
//! Only bytes in memory; files are `scan.rs` and `writer.rs`.

use serde::{Deserialize, Serialize};

use crate::protocol::Record;
use crate::wire::{self, FRAME_BYTES_MAX};

/// Length and checksum.
const HEAD_BYTES: usize = 8;

/// One entry, of a record or of a reference to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Entry<R> {
    /// A record.
    Record(R),
    /// The end of a snapshot of so many records. A segment has none.
    End { records: u64 },
}

/// Where a file stops making sense, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Break {
    pub(super) offset: u64,
    pub(super) why: &'static str,
}

/// What bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum First {
    /// An entry, of so many bytes with its head.
    Whole(Entry<Record>, usize),
    /// The beginning of an entry, as far as one can see.
    Cut,
    /// Nothing that makes sense.
    Bad(&'static str),
}

/// An entry of which only the beginning is there at the end of a file.
pub(super) const TORN: &str = "an entry is cut short";

/// Appends one entry to a buffer. After an error the buffer is as it was.
pub(super) fn append<R: Serialize>(
    entry: &Entry<R>,
    buffer: &mut Vec<u8>,
) -> Result<(), postcard::Error> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEAD_BYTES]);
    let appended = wire::append(entry, buffer).and_then(|()| {
        let (head, body) = buffer[start..].split_at_mut(HEAD_BYTES);
        let length = u32::try_from(body.len()).map_err(|_| postcard::Error::SerializeBufferFull)?;
        if body.len() > FRAME_BYTES_MAX {
            return Err(postcard::Error::SerializeBufferFull);
        }
        let length = length.to_le_bytes();
        head[..4].copy_from_slice(&length);
        head[4..].copy_from_slice(&checksum(length, body).to_le_bytes());
        Ok(())
    });
    if appended.is_err() {
        buffer.truncate(start);
    }
    appended
}

/// The first entry of these bytes.
pub(super) fn first(bytes: &[u8]) -> First {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return First::Cut;
    };
    let body_bytes = u32::from_le_bytes(*length) as usize;
    if body_bytes > FRAME_BYTES_MAX {
        return First::Bad("an entry is longer than any can be");
    }
    let Some((sum, rest)) = rest.split_first_chunk::<4>() else {
        return First::Cut;
    };
    let Some(body) = rest.get(..body_bytes) else {
        return First::Cut;
    };
    if checksum(*length, body) != u32::from_le_bytes(*sum) {
        return First::Bad("a checksum does not match");
    }
    match postcard::take_from_bytes(body) {
        Ok((entry, [])) => First::Whole(entry, HEAD_BYTES + body_bytes),
        _ => First::Bad("an entry is of no known kind"),
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
            append(&Entry::Record(record), &mut bytes).unwrap();
            ends.push(bytes.len());
        }
        (bytes, ends)
    }
}
