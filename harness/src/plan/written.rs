//! A timeline and a script as a person writes them, entry by entry. Times are texts such as `20s` or `500us`.
//!
//! What they may not be is in `legality.rs` and `script.rs`; here they are only read.

use quorate_node::config::Level;
use serde::Deserialize;

use super::texts::{parse_duration_ms, parse_duration_ns};
use super::{Ask, Cue, PlanError, Scheduled, ScriptedOp, Until};
use crate::fault::Fault;

/// One entry of a timeline written by hand.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Moment {
    /// When after the beginning of the storm, or after what it waits for [default: at once].
    pub at: Option<String>,
    /// How long; until the end, or until what it is healed by, if nothing is said.
    #[serde(rename = "for")]
    pub lasts: Option<String>,
    /// What it waits for.
    #[serde(default)]
    pub after: Vec<String>,
    /// What it is healed by.
    #[serde(default)]
    pub until: Vec<String>,
    /// What.
    pub fault: Fault,
}

/// One operation of a script written by hand.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Line {
    /// Its name, for what waits for it.
    pub name: Option<String>,
    /// When after the beginning of the load, or after what it waits for [default: at once].
    pub at: Option<String>,
    /// What it waits for.
    #[serde(default)]
    pub after: Vec<String>,
    /// Asked again until it is answered so.
    pub until: Option<Until>,
    /// Which client.
    pub client: u64,
    /// Through which node.
    pub node: u16,
    /// What.
    pub op: Ask,
    /// To which key.
    #[serde(default)]
    pub key: String,
    /// The level to ask for, unless it is the plan's: a number of replicas, or a name.
    pub level: Option<Level>,
}

impl Moment {
    /// The fault of the timeline, as the `number`th of it.
    pub(super) fn scheduled(&self, number: usize, storm_ms: u64) -> Result<Scheduled, PlanError> {
        let ms = |field, text: &Option<String>, unsaid| {
            let text = text.as_deref();
            text.map_or(Ok(unsaid), |text| parse_duration_ms(field, text))
        };
        let cue = Cue {
            after: self.after.clone(),
            until: self.until.clone(),
        };
        Ok(Scheduled {
            id: format!("f{number}"),
            at_ms: ms("timeline.at", &self.at, 0)?,
            for_ms: ms("timeline.for", &self.lasts, storm_ms)?,
            fault: self.fault.clone(),
            cue: (cue != Cue::default()).then_some(cue),
        })
    }
}

impl Line {
    /// The operation of the script.
    pub(super) fn scripted(&self) -> Result<ScriptedOp, PlanError> {
        let at = self.at.as_deref();
        Ok(ScriptedOp {
            name: self.name.clone(),
            at_ns: at.map_or(Ok(0), |at| parse_duration_ns("script.at", at))?,
            after: self.after.clone(),
            until: self.until.clone(),
            client: self.client,
            node: self.node,
            op: self.op,
            key: self.key.clone(),
            level: self.level,
        })
    }
}
