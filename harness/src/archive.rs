//! A run in one file: a tar archive, compressed by its name, that `replay` and `check` read back.
//!
//! Nothing of an archive is ever written to disk: single members are read by names that are known here, so that no path in it can
//! lead anywhere.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tar::{Archive, Builder, EntryType, Header};
use thiserror::Error;

use crate::results::{ResultsError, at};

/// Bytes at the beginning of an archive that tell it from other files.
pub const HEAD_BYTES: usize = 512;
/// Where a tar header has its magic.
const MAGIC_AT: usize = 257;
/// The magic of every tar format in use.
const MAGIC: &[u8] = b"ustar";

/// Directories inside a run's that hold files of the same names.
const WITHIN: [&str; 3] = ["nodes", "shrunk", "witness"];
/// What nodes wrote to their disks: large, and no part of what a run is.
const DATA: &str = "data";

/// Bytes of content in one Zstandard frame.
const FRAME_BYTES: usize = 8 << 20;

/// Why there is no archive.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// Files.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// A name that tells no format.
    #[error("{}: the name tells no format: end it in .tar.gz, .tar.zst or .tar", path.display())]
    Name {
        /// The file.
        path: PathBuf,
    },
}

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip: what everybody can read.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Packing {
    /// What the name of a file asks for.
    pub fn of(path: &Path) -> Option<Packing> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
        if ends(&[".tar"]) {
            Some(Packing::Plain)
        } else if ends(&[".tar.gz", ".tgz"]) {
            Some(Packing::Gzip)
        } else if ends(&[".tar.zst", ".tzst"]) {
            Some(Packing::Zstd)
        } else {
            None
        }
    }
}

/// What went into an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of the archive.
    pub archive_bytes: u64,
}

/// Whether a file that begins so is an archive.
pub fn is_archive(head: &[u8]) -> bool {
    head.get(MAGIC_AT..)
        .is_some_and(|rest| rest.starts_with(MAGIC))
}

/// Writes a run's directory into an archive, without the data of its nodes. The same files make the same bytes.
///
/// # Errors
/// When the name tells no format, or files cannot be read or written.
pub fn pack(run: &Path, id: &str, archive: &Path) -> Result<Packed, ArchiveError> {
    let packing = Packing::of(archive).ok_or_else(|| ArchiveError::Name {
        path: archive.to_owned(),
    })?;
    let mut files = Vec::new();
    list(run, Path::new(""), &mut files)?;
    let packed = write(run, id, &files, packing, archive);
    if packed.is_err() {
        // Half an archive is of no use to anybody.
        let _ = fs::remove_file(archive);
    }
    Ok(packed?)
}

/// The files below a directory, in order of their names, as paths from the run's directory.
fn list(run: &Path, below: &Path, files: &mut Vec<PathBuf>) -> Result<(), ResultsError> {
    let folder = run.join(below);
    let entries = fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = entries.map_err(at("read", &folder))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = below.join(entry.file_name());
        let kind = entry.file_type().map_err(at("read", &folder))?;
        // No links: what they lead to is not of this run.
        if kind.is_dir() && entry.file_name() != DATA {
            list(run, &path, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn write(
    run: &Path,
    id: &str,
    files: &[PathBuf],
    packing: Packing,
    archive: &Path,
) -> Result<Packed, ResultsError> {
    let written = at("write", archive);
    let file = File::create(archive).map_err(at("create", archive))?;
    let mut file = BufWriter::new(file);
    let bytes = match packing {
        Packing::Plain => append(run, id, files, &mut file)?,
        Packing::Gzip => {
            let mut encoder = GzEncoder::new(&mut file, Compression::default());
            let bytes = append(run, id, files, &mut encoder)?;
            encoder.finish().map_err(at("write", archive))?;
            bytes
        }
        Packing::Zstd => {
            let mut frames = Frames::new(&mut file);
            let bytes = append(run, id, files, &mut frames)?;
            frames.finish().map_err(at("write", archive))?;
            bytes
        }
    };
    let archive_bytes = file
        .into_inner()
        .map_err(io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all().and_then(|()| file.metadata()))
        .map_err(written)?
        .len();
    Ok(Packed {
        files: files.len() as u64,
        bytes,
        archive_bytes,
    })
}

fn append(
    run: &Path,
    id: &str,
    files: &[PathBuf],
    out: &mut impl Write,
) -> Result<u64, ResultsError> {
    let mut builder = Builder::new(out);
    let mut bytes = 0;
    for name in files {
        let path = run.join(name);
        let file = File::open(&path).map_err(at("read", &path))?;
        let size = file.metadata().map_err(at("read", &path))?.len();
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(size);
        header.set_mode(0o644);
        // What is written meanwhile is not part of the archive.
        let appended = builder.append_data(&mut header, Path::new(id).join(name), file.take(size));
        appended.map_err(at("pack", &path))?;
        bytes += size;
    }
    builder.finish().map_err(at("pack", run))?;
    Ok(bytes)
}

/// A writer of Zstandard frames, each of which is compressed in memory: the compressor knows no errors of its drain.
struct Frames<W> {
    out: W,
    next: Vec<u8>,
}

impl<W: Write> Frames<W> {
    fn new(out: W) -> Frames<W> {
        Frames {
            out,
            next: Vec::with_capacity(FRAME_BYTES),
        }
    }

    fn end_frame(&mut self) -> io::Result<()> {
        let frame = compress_to_vec(self.next.as_slice(), CompressionLevel::Fastest);
        self.next.clear();
        self.out.write_all(&frame)
    }

    fn finish(mut self) -> io::Result<()> {
        self.end_frame()
    }
}

impl<W: Write> Write for Frames<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.next.len() >= FRAME_BYTES {
            self.end_frame()?;
        }
        let length = bytes.len().min(FRAME_BYTES - self.next.len());
        self.next.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One member of an archive: exactly as many bytes as the archive says it has.
#[derive(Debug)]
pub struct Member<R> {
    source: io::Take<R>,
}

impl<R> Member<R> {
    /// Bytes that are still to be read.
    pub fn bytes_left(&self) -> u64 {
        self.source.limit()
    }
}

impl<R: Read> Read for Member<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        if length == 0 && !buffer.is_empty() && self.source.limit() > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(length)
    }
}

/// The first file of that name that lies at the top of an archive or in the run's own directory there; none if there is none.
///
/// # Errors
/// When the source is no archive, or is damaged.
pub fn member<R: Read>(source: R, name: &str) -> io::Result<Option<Member<R>>> {
    let mut archive = Archive::new(source);
    let mut size = None;
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.header().entry_type().is_file() && is_of_run(&entry.path()?, name) {
            size = Some(entry.size());
            break;
        }
    }
    // The source now stands where the content begins.
    Ok(size.map(|size| Member {
        source: archive.into_inner().take(size),
    }))
}

/// Whether a path is `name`, or `name` in one directory that may be a run's.
fn is_of_run(path: &Path, name: &str) -> bool {
    let mut parts = path
        .components()
        .filter(|part| !matches!(part, Component::CurDir));
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Component::Normal(file)), None, None) => file == name,
        (Some(Component::Normal(run)), Some(Component::Normal(file)), None) => {
            file == name && !WITHIN.iter().any(|within| run == *within)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
