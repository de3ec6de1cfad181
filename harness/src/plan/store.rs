//! Settings of the store beyond N, R and W as a person writes them: the table `[store]` of a plan, and flags.
//!
//! Everything is optional here. What the settings mean is the node's business (`quorate_node::config`).

use quorate_node::config::{
    AntiEntropy, DataCentre, HintHolder, Hints, Limits, NodeId, Options, Purge, Reads, Resolution,
    Speculation, StampSource, Stamping, Tie, Versions,
};
use serde::Deserialize;

use super::leader::leader;
use super::membership::membership;
use super::spec::unknown;
use super::{PlanError, parse_duration_ms};

/// What a person says about the store beyond N, R and W.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreSpec {
    /// `lww`, `dvv` (siblings) or `dvv-newest` (version vectors, clients get the newest sibling).
    pub versions: Option<String>,
    /// With `lww`: `coordinator`, `client` or `hybrid`.
    pub stamps: Option<String>,
    /// With `lww`: `nanosecond` or `millisecond`.
    pub resolution: Option<String>,
    /// With `lww`: `node-id` or `larger-value`.
    pub tie: Option<String>,
    /// Data centres: `us:1,3,5:3 eu:2,4,6:3`, each a name, its nodes and its replication factor.
    pub data_centres: Option<String>,
    /// Whether other nodes may stand in for replicas.
    pub sloppy: Option<bool>,
    /// PR.
    pub pr: Option<u16>,
    /// PW.
    pub pw: Option<u16>,
    /// DW.
    pub dw: Option<u16>,
    /// Who keeps hints: `nobody`, `fallback` or `coordinator`.
    pub hints: Option<String>,
    /// Whether hints are in the log.
    pub hints_durable: Option<bool>,
    /// For how long hints are kept.
    pub hint_window: Option<String>,
    /// Most bytes of hints for one node.
    pub hint_bytes: Option<u64>,
    /// How often hints are handed over.
    pub hint_interval: Option<String>,
    /// Most bytes of hints that are handed over in a second.
    pub hint_throttle: Option<u64>,
    /// Share of reads that repair, percent.
    pub repair_percent: Option<u8>,
    /// How many replicas must hold what a read returns.
    pub write_back: Option<u16>,
    /// Whether reads ask for digests.
    pub digest_reads: Option<bool>,
    /// When reads turn to others: `quarter`, `never`, a duration, or `99p`.
    pub speculative_retry: Option<String>,
    /// How often replicas compare hash trees: a duration, or `never`.
    pub anti_entropy: Option<String>,
    /// When tombstones are forgotten: `never`, `after <duration>` or `when-all-have <duration>`.
    pub purge: Option<String>,
    /// A store with a leader, and how it replicates: `async`, `semi-sync 1`, `semi-sync 1 fallback 10s` or `majority`.
    pub leader: Option<String>,
    /// Who replaces a silent leader.
    pub promotion: Option<String>,
    /// How long a leader may serve after a majority heard it last, or `none`.
    pub lease: Option<String>,
    /// Whether nodes refuse an old leader.
    pub fencing: Option<bool>,
    /// How long a leader may be silent.
    pub detect: Option<String>,
    /// Who answers reads: `leader` or `any`.
    pub leader_reads: Option<String>,
    /// Most requests that a node coordinates at a time.
    pub max_requests: Option<u32>,
    /// Most keys that a node holds.
    pub max_keys: Option<u64>,
    /// Most bytes of memory that keys, values and version vectors may take in a node.
    pub max_bytes: Option<u64>,
    /// Who is there: `direct` (whoever is connected, all in the ring) or `gossip`.
    pub membership: Option<String>,
    /// With `gossip`: the nodes that are in the ring at first, such as `1,2,3,4,5`; the others are spare.
    pub ring_members: Option<String>,
    /// With `gossip`: how often a node is probed.
    pub probe_period: Option<String>,
    /// With `gossip`: how long a suspect has until it is believed dead.
    pub suspicion: Option<String>,
}

impl StoreSpec {
    /// These settings, and those of `base` where these say nothing.
    #[must_use]
    pub fn over(self, base: StoreSpec) -> StoreSpec {
        StoreSpec {
            versions: self.versions.or(base.versions),
            stamps: self.stamps.or(base.stamps),
            resolution: self.resolution.or(base.resolution),
            tie: self.tie.or(base.tie),
            data_centres: self.data_centres.or(base.data_centres),
            sloppy: self.sloppy.or(base.sloppy),
            pr: self.pr.or(base.pr),
            pw: self.pw.or(base.pw),
            dw: self.dw.or(base.dw),
            hints: self.hints.or(base.hints),
            hints_durable: self.hints_durable.or(base.hints_durable),
            hint_window: self.hint_window.or(base.hint_window),
            hint_bytes: self.hint_bytes.or(base.hint_bytes),
            hint_interval: self.hint_interval.or(base.hint_interval),
            hint_throttle: self.hint_throttle.or(base.hint_throttle),
            repair_percent: self.repair_percent.or(base.repair_percent),
            write_back: self.write_back.or(base.write_back),
            digest_reads: self.digest_reads.or(base.digest_reads),
            speculative_retry: self.speculative_retry.or(base.speculative_retry),
            anti_entropy: self.anti_entropy.or(base.anti_entropy),
            purge: self.purge.or(base.purge),
            leader: self.leader.or(base.leader),
            promotion: self.promotion.or(base.promotion),
            lease: self.lease.or(base.lease),
            fencing: self.fencing.or(base.fencing),
            detect: self.detect.or(base.detect),
            leader_reads: self.leader_reads.or(base.leader_reads),
            max_requests: self.max_requests.or(base.max_requests),
            max_keys: self.max_keys.or(base.max_keys),
            max_bytes: self.max_bytes.or(base.max_bytes),
            membership: self.membership.or(base.membership),
            ring_members: self.ring_members.or(base.ring_members),
            probe_period: self.probe_period.or(base.probe_period),
            suspicion: self.suspicion.or(base.suspicion),
        }
    }

    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        *self == StoreSpec::default()
    }

    /// What it means in a store whose coordinators wait so long, ms.
    pub(super) fn options(&self, request_timeout_ms: u64) -> Result<Options, PlanError> {
        Ok(Options {
            versions: self.versions()?,
            data_centres: self
                .data_centres
                .as_deref()
                .map_or(Ok(Vec::new()), data_centres)?,
            sloppy: self.sloppy.unwrap_or(false),
            pr: self.pr.unwrap_or(0),
            pw: self.pw.unwrap_or(0),
            dw: self.dw,
            hints: self.hints()?,
            reads: self.reads()?,
            anti_entropy: AntiEntropy {
                interval_ms: match self.anti_entropy.as_deref() {
                    None | Some("never") => None,
                    Some(text) => Some(parse_duration_ms("anti-entropy", text)?),
                },
            },
            purge: self.purge.as_deref().map_or(Ok(Purge::Never), purge)?,
            leader: leader(self, request_timeout_ms)?,
            limits: self.limits(),
            membership: membership(self)?,
        })
    }

    fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            requests_max: self.max_requests.unwrap_or(usual.requests_max),
            keys_max: self.max_keys.unwrap_or(usual.keys_max),
            bytes_max: self.max_bytes.unwrap_or(usual.bytes_max),
            ..usual
        }
    }

    fn versions(&self) -> Result<Versions, PlanError> {
        let stamping = Stamping {
            source: match self.stamps.as_deref() {
                None | Some("coordinator") => StampSource::Coordinator,
                Some("client") => StampSource::Client,
                Some("hybrid") => StampSource::Hybrid,
                Some(other) => {
                    return Err(unknown(
                        "stamps",
                        other,
                        ["coordinator", "client", "hybrid"],
                    ));
                }
            },
            resolution: match self.resolution.as_deref() {
                None | Some("nanosecond") => Resolution::Nanosecond,
                Some("millisecond") => Resolution::Millisecond,
                Some(other) => {
                    return Err(unknown("resolution", other, ["nanosecond", "millisecond"]));
                }
            },
            tie: match self.tie.as_deref() {
                None | Some("node-id") => Tie::NodeId,
                Some("larger-value") => Tie::LargerValue,
                Some(other) => return Err(unknown("tie", other, ["node-id", "larger-value"])),
            },
        };
        let siblings = match self.versions.as_deref() {
            None | Some("lww") => return Ok(Versions::Lww(stamping)),
            Some("dvv") => true,
            Some("dvv-newest") => false,
            Some(other) => return Err(unknown("versions", other, ["lww", "dvv", "dvv-newest"])),
        };
        let said = [
            (self.stamps.is_some(), "stamps"),
            (self.resolution.is_some(), "resolution"),
            (self.tie.is_some(), "tie"),
        ];
        match said.into_iter().find(|(said, _)| *said) {
            Some((_, field)) => Err(PlanError::Range {
                field,
                value: "given".to_owned(),
                why: "version vectors do not order writes by stamps: leave it out, or take versions = lww".to_owned(),
            }),
            None => Ok(Versions::Dvv { siblings }),
        }
    }

    fn hints(&self) -> Result<Hints, PlanError> {
        let usual = Hints::default();
        let holder = match self.hints.as_deref() {
            None | Some("nobody") => HintHolder::Nobody,
            Some("fallback") => HintHolder::Fallback,
            Some("coordinator") => HintHolder::Coordinator,
            Some(other) => {
                return Err(unknown(
                    "hints",
                    other,
                    ["nobody", "fallback", "coordinator"],
                ));
            }
        };
        if holder == HintHolder::Fallback && self.sloppy != Some(true) {
            return Err(PlanError::Range {
                field: "hints",
                value: "fallback".to_owned(),
                why:
                    "only with a sloppy quorum does anybody stand in: add sloppy = true (--sloppy)"
                        .to_owned(),
            });
        }
        if holder == HintHolder::Nobody && self.sloppy == Some(true) {
            return Err(PlanError::Range {
                field: "sloppy",
                value: "true".to_owned(),
                why: "who stands in keeps hints: add hints = \"fallback\" (--hints fallback)"
                    .to_owned(),
            });
        }
        Ok(Hints {
            holder,
            durable: self.hints_durable.unwrap_or(usual.durable),
            window_ms: match self.hint_window.as_deref() {
                None => usual.window_ms,
                Some(text) => Some(parse_duration_ms("hint-window", text)?),
            },
            bytes_max: self.hint_bytes.unwrap_or(usual.bytes_max),
            interval_ms: self
                .hint_interval
                .as_deref()
                .map_or(Ok(usual.interval_ms), |text| {
                    parse_duration_ms("hint-interval", text)
                })?,
            bytes_per_s_max: self.hint_throttle.unwrap_or(usual.bytes_per_s_max),
        })
    }

    fn reads(&self) -> Result<Reads, PlanError> {
        let usual = Reads::default();
        Ok(Reads {
            repair_percent: self.repair_percent.unwrap_or(usual.repair_percent),
            write_back: self.write_back,
            digest: self.digest_reads.unwrap_or(usual.digest),
            speculation: match self.speculative_retry.as_deref() {
                None | Some("quarter") => Speculation::Quarter,
                Some("never") => Speculation::Never,
                Some(text) => match text
                    .strip_suffix('p')
                    .and_then(|percent| percent.parse().ok())
                {
                    Some(percent) => Speculation::Percentile(percent),
                    None => Speculation::AfterMs(parse_duration_ms("speculative-retry", text)?),
                },
            },
        })
    }
}

/// Reads `us:1,3,5:3 eu:2,4,6:3`.
fn data_centres(text: &str) -> Result<Vec<DataCentre>, PlanError> {
    let malformed = || PlanError::Malformed {
        field: "data-centres",
        text: text.to_owned(),
        expected: "a name, its nodes and its replication factor for each, such as `us:1,3,5:3 eu:2,4,6:3`",
    };
    let centre = |text: &str| {
        let mut parts = text.split(':');
        let (name, nodes, rf) = (parts.next()?, parts.next()?, parts.next()?);
        let node = |text: &str| text.trim_start_matches('n').parse().ok().map(NodeId);
        let centre = DataCentre {
            name: name.to_owned(),
            nodes: nodes.split(',').map(node).collect::<Option<_>>()?,
            rf: rf.parse().ok()?,
        };
        parts.next().is_none().then_some(centre)
    };
    text.split_whitespace()
        .map(|part| centre(part).ok_or_else(malformed))
        .collect()
}

/// Reads `never`, `after 10s` or `when-all-have 10s`.
fn purge(text: &str) -> Result<Purge, PlanError> {
    let malformed = || PlanError::Malformed {
        field: "purge",
        text: text.to_owned(),
        expected: "`never`, `after <duration>` or `when-all-have <duration>`, such as `after 10s`",
    };
    if text == "never" {
        return Ok(Purge::Never);
    }
    let (rule, duration) = text.split_once(' ').ok_or_else(malformed)?;
    let ms = parse_duration_ms("purge", duration)?;
    match rule {
        "after" => Ok(Purge::AfterMs(ms)),
        "when-all-have" => Ok(Purge::WhenAllHaveMs(ms)),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanSpec;

    fn options(text: &str) -> Result<Options, PlanError> {
        let spec = PlanSpec::from_toml(text, "plan.toml")?;
        spec.plan(1).map(|plan| plan.store.options)
    }

    #[test]
    fn what_is_not_said_changes_nothing() {
        assert_eq!(options("").expect("a plan"), Options::default());
        let plan = PlanSpec::default().plan(1).expect("a plan");
        assert!(!plan.to_json().contains("options"));
        assert!(!plan.to_json().contains("versions"));
    }

    #[test]
    fn everything_can_be_said() {
        let options = options(
            r#"
            nodes = 6
            n = 4
            [store]
            versions = "lww"
            stamps = "hybrid"
            resolution = "millisecond"
            tie = "larger-value"
            data-centres = "us:n1,n3,n5:2 eu:2,4,6:2"
            sloppy = true
            pr = 1
            pw = 2
            dw = 1
            hints = "fallback"
            hints-durable = false
            hint-window = "3h"
            hint-bytes = 1000
            hint-interval = "10s"
            hint-throttle = 1024
            repair-percent = 10
            write-back = 3
            digest-reads = true
            speculative-retry = "99p"
            anti-entropy = "1s"
            purge = "when-all-have 10s"
            max-requests = 100
            max-keys = 1000
            max-bytes = 1000000
            membership = "gossip"
            ring-members = "1,n2,3,4"
            probe-period = "500ms"
            suspicion = "1s"
            "#,
        )
        .expect("a plan");
        assert_eq!(options.hints.window_ms, Some(10_800_000));
        assert_eq!(options.reads.speculation, Speculation::Percentile(99));
        assert_eq!(options.purge, Purge::WhenAllHaveMs(10_000));
        let limits = options.limits;
        assert_eq!(
            (limits.requests_max, limits.keys_max, limits.bytes_max),
            (100, 1_000, 1_000_000)
        );
        assert_eq!(options.data_centres[1].nodes[0], NodeId(2));
        let gossip = options.membership.gossip().expect("it gossips");
        let detector = &gossip.detector;
        assert_eq!(
            (
                detector.probe_period_ms,
                detector.probe_timeout_ms,
                detector.suspicion_ms
            ),
            (500, 150, 1_000)
        );
        assert_eq!(gossip.members, Some([1, 2, 3, 4].map(NodeId).to_vec()));
        let unsaid = Options::default();
        assert_ne!(options.versions, unsaid.versions);
        assert_ne!(options.anti_entropy, unsaid.anti_entropy);
        assert_eq!(
            (options.sloppy, options.pr, options.pw, options.dw),
            (true, 1, 2, Some(1))
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_remedy() {
        let refused = |line: &str| {
            let text = format!("[store]\n{line}");
            options(&text).expect_err("refused").to_string()
        };
        assert!(refused("versions = \"lwww\"").contains("did you mean `lww`"));
        assert!(refused("versions = \"dvv\"\ntie = \"node-id\"").contains("leave it out"));
        assert!(refused("hints = \"fallback\"").contains("--sloppy"));
        assert!(refused("sloppy = true").contains("--hints"));
        assert!(refused("purge = \"soon\"").contains("after 10s"));
        assert!(refused("data-centres = \"us\"").contains("us:1,3,5:3"));
        assert!(refused("repair-percent = 101").contains("choose 0 to 100"));
        assert!(refused("hint-interval = \"0s\"").contains("at least 1 ms"));
        assert!(refused("max-requests = 0").contains("at least 1"));
        assert!(refused("membership = \"gosip\"").contains("did you mean `gossip`"));
        assert!(refused("ring-members = \"1,2,3\"").contains("--membership gossip"));
        let gossip = |line: &str| refused(&format!("membership = \"gossip\"\n{line}"));
        assert!(gossip("ring-members = \"1,2\"").contains("at least 3"));
        assert!(gossip("ring-members = \"one\"").contains("1,2,3,4,5"));
        assert!(gossip("suspicion = \"0s\"").contains("suspicion"));
        assert!(refused("hnits = \"fallback\"").contains("hints"));
    }
}
