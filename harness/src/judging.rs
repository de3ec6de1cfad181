//! A saved history, read and judged: in blocks, on all cores, and watched while it lasts.
//!
//! It knows files and threads; what a line means and what a history proves is the business of `quorate_checkers`. How the
//! watch is shown is in `report/watching.rs`.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use quorate_checkers::history::{History, HistoryError, HistoryReader, Quorum};
use quorate_checkers::verdict::{Verdict, judge_with};
use quorate_checkers::{Executor, Guarantee};
use rayon::prelude::*;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::interval;

use crate::input::{self, Opened};
use crate::report::progress::ProgressMode;
use crate::report::watching::{LOOK_EVERY, Watching};
use crate::results::at;
use crate::run::RunError;

/// A file is read in blocks of this size, bytes: one is read while another is understood.
const BLOCK_BYTES: usize = 4 << 20;

/// How far a judging has come. One thread works, another one looks.
#[derive(Debug, Default)]
pub struct Watch {
    /// Bytes that there are to read; 0 if nobody knows.
    pub bytes: AtomicU64,
    /// Bytes read so far.
    pub bytes_read: AtomicU64,
    /// Whether everything was read.
    pub is_judging: AtomicBool,
    /// Guarantees to judge.
    pub to_judge: AtomicU64,
    /// Guarantees judged so far.
    pub judged: AtomicU64,
}

/// All cores of this machine, counting for a watch.
pub struct Cores<'a>(pub &'a Watch);

impl Executor for Cores<'_> {
    fn width(&self) -> usize {
        rayon::current_num_threads()
    }

    fn map<T, R, W>(&self, items: Vec<T>, work: W) -> Vec<R>
    where
        T: Send,
        R: Send,
        W: Fn(T) -> R + Send + Sync,
    {
        // One item each: pieces of work are large and differ in size.
        items.into_par_iter().with_max_len(1).map(work).collect()
    }

    fn judged(&self, _guarantee: Guarantee) {
        self.0.judged.fetch_add(1, Ordering::Relaxed);
    }
}

/// Why a history could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Its bytes did not come.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// They are no history.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Reads a history from wherever its bytes come from. No more than two blocks of them are held.
pub fn read_history(mut source: impl Read + Send, watch: &Watch) -> Result<History, ReadError> {
    let cores = Cores(watch);
    let mut reader = HistoryReader::new();
    let (mut block, mut next) = (Vec::new(), Vec::new());
    fill(&mut source, &mut block)?;
    while !block.is_empty() {
        let (filled, pushed) = rayon::join(
            || fill(&mut source, &mut next),
            || reader.push_block(&block, &cores),
        );
        // What is wrong with the block comes before what is wrong behind it.
        pushed?;
        watch
            .bytes_read
            .fetch_add(block.len() as u64, Ordering::Relaxed);
        filled?;
        std::mem::swap(&mut block, &mut next);
    }
    Ok(reader.finish()?)
}

/// Fills a block from its beginning; it is shorter only at the end of the source.
fn fill(source: &mut impl Read, block: &mut Vec<u8>) -> io::Result<()> {
    block.clear();
    let limit = BLOCK_BYTES as u64;
    source.by_ref().take(limit).read_to_end(block).map(drop)
}

/// Reads a history file, on all cores.
pub fn read_history_file(path: &Path, watch: &Watch) -> Result<History, RunError> {
    let Opened {
        source: file,
        bytes,
    } = input::open(path)?;
    watch.bytes.store(bytes.unwrap_or(0), Ordering::Relaxed);
    read_history(file, watch).map_err(|error| match error {
        ReadError::Io(source) => RunError::Results(at("read", path)(source)),
        ReadError::History(source) => RunError::History {
            path: path.to_owned(),
            source,
        },
    })
}

/// Reads a history file and judges it, by another claim than its own if one is given.
pub fn judge_file(
    path: &Path,
    claim: Option<Quorum>,
    watch: &Watch,
) -> Result<(History, Verdict), RunError> {
    let mut history = read_history_file(path, watch)?;
    history.header.claim = claim.or(history.header.claim);
    let named = history.header.judges.as_ref().map(Vec::len);
    let to_judge = named.unwrap_or(Guarantee::ALL.len()) as u64;
    watch.to_judge.store(to_judge, Ordering::Relaxed);
    watch.is_judging.store(true, Ordering::Relaxed);
    let verdict = judge_with(&history, &Cores(watch));
    Ok((history, verdict))
}

/// Does work on another thread while this one shows how far it has come and minds the interrupt. None if the user interrupted
/// it: then the work goes on until the process ends, which should be at once.
pub fn attended<T: Send + 'static>(
    mode: ProgressMode,
    work: impl FnOnce(&Watch) -> T + Send + 'static,
) -> Result<Option<T>, RunError> {
    let watch = Arc::new(Watch::default());
    let mut watching = Watching::new(mode);
    let (done, mut result) = oneshot::channel();
    let worker = thread::spawn({
        let watch = Arc::clone(&watch);
        move || drop(done.send(work(&watch)))
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let ended: Result<_, RunError> = runtime.block_on(async {
        let mut interrupts = signal(SignalKind::interrupt()).map_err(RunError::Runtime)?;
        let mut looks = interval(LOOK_EVERY);
        loop {
            tokio::select! {
                _ = interrupts.recv() => return Ok(None),
                ended = &mut result => return Ok(Some(ended)),
                _ = looks.tick() => watching.look(&watch),
            }
        }
    });
    watching.end();
    match ended? {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        // It ended without a result: a panic of the work is a panic of ours.
        Some(Err(_)) => match worker.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => Ok(None),
        },
    }
}
