//! What a store with a leader promises: whether whoever is promoted surely holds what was acknowledged, and whether an old leader can go on.
//!
//! Clocks change nothing here: the place of a write in the log decides, and not its stamp. Nor do quorums of reads.

use crate::guarantee::Guarantee;
use crate::history::{Leader, Promotion, Replication};

use super::Terms;

impl Terms<'_> {
    /// Whether a store with a leader promises this.
    pub(super) fn of_leader(&self, leader: Leader, guarantee: Guarantee) -> (bool, String) {
        match guarantee {
            Guarantee::NoPhantoms => (true, "no configuration may invent values".to_owned()),
            Guarantee::NoFailedWrites => {
                let why = "a refusal means that nothing was put into any log";
                (true, why.to_owned())
            }
            Guarantee::NoLostWrites | Guarantee::NoClockLoss => self.outlive_leaders(leader),
            Guarantee::FreshReads | Guarantee::ReadYourWrites | Guarantee::NoResurrection => {
                self.read_from_the_leader(leader)
            }
            Guarantee::NoInversion
            | Guarantee::Linearizability
            | Guarantee::MonotonicReads
            | Guarantee::MonotonicWrites
            | Guarantee::WritesFollowReads
            | Guarantee::CausalConsistency
            | Guarantee::CausalConvergence => self.read_what_stays(leader),
            Guarantee::Convergence => (
                false,
                "followers copy the log in the background, and nobody knows how far they are"
                    .to_owned(),
            ),
            Guarantee::Availability => (
                false,
                "from the loss of a leader until another one is promoted nobody writes".to_owned(),
            ),
            _ => (
                false,
                "of concurrent writes the last one in the log replaces the others".to_owned(),
            ),
        }
    }

    /// Whether whoever is promoted holds every acknowledged write.
    fn outlive_leaders(&self, leader: Leader) -> (bool, String) {
        if !leader.fencing {
            let why = "nothing fences an old leader: it goes on acknowledging what its successor never gets";
            return (false, why.to_owned());
        }
        let (n, f) = (self.n, self.forgotten);
        let majority = n / 2 + 1;
        let (copies, held) = match leader.replication {
            Replication::Async => (
                1,
                "asynchronous: only the leader surely holds it".to_owned(),
            ),
            Replication::SemiSyncOrAsync(copies) => {
                return (
                    false,
                    format!(
                        "semi-synchronous to {copies}, but after waiting in vain a write is acknowledged that only the leader holds"
                    ),
                );
            }
            Replication::SemiSync(copies) => (
                copies.saturating_add(1),
                format!("semi-synchronous: the leader and {copies} hold it"),
            ),
            Replication::Majority => (majority, format!("a majority of {n} holds it")),
        };
        let forgetting = match f {
            0 => String::new(),
            f => format!(" (f = {f}: {})", self.forgetting()),
        };
        let (asked, who) = match leader.promotion {
            Promotion::OfMajority => (majority, "the most advanced of a majority"),
            Promotion::OfReachable => (1, "the most advanced of whoever answers"),
            Promotion::AnyFollower => (1, "any follower"),
        };
        let (left, right) = (
            u64::from(copies) + u64::from(asked),
            u64::from(n) + u64::from(f),
        );
        let promised = left > right;
        let relation = if promised { ">" } else { "<=" };
        (
            promised,
            format!(
                "{held}, and {who} is promoted: {copies} + {asked} = {left} {relation} N + f = {right}{forgetting}"
            ),
        )
    }

    /// Whether a read sees every acknowledged write.
    fn read_from_the_leader(&self, leader: Leader) -> (bool, String) {
        if leader.any_reads {
            let why = "whoever is asked answers from its own copy, which may lag behind";
            return (false, why.to_owned());
        }
        let (kept, why) = self.outlive_leaders(leader);
        if !kept {
            return (false, why);
        }
        if leader.promotion != Promotion::OfMajority || !leader.leased {
            let why = "without a lease that a majority grants, an old leader answers until it hears of its successor";
            return (false, why.to_owned());
        }
        (true, format!("{why}; only a leader with a lease answers"))
    }

    /// Whether what was read once is there for good.
    fn read_what_stays(&self, leader: Leader) -> (bool, String) {
        let (fresh, why) = self.read_from_the_leader(leader);
        if fresh && leader.replication != Replication::Majority {
            let why = "a leader shows what it holds, acknowledged or not, and its successor may not have it";
            return (false, why.to_owned());
        }
        (fresh, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;
    use crate::exposure::{Clocks, Exposure};
    use crate::history::Header;
    use crate::testing::header;

    fn promised(leader: Leader, forgotten: u32, guarantee: Guarantee) -> bool {
        let mut header: Header = header(3, 2, 2);
        header.settings.leader = Some(leader);
        let exposure = Exposure {
            forgotten,
            // Clocks change nothing.
            clocks: Clocks::Skewed("f1".to_owned()),
            lossless: false,
        };
        let contract = Contract::of(&header, &exposure);
        contract.promise(guarantee).expect("there").promised
    }

    const SAFE: Leader = Leader {
        replication: Replication::Majority,
        promotion: Promotion::OfMajority,
        leased: true,
        fencing: true,
        any_reads: false,
    };

    /// SEMANTICS 3.9: whether acknowledged writes are kept, whether leaders read fresh, and whether what was read stays.
    #[test]
    fn the_table_of_three_nodes() {
        use Promotion::{AnyFollower, OfMajority, OfReachable};
        use Replication::{Async, Majority, SemiSync, SemiSyncOrAsync};
        let row = |replication, promotion| Leader {
            replication,
            promotion,
            ..SAFE
        };
        let (no_lease, no_fencing, any) = (
            Leader {
                leased: false,
                ..SAFE
            },
            Leader {
                fencing: false,
                ..SAFE
            },
            Leader {
                any_reads: true,
                ..SAFE
            },
        );
        for (leader, forgotten, expected) in [
            (row(Async, AnyFollower), 0, "---"),
            (row(Async, OfReachable), 0, "---"),
            (row(Async, OfMajority), 0, "---"),
            (row(SemiSync(1), AnyFollower), 0, "---"),
            (row(SemiSync(1), OfMajority), 0, "II-"),
            (row(SemiSync(1), OfMajority), 1, "---"),
            (row(SemiSync(1), OfReachable), 0, "---"),
            (row(SemiSyncOrAsync(1), OfMajority), 0, "---"),
            (row(SemiSync(2), AnyFollower), 0, "I--"),
            (row(SemiSync(2), OfReachable), 0, "I--"),
            (row(SemiSync(2), AnyFollower), 1, "---"),
            (row(SemiSync(2), OfMajority), 1, "II-"),
            (row(Majority, OfMajority), 0, "III"),
            (row(Majority, OfMajority), 1, "---"),
            (no_lease, 0, "I--"),
            (no_fencing, 0, "---"),
            (any, 0, "I--"),
        ] {
            let found = [
                Guarantee::NoLostWrites,
                Guarantee::FreshReads,
                Guarantee::Linearizability,
            ]
            .map(|guarantee| {
                if promised(leader, forgotten, guarantee) {
                    'I'
                } else {
                    '-'
                }
            });
            let found: String = found.into_iter().collect();
            assert_eq!(found, expected, "{leader:?} f={forgotten}");
        }
    }

    /// Every set of nodes that may hold a write, forget it, and be asked who is promoted.
    #[test]
    fn what_is_acknowledged_outlives_as_every_set_of_nodes_says() {
        let sets = |size: u32| (0..8_u32).filter(move |set| set.count_ones() == size);
        for copies in 1..=2 {
            for promotion in [
                Promotion::AnyFollower,
                Promotion::OfReachable,
                Promotion::OfMajority,
            ] {
                for forgotten in 0..=2 {
                    let leader = Leader {
                        replication: Replication::SemiSync(copies),
                        promotion,
                        ..SAFE
                    };
                    let asked = if promotion == Promotion::OfMajority {
                        2
                    } else {
                        1
                    };
                    let kept = sets(copies + 1).all(|held| {
                        sets(forgotten)
                            .all(|forgot| sets(asked).all(|asked| held & !forgot & asked != 0))
                    });
                    let found = promised(leader, forgotten, Guarantee::NoLostWrites);
                    assert_eq!(found, kept, "{leader:?} f={forgotten}");
                }
            }
        }
    }
}
