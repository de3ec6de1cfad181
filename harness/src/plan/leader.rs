//! Settings of a store with a leader as a person writes them. What they mean is the node's business (`protocol::leader`).
//!
//! The times that nobody says are those of a fast local cluster: a silent leader is replaced within half a second. The defaults of known
//! systems, which take half a minute, are presets of profiles.

use quorate_node::protocol::leader::{LeaderConfig, Promotion, Reads, Redirect, Replication};

use super::spec::unknown;
use super::store::StoreSpec;
use super::{PlanError, parse_duration_ms};

/// How often a leader is heard, ms.
const HEARTBEAT_MS: u64 = 50;
/// How long a leader may be silent, ms.
const DETECT_MS: u64 = 250;

/// What is said of the leader; none if nothing asks for one.
pub(super) fn leader(
    spec: &StoreSpec,
    request_timeout_ms: u64,
) -> Result<Option<LeaderConfig>, PlanError> {
    let Some(replication) = &spec.leader else {
        let said = [
            (spec.promotion.is_some(), "promotion"),
            (spec.lease.is_some(), "lease"),
            (spec.fencing.is_some(), "fencing"),
            (spec.detect.is_some(), "detect"),
            (spec.leader_reads.is_some(), "leader-reads"),
        ];
        return match said.into_iter().find(|(said, _)| *said) {
            Some((_, field)) => Err(PlanError::Range {
                field,
                value: "given".to_owned(),
                why: "only a store with a leader has one: say how it replicates (--leader async, ...)".to_owned(),
            }),
            None => Ok(None),
        };
    };
    let replication = replication_of(replication)?;
    let majority = replication == Replication::Majority;
    let detect_ms = match spec.detect.as_deref() {
        None => DETECT_MS,
        Some(text) => parse_duration_ms("detect", text)?,
    };
    Ok(Some(LeaderConfig {
        replication,
        promotion: match spec.promotion.as_deref() {
            None if majority => Promotion::Election,
            None | Some("most-advanced-of-majority") => Promotion::MostAdvancedOfMajority,
            Some("any-follower") => Promotion::AnyFollower,
            Some("most-advanced-of-reachable") => Promotion::MostAdvancedOfReachable,
            Some("election") => Promotion::Election,
            Some(other) => {
                let known = [
                    "any-follower",
                    "most-advanced-of-majority",
                    "most-advanced-of-reachable",
                    "election",
                ];
                return Err(unknown("promotion", other, known));
            }
        },
        lease_ms: match spec.lease.as_deref() {
            None if majority => Some(2 * DETECT_MS),
            None | Some("none") => None,
            Some(text) => Some(parse_duration_ms("lease", text)?),
        },
        fencing: spec.fencing.unwrap_or(true),
        heartbeat_ms: HEARTBEAT_MS,
        detect_ms,
        jitter_ms: HEARTBEAT_MS,
        poll_ms: 2 * HEARTBEAT_MS,
        redirect: Redirect::Forward,
        reads: match spec.leader_reads.as_deref() {
            None | Some("leader") => Reads::Leader,
            Some("any") => Reads::Any,
            Some(other) => return Err(unknown("leader-reads", other, ["leader", "any"])),
        },
        request_timeout_ms,
        ..LeaderConfig::DYNAMODB
    }))
}

/// Reads `async`, `majority`, `semi-sync 1` or `semi-sync 1 fallback 10s`.
fn replication_of(text: &str) -> Result<Replication, PlanError> {
    let malformed = || PlanError::Malformed {
        field: "leader",
        text: text.to_owned(),
        expected: "`async`, `majority`, `semi-sync <copies>` or `semi-sync <copies> fallback <duration>`",
    };
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["async"] => Ok(Replication::Async),
        ["majority"] => Ok(Replication::Majority),
        ["semi-sync", copies] => Ok(Replication::SemiSync {
            k: copies.parse().map_err(|_| malformed())?,
            fallback_ms: None,
        }),
        ["semi-sync", copies, "fallback", duration] => Ok(Replication::SemiSync {
            k: copies.parse().map_err(|_| malformed())?,
            fallback_ms: Some(parse_duration_ms("leader", duration)?),
        }),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanSpec;

    fn leader_of(line: &str) -> Result<Option<LeaderConfig>, PlanError> {
        let text = format!("nodes = 3\n[store]\n{line}");
        let plan = PlanSpec::from_toml(&text, "plan.toml")?.plan(1)?;
        Ok(plan.store.options.leader)
    }

    #[test]
    fn a_leader_is_there_when_somebody_says_how_it_replicates() {
        assert_eq!(leader_of("").expect("a plan"), None);
        let said = |line| leader_of(line).expect("a plan").expect("a leader");
        assert_eq!(said("leader = \"async\"").replication, Replication::Async);
        let semi = said("leader = \"semi-sync 1 fallback 2s\"\nfencing = false");
        assert_eq!(
            semi.replication,
            Replication::SemiSync {
                k: 1,
                fallback_ms: Some(2_000)
            }
        );
        assert!(!semi.fencing);
        let majority = said("leader = \"majority\"\nleader-reads = \"any\"");
        assert_eq!(
            (majority.promotion, majority.reads),
            (Promotion::Election, Reads::Any)
        );
        assert!(majority.lease_ms.is_some());
    }

    #[test]
    fn what_no_leader_can_be_is_refused() {
        let refused = |line| leader_of(line).expect_err("refused").to_string();
        assert!(refused("lease = \"1s\"").contains("--leader"));
        assert!(refused("leader = \"sync\"").contains("semi-sync <copies>"));
        assert!(refused("leader = \"semi-sync 3\"").contains("choose 1 to 2"));
        assert!(
            refused("leader = \"async\"\npromotion = \"eldest\"")
                .contains("there are: any-follower")
        );
        let text = "nodes = 5\n[store]\nleader = \"async\"";
        let spec = PlanSpec::from_toml(text, "plan.toml").expect("a spec");
        let refusal = spec.plan(1).expect_err("refused").to_string();
        assert!(refusal.contains("N = 3 of 5"), "{refusal}");
    }
}
