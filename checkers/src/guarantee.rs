//! The properties that a store may promise, one paragraph each.
//!
//! This enum is the single source for `--help`, `list`, `explain` and the reports. It says what each property *is*;
//! `contract.rs` says who promises it.

use std::fmt;

use crate::history::{Values, Versions};

/// A property that a store may promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarantee {
    /// Reads return only values that somebody wrote to that key, and never before they were written.
    NoPhantoms,
    /// A write that was refused never becomes visible.
    NoFailedWrites,
    /// A read returns the newest write that was acknowledged before the read began, or a newer one.
    FreshReads,
    /// Once a read has returned a value, no later read returns an older one.
    NoInversion,
    /// No client can tell a key from one that does one thing at a time.
    Linearizability,
    /// A session sees its own writes.
    ReadYourWrites,
    /// A session never sees an older version after a newer one.
    MonotonicReads,
    /// Nobody sees two writes of one session in the reverse order.
    MonotonicWrites,
    /// Nobody sees a write before what its session had read.
    WritesFollowReads,
    /// A read returns nothing that something it knows of has replaced.
    CausalConsistency,
    /// And all sessions agree on one order of the writes of each key.
    CausalConvergence,
    /// An acknowledged write, or one that replaced it, is still held by some replica after all faults are healed.
    NoLostWrites,
    /// Once a delete was acknowledged, what it deleted is never read again.
    NoResurrection,
    /// An acknowledged write is never beaten by a write that had finished before it began.
    NoClockLoss,
    /// Of concurrent acknowledged writes, none is silently dropped. Last-write-wins never promises this.
    NoConcurrentLoss,
    /// What a client adds to a set that it read, and writes back acknowledged, is in the set in the end.
    NoLostUpdates,
    /// A read returns no value together with one that replaced it.
    NoSiblingExplosion,
    /// After all faults are healed and the cluster was left in peace, all replicas of a key hold the same.
    Convergence,
    /// Operations succeed whenever enough replicas are within reach of their coordinator.
    Availability,
}

const LINEARIZABILITY: &str = "No client can tell a key from one that does one thing at a time: all operations fit into \
     one order that respects real time, in which every read returns what was written last. Promised when fresh reads and no \
     inversion are, with synchronised clocks. Judged exactly, key by key: by zones, in one pass, where no value is written \
     twice, else by a search that may give up and then says so. Broken when a key is not-linearizable: reads that are stale, \
     go back in time, or fit into no order together although each alone would.";

impl Guarantee {
    /// All of them, in the order of reports.
    pub const ALL: [Guarantee; 19] = [
        Guarantee::NoPhantoms,
        Guarantee::NoFailedWrites,
        Guarantee::FreshReads,
        Guarantee::NoInversion,
        Guarantee::Linearizability,
        Guarantee::ReadYourWrites,
        Guarantee::MonotonicReads,
        Guarantee::MonotonicWrites,
        Guarantee::WritesFollowReads,
        Guarantee::CausalConsistency,
        Guarantee::CausalConvergence,
        Guarantee::NoLostWrites,
        Guarantee::NoResurrection,
        Guarantee::NoClockLoss,
        Guarantee::NoConcurrentLoss,
        Guarantee::NoLostUpdates,
        Guarantee::NoSiblingExplosion,
        Guarantee::Convergence,
        Guarantee::Availability,
    ];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Guarantee::NoPhantoms => "no-phantoms",
            Guarantee::NoFailedWrites => "no-failed-writes",
            Guarantee::FreshReads => "fresh-reads",
            Guarantee::NoInversion => "no-inversion",
            Guarantee::Linearizability => "linearizability",
            Guarantee::ReadYourWrites => "read-your-writes",
            Guarantee::MonotonicReads => "monotonic-reads",
            Guarantee::MonotonicWrites => "monotonic-writes",
            Guarantee::WritesFollowReads => "writes-follow-reads",
            Guarantee::CausalConsistency => "causal-consistency",
            Guarantee::CausalConvergence => "causal-convergence",
            Guarantee::NoLostWrites => "no-lost-writes",
            Guarantee::NoResurrection => "no-resurrection",
            Guarantee::NoClockLoss => "no-clock-loss",
            Guarantee::NoConcurrentLoss => "no-concurrent-loss",
            Guarantee::NoLostUpdates => "no-lost-updates",
            Guarantee::NoSiblingExplosion => "no-sibling-explosion",
            Guarantee::Convergence => "convergence",
            Guarantee::Availability => "availability",
        }
    }

    /// The name in tables and sentences.
    pub fn title(self) -> &'static str {
        match self {
            Guarantee::NoPhantoms => "no phantoms",
            Guarantee::NoFailedWrites => "no failed writes",
            Guarantee::FreshReads => "fresh reads",
            Guarantee::NoInversion => "no inversion",
            Guarantee::Linearizability => "linearizability",
            Guarantee::ReadYourWrites => "read your writes",
            Guarantee::MonotonicReads => "monotonic reads",
            Guarantee::MonotonicWrites => "monotonic writes",
            Guarantee::WritesFollowReads => "writes follow reads",
            Guarantee::CausalConsistency => "causal consistency",
            Guarantee::CausalConvergence => "causal convergence",
            Guarantee::NoLostWrites => "no lost writes",
            Guarantee::NoResurrection => "no resurrection",
            Guarantee::NoClockLoss => "no clock loss",
            Guarantee::NoConcurrentLoss => "no concurrent loss",
            Guarantee::NoLostUpdates => "no lost updates",
            Guarantee::NoSiblingExplosion => "no sibling explosion",
            Guarantee::Convergence => "convergence",
            Guarantee::Availability => "availability",
        }
    }

    /// The name of what breaks it.
    pub fn anomaly_name(self) -> &'static str {
        match self {
            Guarantee::NoPhantoms => "phantom",
            Guarantee::NoFailedWrites => "failed-write-visible",
            Guarantee::FreshReads => "stale-read",
            Guarantee::NoInversion => "inversion",
            Guarantee::Linearizability => "not-linearizable",
            Guarantee::ReadYourWrites => "unread-own-write",
            Guarantee::MonotonicReads => "non-monotonic-read",
            Guarantee::MonotonicWrites => "reordered-writes",
            Guarantee::WritesFollowReads => "write-before-read",
            Guarantee::CausalConsistency => "causality-violation",
            Guarantee::CausalConvergence => "causal-disagreement",
            Guarantee::NoLostWrites => "lost-write",
            Guarantee::NoResurrection => "resurrected-delete",
            Guarantee::NoClockLoss => "clock-loss",
            Guarantee::NoConcurrentLoss => "concurrent-loss",
            Guarantee::NoLostUpdates => "lost-update",
            Guarantee::NoSiblingExplosion => "sibling-explosion",
            Guarantee::Convergence => "divergence",
            Guarantee::Availability => "unavailability",
        }
    }

    /// The guarantee of a name, or of the anomaly that breaks it.
    pub fn from_name(name: &str) -> Option<Guarantee> {
        Guarantee::ALL
            .into_iter()
            .find(|g| g.name() == name || g.anomaly_name() == name)
    }

    /// What it is, when it is promised, and what breaks it.
    pub fn paragraph(self) -> &'static str {
        match self {
            Guarantee::NoPhantoms => {
                "A read returns only a value that some client wrote to that key, and never before that write was \
                 asked for. Always promised, whatever N, R and W. Broken by a phantom: a value from nowhere, which \
                 means corruption, mixed-up keys, or a replica that answers with another run's data."
            }
            Guarantee::NoFailedWrites => {
                "A write that the store refused never becomes visible. Always promised: an answer of \"failed\" means \
                 that nothing was sent to any replica. Broken by a failed-write-visible: a store that reports failure \
                 after some replicas took the write, and does not say \"unknown\" as it should."
            }
            Guarantee::FreshReads => {
                "A read returns the newest write that was acknowledged before the read began, or a newer one. \
                 Promised when W + R > N + f, where f is the number of replicas that may have forgotten what they \
                 acknowledged, and when the clocks that stamp the writes are synchronised: then every read quorum \
                 meets every write quorum in a replica that remembers. Named levels count per data centre, nodes that stand in for \
                 replicas do not count, and a hint counts for nothing. Broken by a stale-read."
            }
            Guarantee::NoInversion => {
                "Once a read has returned a value, no read that begins later returns an older one. Promised when \
                 K + R > N + f, where K is the number of replicas that hold a value for certain once a read returned \
                 it: R with blocking read repair, 1 without. Broken by an inversion: two reads that go back in time. \
                 When clocks are skewed only flip-flops count (B, then A, then B again), because then nobody \
                 can tell which write the store holds to be the older."
            }
            Guarantee::Linearizability => LINEARIZABILITY,
            Guarantee::ReadYourWrites
            | Guarantee::MonotonicReads
            | Guarantee::MonotonicWrites
            | Guarantee::WritesFollowReads
            | Guarantee::CausalConsistency
            | Guarantee::CausalConvergence => self.session_paragraph(),
            Guarantee::NoLostWrites => {
                "After all faults are healed, an acknowledged write or one that replaced it is still held by some replica. Promised when W > f, \
                 where f is the number of those who may have forgotten what they acknowledged, or only kept a hint that may be gone. Broken \
                 by a lost-write: the census of all replicas finds only older values. Without a census nothing can be said."
            }
            Guarantee::NoResurrection => {
                "Once a delete was acknowledged, what it deleted is not read again. Promised when fresh reads are: \
                 W + R > N + f with synchronised clocks. Broken by a resurrected-delete: a stale read whose missed write \
                 is a delete, or a census that finds an older value where the last word was a delete. The usual \
                 cause is a tombstone that was dropped while some replica had not seen it, so a store that forgets tombstones by the clock \
                 promises it only where none was out of reach for so long."
            }
            Guarantee::NoClockLoss => {
                "An acknowledged write is not beaten by a write that had finished before it began. Promised when \
                 clocks are synchronised: last-write-wins compares stamps, and a slow clock gives the later write the \
                 smaller one. Broken by a clock-loss: the census finds the older value everywhere, and no replica was \
                 restarted that could have forgotten the newer one."
            }
            Guarantee::NoConcurrentLoss => {
                "Of acknowledged writes that overlap in time, none is dropped in silence. Never promised by \
                 last-write-wins, which keeps the one with the largest stamp and forgets the others; only stores \
                 that keep siblings promise it. Counted as concurrent-loss, to show what last-write-wins costs."
            }
            Guarantee::NoLostUpdates | Guarantee::NoSiblingExplosion => self.siblings_paragraph(),
            Guarantee::Convergence => {
                "After all faults are healed and the cluster was left in peace, all replicas of a key hold the same \
                 value. Promised when no message can have been lost, or when somebody surely sends again what was: replicas that \
                 compare what they hold and were given the time for it, or coordinators that kept every hint and did not die. \
                 Otherwise a replica that missed a write gets it only if read repair happens to touch the key. Broken by a \
                 divergence in the census."
            }
            Guarantee::Availability => {
                "Operations succeed while enough replicas are within reach of their coordinator: W for a write, R for \
                 a read, by data centre where a level says so, and anybody where others may stand in. Always promised in this sense: a key may not be unreadable or unwritable throughout an \
                 interval without changes of faults in which its coordinators could reach enough nodes. Broken by an \
                 unavailability."
            }
        }
    }

    /// Whether it says anything about stores that do this with versions, and clients that write such values. Siblings are no register, so nothing
    /// of them is linearizable, and no order of theirs is there to agree on; nor can it be a promise in which order a session's
    /// writes are seen: whatever shows the later one shows all that this names in its context, and no more.
    pub fn is_about(self, versions: Versions, values: Values) -> bool {
        let is_lww = versions == Versions::Lww;
        let is_of_registers = is_lww && values == Values::Integers;
        match self {
            Guarantee::NoPhantoms
            | Guarantee::NoFailedWrites
            | Guarantee::Convergence
            | Guarantee::Availability => true,
            Guarantee::Linearizability
            | Guarantee::MonotonicWrites
            | Guarantee::WritesFollowReads
            | Guarantee::CausalConvergence => is_of_registers,
            Guarantee::FreshReads
            | Guarantee::NoInversion
            | Guarantee::ReadYourWrites
            | Guarantee::MonotonicReads
            | Guarantee::CausalConsistency
            | Guarantee::NoLostWrites
            | Guarantee::NoResurrection
            | Guarantee::NoClockLoss
            | Guarantee::NoConcurrentLoss => is_of_registers || !is_lww,
            Guarantee::NoLostUpdates => values == Values::Sets,
            Guarantee::NoSiblingExplosion => !is_lww,
        }
    }

    /// The same for what only siblings and sets can show.
    fn siblings_paragraph(self) -> &'static str {
        match self {
            Guarantee::NoLostUpdates => {
                "What a client adds to a set that it read, and writes back acknowledged, is in the set in the end, unless somebody took it \
                 out. Never promised by last-write-wins: of clients that started from the same version, one wins and the others' elements \
                 are gone, without any fault. Promised by stores that keep siblings when W > f, for clients that unite them. Judged where clients \
                 write sets, by the census of all replicas, united. Broken by a lost-update. What was taken out and is there again \
                 is counted beside it: a union brings it back, and nobody promises otherwise."
            }
            _ => {
                "A read returns no value together with one that replaced it, so that there are never more siblings than writes that did not \
                 know each other. Always promised by stores that keep siblings apart by dots, as a write replaces what its context names. \
                 A write without a context replaces nothing and adds a sibling in any store: those are counted. Broken by a \
                 sibling-explosion: one version vector per key instead of one dot per value, or a context that was dropped."
            }
        }
    }

    /// The same for what sessions may hope for.
    fn session_paragraph(self) -> &'static str {
        match self {
            Guarantee::ReadYourWrites => {
                "A session reads its own last acknowledged write of a key, or something newer. A session is what one client does through any \
                 coordinators, up to an operation of unknown outcome. Promised when W + R > N + f and clocks are synchronised, as \
                 fresh reads are. Broken by an unread-own-write: no order of the versions that agrees with real time lets every session see \
                 what it wrote."
            }
            Guarantee::MonotonicReads => {
                "Once a session has read a version of a key, it reads no older one. Promised when K + R > N + f, where K is the number of \
                 replicas that hold a value for certain once a read returned it: R with blocking read repair, 1 without. Broken by a \
                 non-monotonic-read: no order of the versions makes every session go forward. When clocks are skewed, \
                 real time says nothing of that order, and only what sessions saw counts."
            }
            Guarantee::MonotonicWrites => {
                "Two writes of one session are seen in their order. From outside this shows only in what sessions read, so a violation takes \
                 writes of one session and reads that go the other way round. Promised when monotonic reads are and clocks are \
                 synchronised. Broken by reordered-writes."
            }
            Guarantee::WritesFollowReads => {
                "A write is newer than whatever its session had read of that key before. From outside this shows only in what sessions \
                 read, so a violation takes a write after a read and reads that go the other way round. Promised when monotonic \
                 reads are and clocks are synchronised. Broken by a write-before-read: five operations prove it, and two more for \
                 each further client that it runs through."
            }
            Guarantee::CausalConsistency => {
                "A read returns nothing that something it knows of has replaced, on any key: an operation knows those before it in its \
                 session, the writes that it read from, and whatever those know. Promised when both fresh reads and no inversion \
                 are and clocks are synchronised, for then every key is linearizable, and so the store. Broken by a causality-violation: two to five \
                 operations prove most, and two more for each further client that the knowledge came through."
            }
            _ => {
                "Causal consistency, and all sessions agree on one order of the writes of each key: what a read knows of and did not return is \
                 older than what it returned. This is what last-write-wins claims to be. Promised as causal consistency is. Broken by a \
                 causal-disagreement: two sessions that know the same writes take them in opposite orders. Its proof may take the operations of \
                 two causality-violations."
            }
        }
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
