//! `results/runs/<id>/` and its files.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use quorate_checkers::history::{Event, Header};
use thiserror::Error;

/// The history is written in chunks of this size, bytes.
const BUFFER_BYTES: usize = 1 << 18;

/// What may go wrong with files.
#[derive(Debug, Error)]
pub enum ResultsError {
    /// A file or directory cannot be used.
    #[error("cannot {verb} {}: {source}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No run of that name.
    #[error("no run `{reference}`: {why}")]
    NoSuchRun {
        /// What was asked for.
        reference: String,
        /// What there is.
        why: String,
    },
}

/// Attaches the place to an I/O error.
pub(crate) fn at<'a>(
    verb: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> ResultsError + use<'a> {
    move |source| ResultsError::Io {
        verb,
        path: path.to_owned(),
        source,
    }
}

/// One run's directory.
#[derive(Clone, Debug)]
pub struct RunDirectory {
    id: String,
    path: PathBuf,
    root: PathBuf,
}

impl RunDirectory {
    /// Makes a new one under `root`, and points `latest` at it. The id is the time and four hex digits.
    pub fn create(root: &Path) -> Result<RunDirectory, ResultsError> {
        fs::create_dir_all(root).map_err(at("create", root))?;
        let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
        let mut salt = u64::from(std::process::id());
        loop {
            let nanos = jiff::Timestamp::now().as_nanosecond();
            let digest = xxhash_rust::xxh3::xxh3_64(format!("{nanos}-{salt}").as_bytes());
            let id = format!("{stamp}-{:04x}", digest & 0xffff);
            let path = root.join(&id);
            match fs::create_dir(&path) {
                Ok(()) => {
                    let path = path.canonicalize().map_err(at("find", &path))?;
                    let run = RunDirectory {
                        id,
                        path,
                        root: root.to_owned(),
                    };
                    run.point("latest")?;
                    return Ok(run);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => salt += 1,
                Err(source) => return Err(at("create", &path)(source)),
            }
        }
    }

    /// The directory of this path, made if there is none.
    pub fn at(path: &Path) -> Result<RunDirectory, ResultsError> {
        fs::create_dir_all(path).map_err(at("create", path))?;
        let path = path.canonicalize().map_err(at("find", path))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let parent = path.parent().unwrap_or(Path::new("/"));
        let here = std::env::current_dir().unwrap_or_default();
        Ok(RunDirectory {
            id: name.into_owned(),
            root: parent.strip_prefix(&here).unwrap_or(parent).to_owned(),
            path,
        })
    }

    /// The id: unique in its root.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path as a person would type it from here.
    pub fn display(&self) -> String {
        self.root.join(&self.id).display().to_string()
    }

    /// Writes a file of the run. The name may contain a sub-directory.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf, ResultsError> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(at("create", parent))?;
        }
        fs::write(&path, content).map_err(at("write", &path))?;
        Ok(path)
    }

    /// The history file, open for writing.
    pub fn history(&self, header: &Header) -> Result<HistoryFile, ResultsError> {
        HistoryFile::create(self.path.join("history.jsonl"), header)
    }

    /// Points the symlink `name` beside the runs at this one.
    pub fn point(&self, name: &str) -> Result<(), ResultsError> {
        let link = self.root.join(name);
        // A rename replaces the old link at once: a reader never finds none.
        let fresh = self.root.join(format!(".{name}-{}", self.id));
        let _ = fs::remove_file(&fresh);
        symlink(&self.id, &fresh).map_err(at("create", &fresh))?;
        fs::rename(&fresh, &link).map_err(at("replace", &link))
    }

    /// Moves it below another root on the same disk, and points `latest` there at it.
    pub fn move_to(&self, root: &Path) -> Result<RunDirectory, ResultsError> {
        let path = root.join(&self.id);
        fs::rename(&self.path, &path).map_err(at("move a run to", &path))?;
        let moved = RunDirectory {
            id: self.id.clone(),
            path: path.canonicalize().map_err(at("find", &path))?,
            root: root.to_owned(),
        };
        moved.point("latest")?;
        Ok(moved)
    }

    /// Removes the nodes' data directories, which are large and only of use for a post-mortem.
    pub fn drop_data(&self) -> Result<(), ResultsError> {
        let nodes = self.path.join("nodes");
        let Ok(entries) = fs::read_dir(&nodes) else {
            return Ok(());
        };
        for entry in entries.flatten() {
            let data = entry.path().join("data");
            if data.is_dir() {
                fs::remove_dir_all(&data).map_err(at("remove", &data))?;
            }
        }
        Ok(())
    }
}

/// `history.jsonl` while it is being written.
pub struct HistoryFile {
    path: PathBuf,
    file: BufWriter<File>,
    line: Vec<u8>,
}

impl HistoryFile {
    fn create(path: PathBuf, header: &Header) -> Result<HistoryFile, ResultsError> {
        let file = File::create(&path).map_err(at("create", &path))?;
        let mut history = HistoryFile {
            path,
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            line: Vec::new(),
        };
        header.to_line(&mut history.line);
        history.put()?;
        history.flush()?;
        Ok(history)
    }

    /// Appends one event.
    pub fn append(&mut self, event: &Event) -> Result<(), ResultsError> {
        self.line.clear();
        event.to_line(&mut self.line);
        self.put()
    }

    /// Hands everything to the operating system, so that it survives the death of this process.
    pub fn flush(&mut self) -> Result<(), ResultsError> {
        self.file.flush().map_err(at("write", &self.path))
    }

    /// Closes the file; it is on disk when this returns.
    pub fn close(mut self) -> Result<PathBuf, ResultsError> {
        self.flush()?;
        self.file
            .get_ref()
            .sync_all()
            .map_err(at("sync", &self.path))?;
        Ok(self.path)
    }

    fn put(&mut self) -> Result<(), ResultsError> {
        self.file
            .write_all(&self.line)
            .map_err(at("write", &self.path))
    }
}
