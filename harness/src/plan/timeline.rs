//! The timeline of a plan: what is done to the cluster, when, and what it may wait for.
//!
//! Plain data. How a timeline is drawn from a seed is in `schedule.rs`; who waits is the conductor.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::legality::range;
use super::{Load, PlanError};
use crate::fault::Fault;

/// One fault of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduled {
    /// Its name in the history: `f1`, `f2`, ...
    pub id: String,
    /// When, ms after the storm began, or after everything that it waits for has come.
    pub at_ms: u64,
    /// How long until it is healed, ms; healed at the end of the storm at the latest.
    pub for_ms: u64,
    /// What.
    pub fault: Fault,
    /// What it waits for, instead of the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cue: Option<Cue>,
}

/// What a fault waits for: names of operations (until they came back), of faults (until they were injected), and of faults with `/healed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cue {
    /// Before it is injected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Before it is healed; if there are none it lasts as long as it says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub until: Vec<String>,
}

/// The sign that a fault of this name is healed.
pub fn healed_sign(fault: &str) -> String {
    format!("{fault}/healed")
}

/// Everything in a plan that can be waited for.
pub(super) struct Signs<'a> {
    steps: BTreeSet<&'a str>,
    faults: BTreeSet<&'a str>,
}

impl<'a> Signs<'a> {
    /// Of this load and timeline.
    ///
    /// # Errors
    /// When two things have one name.
    pub(super) fn of(load: &'a Load, timeline: &'a [Scheduled]) -> Result<Signs<'a>, PlanError> {
        let mut signs = Signs {
            steps: BTreeSet::new(),
            faults: BTreeSet::new(),
        };
        for Scheduled { id, .. } in timeline {
            // One id is one window of the history: two faults that share one would heal each other on paper.
            if !signs.faults.insert(id) {
                return Err(range("timeline", id, "two faults have this id"));
            }
        }
        for name in load.script.iter().filter_map(|op| op.name.as_deref()) {
            if !signs.steps.insert(name) || signs.faults.contains(name) {
                let why = "an operation or a fault of that name is there already";
                return Err(range("script name", name, why));
            }
        }
        Ok(signs)
    }

    /// Whether there is such a sign.
    pub(super) fn has(&self, sign: &str) -> bool {
        let fault = sign.strip_suffix("/healed").unwrap_or(sign);
        self.faults.contains(fault) || self.steps.contains(sign)
    }

    /// What a timeline may get wrong about them.
    pub(super) fn validate(&self, timeline: &[Scheduled]) -> Result<(), PlanError> {
        for Scheduled { id, cue, .. } in timeline {
            let awaited = cue
                .iter()
                .flat_map(|cue| cue.after.iter().chain(&cue.until));
            for sign in awaited {
                if !self.has(sign) {
                    let why = format!("fault {id} waits for it, but nothing has that name");
                    return Err(range("timeline sign", sign, &why));
                }
            }
        }
        Ok(())
    }
}
