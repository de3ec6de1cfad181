//! Reading a file of entries from its beginning, a piece at a time: a log is larger than what one wants in memory.
//!
//! What a break means, a torn end or damage, is for `recovery.rs` to say.

use std::io::{self, Read};

use crate::protocol::Record;

use super::entry::{self, Break, Entry, First};

/// How much is read at once, bytes.
const PIECE_BYTES: usize = 256 << 10;

/// What comes next in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An entry.
    Entry(Entry<Record>),
    /// Something that makes no sense; nothing comes after it.
    Broken(Break),
    /// The end, after a whole entry.
    End,
}

/// The entries of a file, up to its end or to the first place that makes no sense.
#[derive(Debug)]
pub(super) struct Scan<R> {
    source: R,
    buffer: Vec<u8>,
    /// Where in the buffer the next entry begins.
    start: usize,
    /// Where in the file it begins.
    offset: u64,
    /// Whether the buffer has the end of the file in it.
    ended: bool,
}

impl<R: Read> Scan<R> {
    /// From its beginning.
    pub(super) fn new(source: R) -> Scan<R> {
        Scan {
            source,
            buffer: Vec::new(),
            start: 0,
            offset: 0,
            ended: false,
        }
    }

    /// The bytes of all entries so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next step. An error is the source's.
    pub(super) fn next(&mut self) -> io::Result<Step> {
        loop {
            let rest = &self.buffer[self.start..];
            let why = match entry::first(rest) {
                First::Whole(entry, bytes) => {
                    self.start += bytes;
                    self.offset += bytes as u64;
                    return Ok(Step::Entry(entry));
                }
                First::Cut if !self.ended => {
                    self.read_on()?;
                    continue;
                }
                First::Cut if rest.is_empty() => return Ok(Step::End),
                First::Cut => entry::TORN,
                First::Bad(why) => why,
            };
            let offset = self.offset;
            return Ok(Step::Broken(Break { offset, why }));
        }
    }

    /// Reads another piece, and drops what was read before.
    fn read_on(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let mut piece = self.source.by_ref().take(PIECE_BYTES as u64);
        self.ended = piece.read_to_end(&mut self.buffer)? < PIECE_BYTES;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::entry::tests::{bytes_of, records};
    use super::*;

    fn scan(source: impl Read) -> (Vec<Record>, Option<Break>) {
        let mut scan = Scan::new(source);
        let mut records = Vec::new();
        loop {
            match scan.next().expect("bytes in memory") {
                Step::Entry(Entry::Record(record)) => records.push(record),
                Step::Entry(Entry::End { .. }) => panic!("nobody wrote that"),
                Step::Broken(broken) => return (records, Some(broken)),
                Step::End => return (records, None),
            }
        }
    }

    proptest! {
        #[test]
        fn a_cut_leaves_exactly_the_whole_entries_before_it(records in records(), cut: prop::sample::Index) {
            let (bytes, ends) = bytes_of(&records);
            let cut = cut.index(bytes.len() + 1);
            let whole = ends.iter().filter(|end| **end <= cut).count();
            let (scanned, broken) = scan(&bytes[..cut]);
            prop_assert_eq!(scanned, &records[..whole]);
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
            let (scanned, broken) = scan(&bytes[..]);
            prop_assert_eq!(scanned, &records[..before]);
            let start = before.checked_sub(1).map_or(0, |last| ends[last]);
            prop_assert_eq!(broken.map(|broken| broken.offset), Some(start as u64));
        }

        #[test]
        fn no_bytes_make_scanning_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = scan(&bytes[..]);
        }
    }

    #[test]
    fn zeros_are_no_entries() {
        let (records, broken) = scan(&[0; 64][..]);
        assert_eq!(records, []);
        assert_eq!(broken.map(|broken| broken.offset), Some(0));
    }

    #[test]
    fn entries_that_lie_across_pieces_are_found() {
        let large = |number: u8| Record::Held {
            key: format!("k{number}").into(),
            content: crate::protocol::Version {
                stamp: crate::wire::Stamp::default(),
                value: Some(vec![number; PIECE_BYTES / 3 * usize::from(number)].into()),
            }
            .into(),
        };
        let all: Vec<_> = (0..8).map(large).collect();
        let (bytes, ends) = bytes_of(&all);
        assert_eq!(scan(&bytes[..]), (all.clone(), None));
        let (whole, broken) = scan(&bytes[..bytes.len() - 1]);
        assert_eq!(whole, &all[..7]);
        let offset = ends[6] as u64;
        let why = entry::TORN;
        assert_eq!(broken, Some(Break { offset, why }));
    }
}
