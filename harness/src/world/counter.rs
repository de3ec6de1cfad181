//! What nodes count, by name: so that a script can ask for it and wait for it.

use quorate_node::protocol::leader::Phase;
use quorate_node::wire::Status;
use serde::{Deserialize, Serialize};

/// Something that a node counts. Since its start, unless it is what there is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counter {
    /// Connections to peers now.
    Peers,
    /// How long the last failover took that this node knows of, ms: until the silence of the old leader was acted on.
    DetectMs,
    /// Then, until there was another.
    ElectMs,
    /// Then, until it served.
    OpenMs,
    /// Requests refused before anything was sent.
    Refused,
    /// Writes and deletes acknowledged.
    WritesOk,
    /// Reads that found a stale replica.
    ReadsRepaired,
    /// Hints taken into keeping.
    HintsKept,
    /// Hints that were not taken: too many bytes, or their owner gone for too long.
    HintsRefused,
    /// Hints handed over.
    HintsDelivered,
    /// Hints that became too old.
    HintsExpired,
    /// Hints in keeping now.
    HintsPending,
    /// Their bytes.
    HintBytesPending,
    /// Writes that left more than one sibling.
    SiblingsMade,
    /// Tombstones forgotten.
    TombstonesPurged,
    /// Comparisons with a peer that came to their end.
    Comparisons,
    /// Nodes of hash trees compared.
    TreeNodes,
    /// Keys sent to peers because trees differed.
    KeysMoved,
    /// Their bytes.
    BytesMoved,
}

impl Counter {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Counter::Peers => "peers",
            Counter::DetectMs => "detect-ms",
            Counter::ElectMs => "elect-ms",
            Counter::OpenMs => "open-ms",
            Counter::Refused => "refused",
            Counter::WritesOk => "writes-ok",
            Counter::ReadsRepaired => "reads-repaired",
            Counter::HintsKept => "hints-kept",
            Counter::HintsRefused => "hints-refused",
            Counter::HintsDelivered => "hints-delivered",
            Counter::HintsExpired => "hints-expired",
            Counter::HintsPending => "hints-pending",
            Counter::HintBytesPending => "hint-bytes-pending",
            Counter::SiblingsMade => "siblings-made",
            Counter::TombstonesPurged => "tombstones-purged",
            Counter::Comparisons => "comparisons",
            Counter::TreeNodes => "tree-nodes",
            Counter::KeysMoved => "keys-moved",
            Counter::BytesMoved => "bytes-moved",
        }
    }

    /// Its number among those of a node.
    pub(super) fn of(self, status: &Status) -> u64 {
        let counters = &status.counters;
        match self {
            Counter::Peers => status.connected.len() as u64,
            Counter::DetectMs => last_ms(status, Phase::Detect),
            Counter::ElectMs => last_ms(status, Phase::Elect),
            Counter::OpenMs => last_ms(status, Phase::Open),
            Counter::Refused => counters.refused,
            Counter::WritesOk => counters.writes_ok,
            Counter::ReadsRepaired => counters.reads_repaired,
            Counter::HintsKept => counters.hints_kept,
            Counter::HintsRefused => counters.hints_refused,
            Counter::HintsDelivered => counters.hints_delivered,
            Counter::HintsExpired => counters.hints_expired,
            Counter::HintsPending => counters.hints_pending,
            Counter::HintBytesPending => counters.hint_bytes_pending,
            Counter::SiblingsMade => counters.siblings_made,
            Counter::TombstonesPurged => counters.tombstones_purged,
            Counter::Comparisons => counters.comparisons,
            Counter::TreeNodes => counters.tree_nodes,
            Counter::KeysMoved => counters.keys_moved,
            Counter::BytesMoved => counters.bytes_moved,
        }
    }
}

/// How long the last of these phases took, ms; 0 if there was none.
fn last_ms(status: &Status, phase: Phase) -> u64 {
    let mut phases = status.led.iter().flat_map(|led| &led.phases);
    let last = phases.rfind(|event| event.phase == phase);
    last.map_or(0, |event| {
        event.to_ns.saturating_sub(event.from_ns) / 1_000_000
    })
}
