//! `quorate check --model`: judge a history of any tool by what is asked of its operations.
//!
//! Also what to say of a history of another tool that comes without a model: which would fit.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use quorate_checkers::log::{InputFormat, Log};
use quorate_checkers::model::{
    Answer, FailedCas, Model, ModelOptions, NilReads, functions, judge_with, models_that_fit,
};

use super::args::{Common, Foreign, Format};
use crate::exit::Exit;
use crate::input;
use crate::judging::{Cores, attended};
use crate::report::model as report;
use crate::report::style::{Style, complain, print};

/// Bytes of a file that are looked at to tell its format.
const FIRST_BYTES: u64 = 1 << 16;

pub(super) fn main(
    model: Model,
    foreign: &Foreign,
    path: PathBuf,
    common: &Common,
    style: Style,
) -> Exit {
    let options = ModelOptions {
        model,
        keyed: foreign.keyed,
        failed_cas: foreign.failed_cas.as_deref().and_then(FailedCas::from_name),
        linearizable: foreign.linearizable,
        ignore: foreign.ignore.clone(),
        anomalies: foreign.anomalies,
        steps: foreign.steps,
        nil_reads: foreign.nil_reads.as_deref().and_then(NilReads::from_name),
    };
    let format = foreign.input_format.clone();
    let name = path.display().to_string();
    let judged = attended(common.progress, move |watch| {
        let log = read(&path, format.as_deref())?;
        watch.is_judging.store(true, Ordering::Relaxed);
        let judged = judge_with(&log, &options, &Cores(watch));
        judged.map_err(|error| format!("{}: {error}", path.display()))
    });
    let judged = match judged {
        Ok(Some(Ok(judged))) => judged,
        Ok(Some(Err(why))) => {
            complain(&why);
            return Exit::Usage;
        }
        Ok(None) => {
            complain("interrupted: nothing was judged");
            return Exit::Interrupted;
        }
        Err(error) => {
            complain(&error.to_string());
            return error.exit();
        }
    };
    match common.format {
        Format::Text => print(&report::text(&name, &judged, style)),
        Format::Json => print(&judged.to_json()),
    }
    match judged.answer {
        Answer::Kept => Exit::Kept,
        Answer::Broken => Exit::Broken,
        Answer::Undecided => Exit::Undecided,
    }
}

/// Reads a log of a named format, or of the one that its content tells.
pub(super) fn read(path: &Path, format: Option<&str>) -> Result<Log, String> {
    let bytes = input::read(path).map_err(|error| error.to_string())?;
    let log = match format.and_then(InputFormat::from_name) {
        Some(format) => Log::parse_as(&bytes, format),
        None => Log::parse(&bytes),
    };
    log.map_err(|error| format!("{}: {error}", path.display()))
}

/// What to say of a file that is a history of another tool; none if it is one of ours, or none at all.
pub(super) fn models_for(path: &Path, format: Option<&str>) -> Option<String> {
    // What comes through a pipe can be read only once.
    if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return None;
    }
    let named = format.and_then(InputFormat::from_name);
    let format = named.or_else(|| detect(path))?;
    if format == InputFormat::Quorate {
        return None;
    }
    let log = Log::parse_as(&input::read(path).ok()?, format).ok()?;
    let seen = functions(&log);
    if seen.is_empty() {
        return None;
    }
    Some(format!(
        "{}: {} of another tool, with {}: say by --model as what it is to be judged ({})",
        path.display(),
        format.name(),
        seen.join(", "),
        models_that_fit(&seen)
    ))
}

/// The format that the first bytes of a file tell.
fn detect(path: &Path) -> Option<InputFormat> {
    let mut first = Vec::new();
    let source = input::open(path).ok()?.source;
    source.take(FIRST_BYTES).read_to_end(&mut first).ok()?;
    InputFormat::detect(&first).ok()
}
