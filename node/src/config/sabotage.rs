//! Defects that are built into the node on purpose, to test the testers. Each is off unless named.

use serde::{Deserialize, Serialize};

/// A named defect, off by default, built in to test the testers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sabotage {
    /// With `EachWrite`: acknowledges before the record is synced (and keeps it in memory for a while, as `EveryMs` would).
    AckBeforeSync,
    /// The coordinator reports success at W - 1 acknowledgements.
    AckBeforeQuorum,
    /// A read asks the first R replicas of the preference list, and nobody else, ever.
    FirstROnly,
    /// Each replica stamps the write with its own clock on arrival.
    StampPerReplica,
    /// Stamps have millisecond resolution, not made unique.
    MillisecondStamps,
    /// Read repair is skipped, whatever the setting.
    DropRepair,
    /// A delete removes the record and keeps no tombstone.
    ForgetTombstone,
    /// A write that finds too few acknowledgements in time is reported as refused, not as unknown.
    RefuseAfterSending,
    /// A read finds its key by a short hash and does not compare the key itself.
    UncheckedKey,
    /// A hint is deleted when it is sent, not when its owner has acknowledged it.
    HintDeletedEarly,
    /// Every hint is addressed to the first replica of the preference list.
    HintToFirst,
    /// Dots carry no start count: a node that forgot some counts them again.
    DotReuse,
    /// Tombstones are forgotten at once, whatever the purge rule says.
    PurgeEarly,
    /// Anti-entropy leaves out a part of the key space.
    SkipRange,
    /// Acknowledgements of fallbacks count as those of the key's own replicas.
    FallbackAsPrimary,
    /// A replica that does not have a key counts as one that did not answer.
    MissingIsFailure,
    /// Replicas are asked one after the other, in the order of the preference list.
    OneAfterAnother,
    /// What a write says that its client had read is not listened to.
    DropContext,
    /// A write drops the siblings that are older than it by their stamps, although siblings are promised.
    NewestSibling,
    /// A ring change makes new owners of nodes at once, empty as they are, and counts nobody as pending.
    RingWithoutPending,
}

impl Sabotage {
    /// All of them, in the order of the documentation.
    pub const ALL: [Sabotage; 20] = [
        Sabotage::AckBeforeSync,
        Sabotage::AckBeforeQuorum,
        Sabotage::FirstROnly,
        Sabotage::StampPerReplica,
        Sabotage::MillisecondStamps,
        Sabotage::DropRepair,
        Sabotage::ForgetTombstone,
        Sabotage::RefuseAfterSending,
        Sabotage::UncheckedKey,
        Sabotage::HintDeletedEarly,
        Sabotage::HintToFirst,
        Sabotage::DotReuse,
        Sabotage::PurgeEarly,
        Sabotage::SkipRange,
        Sabotage::FallbackAsPrimary,
        Sabotage::MissingIsFailure,
        Sabotage::OneAfterAnother,
        Sabotage::DropContext,
        Sabotage::NewestSibling,
        Sabotage::RingWithoutPending,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Sabotage::AckBeforeSync => "ack-before-sync",
            Sabotage::AckBeforeQuorum => "ack-before-quorum",
            Sabotage::FirstROnly => "first-r-only",
            Sabotage::StampPerReplica => "stamp-per-replica",
            Sabotage::MillisecondStamps => "millisecond-stamps",
            Sabotage::DropRepair => "drop-repair",
            Sabotage::ForgetTombstone => "forget-tombstone",
            Sabotage::RefuseAfterSending => "refuse-after-sending",
            Sabotage::UncheckedKey => "unchecked-key",
            Sabotage::HintDeletedEarly => "hint-deleted-early",
            Sabotage::HintToFirst => "hint-to-first",
            Sabotage::DotReuse => "dot-reuse",
            Sabotage::PurgeEarly => "purge-early",
            Sabotage::SkipRange => "skip-range",
            Sabotage::FallbackAsPrimary => "fallback-as-primary",
            Sabotage::MissingIsFailure => "missing-is-failure",
            Sabotage::OneAfterAnother => "one-after-another",
            Sabotage::DropContext => "drop-context",
            Sabotage::NewestSibling => "newest-sibling",
            Sabotage::RingWithoutPending => "ring-without-pending",
        }
    }

    /// What it does wrong, where the like was seen, and which guarantee it breaks.
    #[expect(
        clippy::too_many_lines,
        reason = "one paragraph for each, and nothing else"
    )]
    pub fn paragraph(self) -> &'static str {
        match self {
            Sabotage::AckBeforeSync => {
                "A replica acknowledges a record before it is synced, although the policy says each-write. A kill -9 then takes back what was \
                 promised to last. Caught by no-lost-writes."
            }
            Sabotage::AckBeforeQuorum => {
                "The coordinator reports success at W - 1 acknowledgements, so that read and write quorums no longer overlap. \
                 Caught by fresh-reads."
            }
            Sabotage::FirstROnly => {
                "A read asks the first R replicas of the preference list and nobody else, so that one dead node makes keys unreadable \
                 although enough replicas are up. Caught by availability."
            }
            Sabotage::StampPerReplica => {
                "Each replica stamps a write with its own clock on arrival, instead of one stamp per write. Two concurrent writes \
                 then end in opposite order on two replicas, for ever. Caught by convergence."
            }
            Sabotage::MillisecondStamps => {
                "Stamps have millisecond resolution. Of two writes within one millisecond the later one may lose to the earlier by a tie rule \
                 that knows nothing of time. Caught by no-clock-loss."
            }
            Sabotage::DropRepair => {
                "Blocking read repair is configured and never done, so that a value seen once may be gone in the next read. \
                 Caught by no-inversion."
            }
            Sabotage::ForgetTombstone => {
                "A delete removes the record and leaves no tombstone, so that a replica which missed the delete brings the value back. \
                 Caught by no-resurrection."
            }
            Sabotage::RefuseAfterSending => {
                "A write that finds too few acknowledgements in time is reported as refused, although some replicas may hold it and nobody \
                 takes it back there. The honest answer is \"unknown\". Caught by no-failed-writes."
            }
            Sabotage::UncheckedKey => {
                "A read finds its record by a short hash of the key and does not compare the key itself, so that keys which collide answer \
                 for each other. Caught by no-phantoms."
            }
            Sabotage::HintDeletedEarly => {
                "The holder of a hint deletes it as soon as it has sent it, without waiting for the owner's acknowledgement, so that a message \
                 lost on the way leaves the owner behind for ever. Caught by convergence."
            }
            Sabotage::HintToFirst => {
                "Every hint is addressed to the first replica of the key, whoever the write was meant for (as in sample code: `primary_replicas[0]`), \
                 so that the replica which missed the write never gets it. Caught by convergence."
            }
            Sabotage::PurgeEarly => {
                "A tombstone is forgotten as soon as it is durable, by each replica for itself, although the rule says to wait until all have \
                 it, so that a replica which missed the delete brings the value back. Caught by no-resurrection."
            }
            Sabotage::SkipRange => {
                "Comparing hash trees leaves out one part of the key space, so that keys in it are never repaired unless they are read. Caught \
                 by convergence."
            }
            Sabotage::FallbackAsPrimary => {
                "PR and PW count the answers of nodes that stand in for replicas as if they were replicas, so that PR + PW > N promises an \
                 overlap that is not there. Caught by fresh-reads."
            }
            Sabotage::MissingIsFailure => {
                "A replica that holds nothing of a key is taken for one that did not answer (as in sample code: `filter(nonNull)`), so that reading a \
                 key which was never written, or which one replica lacks, finds no quorum. Caught by availability."
            }
            Sabotage::OneAfterAnother => {
                "A write is sent to the next replica only when the one before it has acknowledged (as in sample code: `get(1s)` in a loop), so that \
                 one slow replica at the front uses up the whole time-out although the others would do. Caught by availability."
            }
            Sabotage::RingWithoutPending => {
                "When the ring changes, the new owners of a range are asked at once, before they have copied anything, and no write waits for \
                 one acknowledgement more, so that a read finds the new owner and one that was behind. Caught by fresh-reads."
            }
            Sabotage::DotReuse | Sabotage::DropContext | Sabotage::NewestSibling => {
                self.siblings_paragraph()
            }
        }
    }

    /// The same for what only stores with siblings can get wrong.
    fn siblings_paragraph(self) -> &'static str {
        match self {
            Sabotage::DotReuse => {
                "Dots are counted per key from what the node remembers and carry no start count, so that a node which forgot an unsynced write \
                 gives its dot to another one. Replicas take the two for one write, and keep either. Caught by fresh-reads."
            }
            Sabotage::DropContext => {
                "The context that a client hands back is dropped, so that a write replaces nothing and siblings become ever more, although their \
                 clients resolve them (as sample code does that puts without one). Caught by no-sibling-explosion."
            }
            _ => {
                "A write drops the siblings whose stamps are smaller, as last-write-wins would, in a store that promises to keep them \
                 (`allow_mult` forgotten). Of two concurrent writes one is gone, and so is what it added to a set. Caught by no-concurrent-loss."
            }
        }
    }

    /// The guarantee whose checker catches it, by name.
    pub fn caught_by(self) -> &'static str {
        match self {
            Sabotage::AckBeforeSync => "no-lost-writes",
            Sabotage::AckBeforeQuorum
            | Sabotage::DotReuse
            | Sabotage::FallbackAsPrimary
            | Sabotage::RingWithoutPending => "fresh-reads",
            Sabotage::FirstROnly | Sabotage::MissingIsFailure | Sabotage::OneAfterAnother => {
                "availability"
            }
            Sabotage::StampPerReplica
            | Sabotage::HintDeletedEarly
            | Sabotage::HintToFirst
            | Sabotage::SkipRange => "convergence",
            Sabotage::MillisecondStamps => "no-clock-loss",
            Sabotage::DropRepair => "no-inversion",
            Sabotage::ForgetTombstone | Sabotage::PurgeEarly => "no-resurrection",
            Sabotage::RefuseAfterSending => "no-failed-writes",
            Sabotage::UncheckedKey => "no-phantoms",
            Sabotage::DropContext => "no-sibling-explosion",
            Sabotage::NewestSibling => "no-concurrent-loss",
        }
    }
}

/// How often the log is synced under [`Sabotage::AckBeforeSync`], ms: seldom, so that `kill -9` finds something to lose.
pub const SABOTAGED_SYNC_MS: u64 = 1_000;
