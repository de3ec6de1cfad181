//! A load that is written down, operation by operation, instead of drawn from the seed: for schedules from a textbook, and for shrinking.
//!
//! It says what clients ask, when and whom. What comes back, and how long that takes, is up to the world.

use std::collections::BTreeSet;

use quorate_node::config::{Level, StoreConfig};
use serde::{Deserialize, Serialize};

use super::legality::range;
use super::{Load, Phases, PlanError};
use crate::world::OpKind;

/// Most operations of a script.
const OPS_MAX: usize = 1_000_000;
/// Longest key, bytes.
const KEY_BYTES_MAX: usize = 255;

/// One operation of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedOp {
    /// When, ns after the load began; later if its client is busy then.
    pub at_ns: u64,
    /// The client that asks: 0 to clients - 1.
    pub client: u64,
    /// The node that it asks.
    pub node: u16,
    /// What it asks.
    pub op: Ask,
    /// Of which key.
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
}

impl From<Ask> for OpKind {
    fn from(ask: Ask) -> OpKind {
        match ask {
            Ask::Read => OpKind::Read,
            Ask::Write(value) => OpKind::Write(value),
            Ask::Delete => OpKind::Delete,
        }
    }
}

/// What a script may get wrong.
pub(super) fn validate(load: &Load, store: &StoreConfig, phases: &Phases) -> Result<(), PlanError> {
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
        if op.key.is_empty() || op.key.len() > KEY_BYTES_MAX {
            return refuse("with its key", "a key has 1 to 255 bytes");
        }
        if op.at_ns / 1_000_000 >= lasts_ms {
            let why = "the load is over by then: make it longer with --for";
            return refuse(&format!("at {} ns", op.at_ns), why);
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
    }
}
