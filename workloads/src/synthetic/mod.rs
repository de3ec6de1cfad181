//! Histories without a store: made-up clients talk to a made-up register, as many operations as one likes.
//!
//! A workload says what clients of a *real* store do; this says also what came back. Every operation takes effect at one point inside its span (a
//! write of unknown outcome perhaps later, perhaps never), so a history without corruption is linearizable by construction, and one with
//! a corruption is wrong in exactly one way. It is for measuring judges and for showing what anomalies look like; it proves nothing about
//! any store. Events come one by one, in constant memory, and are the same for the same recipe for ever.

mod corrupter;
mod simulation;

use std::fmt;

use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::history::{FORMAT, Header, Quorum, ReadRepair, Settings, Sync, header};

pub use simulation::Synthetic;

/// The made-up replicas, as the header names them.
const NODES: [&str; 3] = ["n1", "n2", "n3"];

/// Which values writes carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// 1, 2, 3, ... per key, in the order in which clients ask: never the same twice.
    Unique,
    /// Drawn from so many, from 0 on, as many tests of other tools do.
    Small(u32),
}

/// The one thing that is wrong with a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corruption {
    /// Nothing.
    None,
    /// A read returns a value although a later write was acknowledged before it began.
    StaleRead,
    /// A read returns the older of two values after another read returned the newer one, while the newer write is still under way.
    Inversion,
    /// The last write is acknowledged, all nodes are killed, and it is gone: the last read and the census find what it replaced.
    LostWrite,
    /// A read returns a value that nobody ever writes.
    Phantom,
    /// A read returns the value of a write that was refused before.
    FailedWrite,
    /// A read returns the value that the next write of its key will carry.
    Future,
}

impl Corruption {
    /// All of them.
    pub const ALL: [Corruption; 7] = [
        Corruption::None,
        Corruption::StaleRead,
        Corruption::Inversion,
        Corruption::LostWrite,
        Corruption::Phantom,
        Corruption::FailedWrite,
        Corruption::Future,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Corruption::None => "none",
            Corruption::StaleRead => "stale-read",
            Corruption::Inversion => "inversion",
            Corruption::LostWrite => "lost-write",
            Corruption::Phantom => "phantom",
            Corruption::FailedWrite => "failed-write",
            Corruption::Future => "future",
        }
    }

    /// The corruption of that name.
    pub fn from_name(name: &str) -> Option<Corruption> {
        Corruption::ALL.into_iter().find(|c| c.name() == name)
    }
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a history is made of. The same recipe makes the same history, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Operations of clients, the census not counted.
    pub operations: u64,
    /// Clients, each of which has one operation under way at a time.
    pub clients: u64,
    /// Keys, all as likely.
    pub keys: u32,
    /// Share of reads, percent of all operations.
    pub read_percent: u64,
    /// Share of compare-and-sets, percent of all operations.
    pub cas_percent: u64,
    /// Share of unknown outcomes, percent of writes and compare-and-sets: a third takes effect in time, a third late, a third never.
    pub info_percent: u64,
    /// Share of refusals, percent of writes.
    pub fail_percent: u64,
    /// Which values are written.
    pub values: Values,
    /// What is wrong.
    pub corruption: Corruption,
    /// Whether every key is read at every replica at the end. A lost write always comes with that.
    pub census: bool,
    /// Seed of it all.
    pub seed: u64,
}

impl Default for Recipe {
    fn default() -> Recipe {
        Recipe {
            operations: 10_000,
            clients: 10,
            keys: 1,
            read_percent: 50,
            cas_percent: 0,
            info_percent: 0,
            fail_percent: 0,
            values: Values::Unique,
            corruption: Corruption::None,
            census: false,
            seed: 1,
        }
    }
}

/// Why a recipe makes no history, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecipe(String);

impl fmt::Display for BadRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadRecipe {}

impl Recipe {
    /// Begins the history.
    ///
    /// # Errors
    /// When the shares add up to too much, or there is nothing to corrupt.
    pub fn begin(&self) -> Result<Synthetic, BadRecipe> {
        let refuse = |why: &str| Err(BadRecipe(why.to_owned()));
        if self.clients == 0 || self.keys == 0 {
            return refuse("clients and keys must be at least 1");
        }
        if self.clients > u64::from(u32::MAX) {
            return refuse("there can be at most 4294967295 clients");
        }
        let parts = [self.info_percent, self.fail_percent];
        if self.read_percent.saturating_add(self.cas_percent) > 100
            || parts
                .iter()
                .fold(0, |sum: u64, part| sum.saturating_add(*part))
                > 100
        {
            return refuse(
                "shares are percent: reads and cas together at most 100, info and fail together at most 100",
            );
        }
        if self.values == Values::Small(0) {
            return refuse("small values must be at least 1 value: small:5 draws 0 to 4");
        }
        if self.corruption != Corruption::None {
            if self.values != Values::Unique || self.cas_percent > 0 {
                return refuse(
                    "a corruption needs unique values and no cas, so that it is certain to be one",
                );
            }
            if self.operations < 3 {
                return refuse("a corruption needs at least 3 operations");
            }
        }
        Ok(Synthetic::new(*self))
    }

    /// The header of the history: three replicas that promise fresh reads, judged by what the operations give evidence for.
    pub fn header(&self) -> Header {
        let mut judges = vec![
            Guarantee::NoPhantoms,
            Guarantee::NoFailedWrites,
            Guarantee::FreshReads,
            Guarantee::NoInversion,
            Guarantee::Linearizability,
        ];
        if self.has_census() {
            judges.extend([Guarantee::NoLostWrites, Guarantee::Convergence]);
        }
        Header {
            format: FORMAT,
            plan: "synthetic".to_owned(),
            workload: "synthetic".to_owned(),
            seed: self.seed,
            nodes: NODES.map(str::to_owned).to_vec(),
            quorum: Quorum { n: 3, r: 2, w: 2 },
            claim: None,
            read_repair: ReadRepair::Blocking,
            sync: Sync::EachWrite,
            request_timeout_ms: 1_000,
            concurrency: self.clients,
            versions: header::Versions::Lww,
            values: header::Values::Integers,
            settings: Settings::default(),
            judges: Some(judges.iter().map(|g| g.name().to_owned()).collect()),
            sabotage: Vec::new(),
            setup: None,
        }
    }

    fn has_census(&self) -> bool {
        self.census || self.corruption == Corruption::LostWrite
    }
}

#[cfg(test)]
mod tests;
