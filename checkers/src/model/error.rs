//! Why a log cannot be judged by a model, and what to do.

use std::collections::BTreeSet;

use thiserror::Error;

use super::options::Model;
use crate::log::{Log, LogError, LogEventType, Place};

/// Why a log cannot be judged by a model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelError {
    /// Its events do not fit together.
    #[error(transparent)]
    Log(#[from] LogError),
    /// No operation of the log is one that the model knows.
    #[error("the model {} knows {}, but the log has {seen}: {hint}", model.name(), model.functions().join(", "))]
    NothingFits {
        /// The model.
        model: Model,
        /// The names of operations in the log.
        seen: String,
        /// What would fit.
        hint: String,
    },
    /// The log has operations that the model does not know, and that may have changed what it asks about.
    #[error(
        "{place}: the model {} does not know {f}, which may have changed what others read: {hint}, or --ignore {f} if it changes nothing",
        model.name()
    )]
    UnknownOperation {
        /// The model.
        model: Model,
        /// The first such operation.
        f: String,
        /// Where it is.
        place: Place,
        /// What would fit.
        hint: String,
    },
    /// A value that the model cannot understand.
    #[error("{place}: {f} of {found}: {wanted}")]
    BadValue {
        /// Where.
        place: Place,
        /// The operation.
        f: String,
        /// Its value.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
}

/// The names of the operations in a log, each once, in their order.
pub fn functions(log: &Log) -> Vec<&str> {
    let asked = log
        .events
        .iter()
        .filter(|event| event.kind == LogEventType::Invoke && !event.process.is_nemesis());
    let names: BTreeSet<&str> = asked
        .map(|event| &*event.f)
        .filter(|f| !f.is_empty())
        .collect();
    names.into_iter().collect()
}

/// Which models know operations with these names, in words.
pub fn models_that_fit(functions: &[&str]) -> String {
    let fits = |model: &Model| functions.iter().any(|f| model.functions().contains(f));
    let knows_all = |model: &Model| functions.iter().all(|f| model.functions().contains(f));
    let fitting: Vec<Model> = Model::ALL.into_iter().filter(fits).collect();
    let whole: Vec<Model> = fitting.iter().copied().filter(knows_all).collect();
    let names = |models: &[Model]| {
        models
            .iter()
            .map(|model| model.name())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (fitting.as_slice(), whole.as_slice()) {
        ([], _) => "no model fits that".to_owned(),
        (some, []) => format!("models that know some of it: {}", names(some)),
        (_, all) => format!("models that fit: {}", names(all)),
    }
}
