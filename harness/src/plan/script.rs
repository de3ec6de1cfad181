//! A load that is written down, operation by operation, instead of drawn from the seed: for schedules from a textbook, and for shrinking.
//!
//! It says what clients ask, when and whom. What comes back, and how long that takes, is up to the world.

use std::collections::BTreeSet;

use quorate_checkers::history::Value;
use quorate_node::config::{Level, StoreConfig};
use serde::{Deserialize, Serialize};

use super::legality::range;
use super::timeline::Signs;
use super::{Load, Phases, PlanError};
use crate::world::{Counter, OpKind, Outcome};

/// Most operations of a script.
const OPS_MAX: usize = 1_000_000;
/// Longest key, bytes.
const KEY_BYTES_MAX: usize = 255;

/// One operation of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedOp {
    /// Its name in the history, for what waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When, ns after the load began or after everything that it waits for has come; later if its client is busy then.
    pub at_ns: u64,
    /// What it waits for: `w1`, until the operation of that name came back; `f1`, until that fault was injected; `f1/healed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Asked again until it is answered so, as long as the load lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// The client that asks: 0 to clients - 1.
    pub client: u64,
    /// The node that it asks.
    pub node: u16,
    /// What it asks.
    pub op: Ask,
    /// Of which key; empty for what is of none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The level to ask for; none = R of a read, W of a write or delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// The value of a key.
    Read,
    /// To write this value, the only time on this key.
    Write(i64),
    /// To delete a key.
    Delete,
    /// What the asked node itself holds, by-passing the quorum.
    Inspect,
    /// What the asked node has counted since its start; of no key.
    Count(Counter),
    /// To compare with every peer that shares a range, now; of no key.
    Repair,
    /// Whether the asked node leads; of no key. Asked `until` the answer is 1 it goes from node to node, from this number upwards, and from
    /// then on this number means the leader, and the number that the leader had means who had this one. So a story can tell of a
    /// leader whom nobody knows beforehand.
    FindLeader(u16),
}

/// The answer that a read or inspection is asked again for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// Any.
    Answered,
    /// That there is nothing.
    Nothing,
    /// This value.
    Value(i64),
    /// These siblings, ascending.
    Values(Vec<i64>),
}

impl Until {
    /// Whether this is it. In a store with siblings one that stands alone is as good as the value.
    pub fn is_met(&self, outcome: &Outcome) -> bool {
        let Outcome::Ok { value, .. } = outcome else {
            return false;
        };
        match self {
            Until::Answered => true,
            Until::Nothing => is_alone(value, None),
            Until::Value(wanted) => is_alone(value, Some(*wanted)),
            Until::Values(wanted) => *value == Value::Json(Box::new(wanted.clone().into())),
        }
    }
}

/// Whether a read returned this and nothing beside it; none = nothing at all.
pub fn is_alone(value: &Value, wanted: Option<i64>) -> bool {
    match (value, wanted) {
        (Value::Nil, wanted) => wanted.is_none(),
        (Value::Int(value), wanted) => wanted == Some(*value),
        (Value::Json(siblings), wanted) => {
            let wanted: Vec<i64> = wanted.into_iter().collect();
            **siblings == serde_json::Value::from(wanted)
        }
    }
}

/// Whether anything in this script waits for something or can be waited for. Such a script is asked in the order in which it is written and
/// ends the load with its last operation; one that goes by the clock alone lasts as long as the plan says.
pub fn is_cued(script: &[ScriptedOp]) -> bool {
    let is_cued = |op: &ScriptedOp| op.name.is_some() || !op.after.is_empty();
    script.iter().any(is_cued)
}

impl From<Ask> for OpKind {
    fn from(ask: Ask) -> OpKind {
        match ask {
            Ask::Read => OpKind::Read,
            Ask::Write(value) => OpKind::Write(value),
            Ask::Delete => OpKind::Delete,
            Ask::Inspect => OpKind::Inspect,
            Ask::Count(counter) => OpKind::Count(counter),
            Ask::Repair => OpKind::Repair,
            Ask::FindLeader(role) => OpKind::FindLeader(role),
        }
    }
}

/// What a script may get wrong.
pub(super) fn validate(
    load: &Load,
    store: &StoreConfig,
    phases: &Phases,
    signs: &Signs<'_>,
) -> Result<(), PlanError> {
    if load.script.len() > OPS_MAX {
        let count = load.script.len();
        return Err(range("script", count, "at most 1,000,000 operations"));
    }
    let lasts_ms = phases.warm_ms.saturating_add(phases.storm_ms);
    let mut written = BTreeSet::new();
    for (number, op) in (1..).zip(&load.script) {
        let refuse = |what: &str, why: &str| {
            let value = format!("operation {number} {what}");
            Err(range("script", value, why))
        };
        if op.client >= load.clients {
            let why = format!("clients are 0 to {} (see --clients)", load.clients - 1);
            return refuse(&format!("of client {}", op.client), &why);
        }
        if op.node == 0 || op.node > store.nodes {
            let why = format!("nodes are 1 to {}", store.nodes);
            return refuse(&format!("at node {}", op.node), &why);
        }
        if op.level.is_some_and(
            |level| matches!(level, Level::Count(count) if count == 0 || count > store.n),
        ) {
            return refuse("with its level", "a quorum is 1 to N replicas");
        }
        let is_of_a_key = !matches!(op.op, Ask::Count(_) | Ask::Repair | Ask::FindLeader(_));
        if op.key.is_empty() == is_of_a_key || op.key.len() > KEY_BYTES_MAX {
            return refuse(
                "with its key",
                "a key has 1 to 255 bytes, what is of no key none",
            );
        }
        if op.at_ns / 1_000_000 >= lasts_ms {
            let why = "the load is over by then: make it longer with --for";
            return refuse(&format!("at {} ns", op.at_ns), why);
        }
        if let Some(stranger) = op.after.iter().find(|sign| !signs.has(sign)) {
            let what = format!("waits for `{stranger}`");
            return refuse(&what, "no operation and no fault has that name");
        }
        if op.until.is_some() && OpKind::from(op.op).has_effect() {
            let why = "only what has no effect can be asked again";
            return refuse("is asked until it is answered", why);
        }
        // Judges tell writes apart by what they wrote.
        if let Ask::Write(value) = op.op
            && !written.insert((&op.key, value))
        {
            let why = "each value can be written only once to a key";
            return refuse(&format!("with its write of {value} to {}", op.key), why);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, PlanSpec};

    const TWO: &str = r#"
nodes = 3
[[script]]
at = "500us"
client = 0
node = 1
op.write = 7
key = "k"
[[script]]
at = "2ms"
client = 1
node = 2
op = "read"
key = "k"
level = 1
"#;

    fn plan(text: &str) -> Result<Plan, PlanError> {
        PlanSpec::from_toml(text, "script.toml")?.plan(1)
    }

    #[test]
    fn a_script_in_toml_is_a_load_without_faults_that_lasts_as_long_as_it_must() {
        let plan = plan(TWO).expect("a plan");
        assert_eq!(plan.load.script.len(), 2);
        assert_eq!(plan.load.script[0].op, Ask::Write(7));
        assert_eq!(plan.load.script[1].at_ns, 2_000_000);
        assert_eq!((plan.load.clients, plan.timeline.len()), (2, 0));
        assert_eq!((plan.phases.warm_ms, plan.phases.storm_ms), (0, 3));
        let again = Plan::from_json(&plan.to_json(), "plan.json").expect("a plan");
        assert_eq!(again, plan);
    }

    #[test]
    fn what_a_script_says_nothing_else_may_say() {
        let refusal = plan(&format!("rate = 5\n{TWO}")).expect_err("refused");
        assert!(refusal.to_string().contains("rate"), "{refusal}");
    }

    #[test]
    fn impossible_scripts_are_refused_with_a_reason() {
        let refused = |change: fn(&mut ScriptedOp)| {
            let mut plan = plan(TWO).expect("a plan");
            change(&mut plan.load.script[1]);
            plan.validate().expect_err("refused").to_string()
        };
        assert!(refused(|op| op.client = 2).contains("clients are 0 to 1"));
        assert!(refused(|op| op.node = 4).contains("nodes are 1 to 3"));
        assert!(refused(|op| op.level = Some(Level::Count(4))).contains("1 to N"));
        assert!(refused(|op| op.key.clear()).contains("1 to 255 bytes"));
        assert!(refused(|op| op.at_ns = 3_000_000).contains("--for"));
        assert!(refused(|op| op.op = Ask::Write(7)).contains("only once"));
        assert!(refused(|op| op.after = vec!["w9".into()]).contains("waits for `w9`"));
        let until = |op: &mut ScriptedOp| {
            op.op = Ask::Delete;
            op.until = Some(Until::Answered);
        };
        assert!(refused(until).contains("has no effect"));
    }

    const CUED: &str = r#"
nodes = 3
[[timeline]]
after = ["w1"]
until = ["r1"]
fault.kill.nodes = [3]
[[script]]
name = "w1"
client = 0
node = 1
op.write = 7
key = "k"
[[script]]
name = "r1"
after = ["f1"]
until.value = 7
client = 0
node = 2
op = "read"
key = "k"
"#;

    #[test]
    fn a_script_may_wait_for_things_instead_of_for_the_clock() {
        let plan = plan(CUED).expect("a plan");
        let [first, second] = &plan.load.script[..] else {
            panic!("{:?}", plan.load.script);
        };
        assert_eq!((first.name.as_deref(), first.at_ns), (Some("w1"), 0));
        assert_eq!(second.after, ["f1"]);
        assert_eq!(second.until, Some(Until::Value(7)));
        let cue = plan.timeline[0].cue.as_ref().expect("a cue");
        assert_eq!(
            (&cue.after[..], &cue.until[..]),
            (&["w1".to_owned()][..], &["r1".to_owned()][..])
        );
        assert!(plan.phases.storm_ms >= 10_000, "{:?}", plan.phases);
        let again = Plan::from_json(&plan.to_json(), "plan.json").expect("a plan");
        assert_eq!(again, plan);
    }

    #[test]
    fn names_are_waited_for_only_if_they_are_there_once() {
        let refused = |from: &str, to: &str| {
            let text = CUED.replacen(from, to, 1);
            plan(&text).expect_err("refused").to_string()
        };
        assert!(refused("name = \"r1\"", "name = \"w1\"").contains("there already"));
        assert!(refused("name = \"r1\"", "name = \"f1\"").contains("there already"));
        assert!(refused("after = [\"w1\"]", "after = [\"w2\"]").contains("fault f1 waits for it"));
    }
}
