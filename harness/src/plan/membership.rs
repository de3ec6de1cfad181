//! Membership as a person writes it: whether nodes gossip, how patient they are with each other, and who is in the ring at first.

use quorate_node::config::{Gossip, MembershipOptions, NodeId};
use quorate_node::protocol::membership::Settings;

use super::spec::unknown;
use super::{PlanError, StoreSpec, parse_duration_ms};

/// What a person says about who is there.
pub(super) fn membership(spec: &StoreSpec) -> Result<MembershipOptions, PlanError> {
    let said = [
        (spec.ring_members.is_some(), "ring-members"),
        (spec.probe_period.is_some(), "probe-period"),
        (spec.suspicion.is_some(), "suspicion"),
    ];
    let said = said.into_iter().find(|(said, _)| *said);
    match (spec.membership.as_deref(), said) {
        (None | Some("direct"), None) => return Ok(MembershipOptions::Direct),
        (None | Some("direct"), Some((_, field))) => {
            return Err(PlanError::Range {
                field,
                value: "given".to_owned(),
                why: "only with gossip does the ring change: add membership = \"gossip\" (--membership gossip)"
                    .to_owned(),
            });
        }
        (Some("gossip"), _) => {}
        (Some(other), _) => return Err(unknown("membership", other, ["direct", "gossip"])),
    }
    let usual = Settings::default();
    let duration = |field, text: &Option<String>, usual| {
        text.as_deref()
            .map_or(Ok(usual), |text| parse_duration_ms(field, text))
    };
    let probe_period_ms = duration("probe-period", &spec.probe_period, usual.probe_period_ms)?;
    Ok(MembershipOptions::Gossip(Gossip {
        detector: Settings {
            probe_period_ms,
            // As long a part of the period as by default.
            probe_timeout_ms: usual.probe_timeout_ms.min(probe_period_ms * 3 / 10),
            suspicion_ms: duration("suspicion", &spec.suspicion, usual.suspicion_ms)?,
            ..usual
        },
        members: spec.ring_members.as_deref().map(members).transpose()?,
    }))
}

/// Reads `1,2,n3`.
fn members(text: &str) -> Result<Vec<NodeId>, PlanError> {
    let node = |text: &str| {
        let number = text.trim().trim_start_matches('n').parse();
        number.map(NodeId).map_err(|_| PlanError::Malformed {
            field: "ring-members",
            text: text.to_owned(),
            expected: "nodes with commas between them, such as `1,2,3,4,5`",
        })
    };
    text.split(',').map(node).collect()
}
