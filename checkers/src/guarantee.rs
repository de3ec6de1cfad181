//! The properties that a store may promise, one paragraph each.
//!
//! This enum is the single source for `--help`, `list`, `explain` and the reports. It says what each property *is*;
//! `contract.rs` says who promises it.

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
    /// An acknowledged write, or one that replaced it, is still held by some replica after all faults are healed.
    NoLostWrites,
    /// Once a delete was acknowledged, what it deleted is never read again.
    NoResurrection,
    /// An acknowledged write is never beaten by a write that had finished before it began.
    NoClockLoss,
    /// Of concurrent acknowledged writes, none is silently dropped. Last-write-wins never promises this.
    NoConcurrentLoss,
    /// After all faults are healed and the cluster was left in peace, all replicas of a key hold the same.
    Convergence,
    /// Operations succeed whenever enough replicas are within reach of their coordinator.
    Availability,
}
