//! Files as they are read: plain, or decompressed on the way, or out of an archive of a run. Which of these is told by the first bytes,
//! not by the name.
//!
//! What comes out is read in pieces, so that a history need not fit into memory. Both decompressors are Rust alone: the project builds
//! without a C compiler.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::archive;
use crate::results::{ResultsError, at};

/// First bytes of a gzip member.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// First bytes of a Zstandard frame.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes taken from a file at once.
const BUFFER_BYTES: usize = 1 << 16;

/// What an archive of a run is read for where a history is asked for.
const HISTORY: &str = "history.jsonl";
/// Largest member of an archive that is read whole, bytes.
const MEMBER_BYTES_MAX: u64 = 1 << 26;

/// A file that is open for reading.
pub struct Opened {
    /// Its content, decompressed.
    pub source: Box<dyn Read + Send>,
    /// How many bytes of content there are; none if nobody knows before the end.
    pub bytes: Option<u64>,
}

/// Opens a file for reading, decompressed if it is compressed; of an archive of a run, its history.
///
/// # Errors
/// When it cannot be opened or read, or is an archive without a history.
pub fn open(path: &Path) -> Result<Opened, ResultsError> {
    let file = File::open(path).map_err(at("read", path))?;
    let bytes = file.metadata().ok().map(|metadata| metadata.len());
    let (source, is_plain) = decompressed(file).map_err(at("read", path))?;
    let (source, is_archive) = looked_at(source).map_err(at("read", path))?;
    if !is_archive {
        return Ok(Opened {
            source,
            bytes: bytes.filter(|_| is_plain),
        });
    }
    let member = archive::member(source, HISTORY).map_err(at("read", path))?;
    let missing = || io::Error::other(format!("the archive holds no {HISTORY}"));
    let member = member.ok_or_else(|| at("read", path)(missing()))?;
    Ok(Opened {
        bytes: Some(member.bytes_left()),
        source: Box::new(member),
    })
}

/// Whether a file is an archive, compressed or not.
///
/// # Errors
/// When it cannot be read.
pub fn is_archive(path: &Path) -> Result<bool, ResultsError> {
    let looked = File::open(path)
        .and_then(decompressed)
        .and_then(|(source, _)| looked_at(source));
    looked
        .map(|(_, is_archive)| is_archive)
        .map_err(at("read", path))
}

/// A member of an archive, by its name; none if the archive has none of that name.
///
/// # Errors
/// When the file cannot be read, or is damaged.
pub fn member(path: &Path, name: &str) -> Result<Option<Vec<u8>>, ResultsError> {
    let read = || -> io::Result<Option<Vec<u8>>> {
        let (source, _) = decompressed(File::open(path)?)?;
        let Some(mut member) = archive::member(source, name)? else {
            return Ok(None);
        };
        if member.bytes_left() > MEMBER_BYTES_MAX {
            return Err(io::Error::other(format!("its {name} is too large")));
        }
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    read().map_err(at("read", path))
}

/// Reads a whole file, decompressed if it is compressed.
///
/// # Errors
/// When it cannot be read, or is damaged.
pub fn read(path: &Path) -> Result<Vec<u8>, ResultsError> {
    let mut bytes = Vec::new();
    let read = open(path)?.source.read_to_end(&mut bytes);
    read.map_err(at("read", path))?;
    Ok(bytes)
}

/// The content of a source, and whether that is what the source has.
fn decompressed(source: impl Read + Send + 'static) -> io::Result<(Box<dyn Read + Send>, bool)> {
    let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
    let first = source.fill_buf()?;
    Ok(if first.starts_with(&GZIP) {
        (Box::new(MultiGzDecoder::new(source)), false)
    } else if first.starts_with(&ZSTD) {
        (Box::new(Frames::new(source)), false)
    } else {
        (Box::new(source), true)
    })
}

/// The source, and whether it is an archive. Of lines, no more than what has come is waited for.
fn looked_at(mut source: Box<dyn Read + Send>) -> io::Result<(Box<dyn Read + Send>, bool)> {
    let mut head = vec![0; archive::HEAD_BYTES];
    let mut length = 0;
    while length < head.len() && !head[..length].contains(&b'\n') {
        match source.read(&mut head[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(length);
    let is_archive = archive::is_archive(&head);
    Ok((Box::new(Cursor::new(head).chain(source)), is_archive))
}

/// Whether an archive has a member of that name.
///
/// # Errors
/// When the file cannot be read, or is damaged.
pub fn has_member(path: &Path, name: &str) -> Result<bool, ResultsError> {
    let found = File::open(path)
        .and_then(decompressed)
        .and_then(|(source, _)| archive::member(source, name));
    found
        .map(|member| member.is_some())
        .map_err(at("read", path))
}

/// Zstandard frames, one after the other.
struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    is_within: bool,
}

impl<R: BufRead> Frames<R> {
    fn new(source: R) -> Frames<R> {
        Frames {
            source,
            decoder: FrameDecoder::new(),
            is_within: false,
        }
    }

    /// Begins the next frame; false at the end of the source.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.source) {
                Ok(()) => {
                    self.is_within = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped =
                        io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
                    if skipped < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    fn end(&mut self) -> io::Result<()> {
        self.is_within = false;
        let (stored, computed) = (
            self.decoder.get_checksum_from_data(),
            self.decoder.get_calculated_checksum(),
        );
        match (stored, computed) {
            (Some(stored), Some(computed)) if stored != computed => Err(io::Error::other(
                "the content does not have the checksum of its frame",
            )),
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_within && !self.begin()? {
                return Ok(0);
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let decoded = self
                    .decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
                decoded.map_err(io::Error::other)?;
            }
            let length = self.decoder.read(buffer)?;
            if length > 0 {
                return Ok(length);
            }
            self.end()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn content() -> Vec<u8> {
        (0..50_000_u32)
            .flat_map(|n| format!("{{:index {n}}}\n").into_bytes())
            .collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    fn read_all(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        decompressed(Cursor::new(bytes))?.0.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn compressed_files_are_told_by_their_content() {
        let whole = content();
        let (first, second) = whole.split_at(whole.len() / 3);
        for compress in [gzip, zstd, <[u8]>::to_vec] {
            assert_eq!(read_all(compress(&whole)).expect("read"), whole);
            // Members and frames may follow each other.
            let parts = [compress(first), compress(second)].concat();
            assert_eq!(read_all(parts).expect("read"), whole);
        }
        assert!(gzip(&whole).len() < whole.len() / 4);
        assert_eq!(read_all(Vec::new()).expect("read"), b"");
    }

    #[test]
    fn frames_to_skip_are_skipped() {
        let mut bytes = zstd(b"one ");
        bytes.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
        bytes.extend_from_slice(&zstd(b"two"));
        assert_eq!(read_all(bytes).expect("read"), b"one two");
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let whole = content();
        for compress in [gzip, zstd] {
            let good = compress(&whole);
            for at in (4..good.len()).step_by(good.len() / 40 + 1) {
                assert!(read_all(good[..at].to_vec()).is_err(), "cut at {at}");
                let mut bad = good.clone();
                bad[at] ^= 0x55;
                // Not every bit is covered by a checksum of the content, but none may change the content unnoticed.
                if let Ok(read) = read_all(bad) {
                    assert!(read == whole, "changed at {at}");
                }
            }
        }
    }
}
