//! Judging the logs of any tool by a model: what its operations mean, and whether what they say can be.
//!
//! A log alone says nothing of the store, so there are no promises here: the model is the question. [`judge`] splits a log by key, lets
//! the cheapest exact judge decide each, and says who decided and how much it judged. What nobody could decide is undecided, never kept.

mod claims;
mod error;
mod options;
mod register;
mod report;
mod sessions;
mod sets;
mod siblings;
mod subject;
mod values;
mod words;

#[cfg(test)]
mod tests;

pub use claims::Claim;
pub use error::{ModelError, functions, models_that_fit};
pub use options::{FailedCas, Model, ModelOptions, NilReads};
pub use report::{Answer, Ignored, KeyReport, ModelAnomaly, Outcomes, Report};

use crate::executor::{Executor, Sequential};
use crate::history::Status;
use crate::log::Log;
use subject::{KeyOperations, Subject};

/// Version of the report's document.
const FORMAT: u32 = 1;

/// Judges a log by a model.
///
/// # Errors
/// When the events do not fit together, the model knows none of the operations, or cannot understand a value.
pub fn judge(log: &Log, options: &ModelOptions) -> Result<Report, ModelError> {
    judge_with(log, options, &Sequential)
}

/// As [`judge`], with as many keys at once as the executor can do. The report is the same.
///
/// # Errors
/// As [`judge`].
pub fn judge_with(
    log: &Log,
    options: &ModelOptions,
    executor: &impl Executor,
) -> Result<Report, ModelError> {
    let subject = Subject::of(log, options)?;
    let keys = subject.keys()?;
    let mut report = Report {
        format: FORMAT,
        model: options.model,
        question: options.model.question(),
        input_format: log.format.name(),
        assumptions: assumptions(log, options),
        answer: Answer::Undecided,
        why: None,
        events: log.events.len() as u64,
        torn_tail: log.torn_tail,
        operations: Outcomes::default(),
        ignored: ignored(&subject),
        keys: Vec::new(),
        told_max: options.anomalies,
        claims: match options.model {
            Model::Sessions => claims::judge_claims(&subject, &keys, sessions::GUARANTEES),
            _ => Vec::new(),
        },
        notes: notes(&subject),
    };
    for operation in keys
        .iter()
        .flat_map(|(_, places)| places)
        .map(|&place| &subject.operations[place])
    {
        match operation.status {
            Status::Ok => report.operations.ok += 1,
            Status::Fail => report.operations.fail += 1,
            Status::Info => report.operations.info += 1,
        }
    }
    report.keys = if options.model == Model::Causal {
        sessions::judge_causal(&subject, &keys)
    } else {
        let judged = executor.map(keys.iter().collect(), |key| judge_key(&subject, key));
        let judged: Result<Vec<Vec<KeyReport>>, ModelError> = judged.into_iter().collect();
        judged?.into_iter().flatten().collect()
    };
    if let Some(told) = options.anomalies {
        for key in &mut report.keys {
            key.anomalies.truncate(told);
        }
    }
    report.settle();
    Ok(report)
}

fn judge_key(subject: &Subject<'_>, key: &KeyOperations) -> Result<Vec<KeyReport>, ModelError> {
    let (name, places) = (key.0.as_ref(), &key.1);
    Ok(match subject.options.model {
        Model::Register | Model::CasRegister => vec![register::judge(subject, name, places)?],
        Model::Set | Model::SetFull | Model::GrowOnlySet | Model::SetRmw => {
            vec![sets::judge(subject, name, places)?]
        }
        Model::Siblings => vec![siblings::judge(subject, name, places)?],
        Model::Sessions | Model::Causal => sessions::judge(subject, key),
    })
}

/// What was taken for granted, so that a reader can object.
fn assumptions(log: &Log, options: &ModelOptions) -> Vec<String> {
    let mut all = Vec::new();
    if options.model == Model::CasRegister {
        all.push(match options.failed_cas(log.format) {
            FailedCas::Reads => "a failed cas returns the value that it found".to_owned(),
            FailedCas::Nothing => "a failed cas says nothing".to_owned(),
            FailedCas::NotEqual => {
                "a failed cas says that the value was not the expected one".to_owned()
            }
        });
    }
    if options.model == Model::Siblings || !options.model.functions().contains(&"write") {
        return all;
    }
    all.push(match options.nil_reads(log.format) {
        NilReads::Initial => "a read of nil returned what was there in the beginning".to_owned(),
        NilReads::Unknown => "a read of nil says nothing".to_owned(),
    });
    all
}

fn ignored(subject: &Subject<'_>) -> Vec<Ignored> {
    let known = subject.options.model.functions();
    let all = subject.functions().into_iter();
    let unknown = all.filter(|(f, _)| !known.contains(f));
    unknown
        .map(|(f, count)| Ignored {
            f: f.to_owned(),
            count,
        })
        .collect()
}

/// Says if values look as though they were keyed.
fn notes(subject: &Subject<'_>) -> Vec<String> {
    let known = subject.options.model.functions();
    let mut asked = subject
        .operations
        .iter()
        .filter(|operation| known.contains(&&*operation.f) && &*operation.f != "cas")
        .peekable();
    let is_pair = |value: &crate::log::Datum| value.pair().is_some();
    let paired = asked.peek().is_some()
        && asked.all(|operation| is_pair(&subject.log.events[operation.invocation].value));
    if paired && !subject.options.keyed {
        return vec![
            "all values are pairs: if they are [key value], judge with --keyed".to_owned(),
        ];
    }
    Vec::new()
}
