//! A history judged while it is read: from a file or a pipe, block by block, nothing of it kept. Of a file, the first anomalies are looked up again
//! when it has been read, for their proofs.
//!
//! It knows files; what a line means and what it proves is the business of `quorate_checkers::stream`.

use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::Ordering;

use quorate_checkers::history::{HistoryError, Quorum};
use quorate_checkers::stream::{Alarm, Proof, Prover, Read, StreamReader};

use crate::input::{self, Opened};
use crate::judging::Watch;
use crate::results::at;
use crate::run::RunError;

/// A file is read in blocks of this size, bytes; a pipe in whatever it has.
const BLOCK_BYTES: usize = 1 << 18;

/// The first anomalies of a stream, each told once: the very first, and the first that breaks a promise.
#[derive(Debug, Default)]
pub struct First {
    any: bool,
    promised: bool,
}

impl First {
    /// Whether an anomaly is to be told, given whether it breaks a promise.
    pub fn tells(&mut self, is_promised: bool) -> bool {
        let first_of_all = !std::mem::replace(&mut self.any, true);
        let first_promised = is_promised && !std::mem::replace(&mut self.promised, true);
        first_of_all || first_promised
    }

    /// Whether there is nothing left to tell.
    pub fn is_told(&self) -> bool {
        self.promised
    }
}

/// What a stream came to, and the first anomaly of each kind.
pub struct Judged {
    /// What came of it.
    pub read: Read,
    /// The first of each kind.
    pub firsts: Vec<Alarm>,
}

/// Judges a file while it is read. `tell` is called with the first anomalies as soon as they are certain, each with whether it breaks a
/// promise, by all that happened until then.
pub fn judge_stream(
    path: &Path,
    claim: Option<Quorum>,
    watch: &Watch,
    mut tell: impl FnMut(&Alarm, bool),
) -> Result<Judged, RunError> {
    let Opened { mut source, bytes } = input::open(path)?;
    watch.bytes.store(bytes.unwrap_or(0), Ordering::Relaxed);
    let refused = |source: HistoryError| RunError::History {
        path: path.to_owned(),
        source,
    };
    let mut reader = StreamReader::new(claim);
    let mut first = First::default();
    let mut firsts = Vec::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let length = source.read(&mut block).map_err(at("read", path))?;
        if length == 0 {
            break;
        }
        reader.push_block(&block[..length]).map_err(refused)?;
        watch.bytes_read.fetch_add(length as u64, Ordering::Relaxed);
        while let Some(alarm) = reader.next_alarm() {
            if !first.is_told() {
                let is_promised = reader.is_promised(&alarm).map_err(refused)?;
                if first.tells(is_promised) {
                    tell(&alarm, is_promised);
                }
            }
            keep_first(&mut firsts, alarm);
        }
    }
    let read = reader.finish().map_err(refused)?;
    for alarm in &read.alarms {
        let is_promised = alarm.is_promised(&read.exposure, &read.contract);
        if first.tells(is_promised) {
            tell(alarm, is_promised);
        }
        keep_first(&mut firsts, alarm.clone());
    }
    Ok(Judged { read, firsts })
}

/// Keeps an anomaly if it is the first of its kind, and breaks more than linearizability alone.
fn keep_first(firsts: &mut Vec<Alarm>, alarm: Alarm) {
    if alarm.guarantee(true).is_some() && firsts.iter().all(|first| first.kind != alarm.kind) {
        firsts.push(alarm);
    }
}

/// Reads a file again for the proofs of some anomalies; none if it cannot be read twice, as a pipe cannot.
pub fn prove(path: &Path, judged: &Judged) -> Result<Vec<Proof>, RunError> {
    if judged.firsts.is_empty() || !path.is_file() {
        return Ok(Vec::new());
    }
    let mut source = input::open(path)?.source;
    let mut prover = Prover::new(judged.read.header.clone(), judged.firsts.iter().cloned());
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let length = source.read(&mut block).map_err(at("read", path))?;
        if length == 0 {
            return Ok(prover.finish());
        }
        prover.push_block(&block[..length]);
    }
}

#[cfg(test)]
mod tests {
    use super::First;

    #[test]
    fn the_first_and_the_first_promised_are_told() {
        let told = |alarms: &[bool]| {
            let mut first = First::default();
            alarms
                .iter()
                .map(|&promised| first.tells(promised))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            told(&[false, false, true, true, false]),
            [true, false, true, false, false]
        );
        assert_eq!(told(&[true, false, true]), [true, false, false]);
    }
}
