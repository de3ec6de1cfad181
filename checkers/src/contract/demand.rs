//! What a level asks for, counted on the replicas of a key, and how many replicas two such demands have in common whichever answer.
//!
//! It knows no reasons and no guarantees. Which replicas a key has is never known here: what is true of every choice is all that counts.

use crate::history::{Header, Level, LevelName};

/// How many replicas each key has, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topology {
    /// N.
    pub(crate) n: u32,
    /// Replicas in each data centre; one entry if there are no data centres.
    pub(crate) factors: Vec<u32>,
    /// Nodes of each data centre that are no replicas and may stand in for some.
    spares: Vec<u32>,
    /// k: nodes that are no replicas and may stand in for some.
    pub(crate) stand_ins: u32,
}

impl Topology {
    /// N replicas, anywhere, and nobody to stand in.
    pub(crate) fn anywhere(n: u32) -> Topology {
        Topology {
            n,
            factors: vec![n],
            spares: vec![0],
            stand_ins: 0,
        }
    }

    /// Of the store that a header tells of. A claim is of N replicas, wherever they are, for which nobody stands in.
    pub(crate) fn judged(header: &Header) -> Topology {
        match header.claim {
            Some(claim) => Topology::anywhere(claim.n),
            None => Topology::of(header),
        }
    }

    /// Of the store as it is configured, whatever is claimed.
    pub(crate) fn of(header: &Header) -> Topology {
        let settings = &header.settings;
        let stand_ins = settings.stand_ins;
        if settings.data_centres.is_empty() {
            return Topology {
                spares: vec![stand_ins],
                stand_ins,
                ..Topology::anywhere(header.quorum.n)
            };
        }
        let spares = settings.data_centres.iter().map(|centre| {
            let nodes = u32::try_from(centre.nodes.len()).unwrap_or(u32::MAX);
            nodes.saturating_sub(centre.rf).min(stand_ins)
        });
        Topology {
            n: header.quorum.n,
            factors: settings.data_centres.iter().map(|c| c.rf).collect(),
            spares: spares.collect(),
            stand_ins,
        }
    }
}

/// How many replicas must have answered: altogether, and in each data centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    /// T: altogether, at least as many as in all data centres.
    pub(crate) total: u32,
    /// In each data centre.
    pub(crate) centres: Vec<u32>,
}

impl Demand {
    /// So many, wherever they are.
    pub(crate) fn anywhere(total: u32, topology: &Topology) -> Demand {
        Demand {
            total,
            centres: vec![0; topology.factors.len()],
        }
    }

    /// What a level asks for. `local` is the coordinator's data centre; a local level of a coordinator that is in none is taken for the
    /// same number anywhere in the smallest data centre, which says less.
    pub(crate) fn of(level: Level, local: Option<usize>, topology: &Topology) -> Demand {
        let name = match level {
            Level::Count(count) => return Demand::anywhere(count, topology),
            Level::Named(name) => name,
        };
        let local = local.or((topology.factors.len() == 1).then_some(0));
        let here = local.and_then(|centre| topology.factors.get(centre).copied());
        let in_this = |count: u32| {
            let mut demand = Demand::anywhere(count, topology);
            if let Some(wanted) = local.and_then(|centre| demand.centres.get_mut(centre)) {
                *wanted = count;
            }
            demand
        };
        match name {
            LevelName::Any | LevelName::One => Demand::anywhere(1, topology),
            LevelName::Two => Demand::anywhere(2, topology),
            LevelName::Three => Demand::anywhere(3, topology),
            LevelName::Quorum => Demand::anywhere(majority(topology.n), topology),
            LevelName::All => Demand::anywhere(topology.n, topology),
            LevelName::LocalOne => in_this(1),
            LevelName::LocalQuorum => {
                let smallest = topology.factors.iter().min().copied().unwrap_or(0);
                in_this(majority(here.unwrap_or(smallest)))
            }
            LevelName::EachQuorum => {
                let centres: Vec<u32> = topology.factors.iter().map(|rf| majority(*rf)).collect();
                Demand {
                    total: centres.iter().sum(),
                    centres,
                }
            }
        }
    }

    /// And at least so many altogether.
    pub(crate) fn at_least(mut self, total: u32) -> Demand {
        self.total = self.total.max(total);
        self
    }

    /// How many of those who answered are surely the key's own replicas: all but those who may stand in, and never fewer than
    /// `primaries` (PR or PW).
    pub(crate) fn of_own(&self, primaries: u32, topology: &Topology) -> Demand {
        let own = |wanted: u32, stand_ins: u32| wanted.saturating_sub(stand_ins);
        let centres = self.centres.iter().zip(&topology.spares);
        Demand {
            total: own(self.total, topology.stand_ins).max(primaries),
            centres: centres
                .map(|(wanted, spare)| own(*wanted, *spare))
                .collect(),
        }
    }

    /// How many replicas are surely in both, whichever answer.
    pub(crate) fn overlap(&self, other: &Demand, topology: &Topology) -> Overlap {
        let of_all = Overlap {
            left: self.total,
            right: other.total,
            replicas: topology.n,
            centre: None,
        };
        let centres = self.centres.iter().zip(&other.centres);
        let by_centre = centres.zip(&topology.factors).enumerate();
        let by_centre = by_centre.map(|(centre, ((left, right), replicas))| Overlap {
            left: *left,
            right: *right,
            replicas: *replicas,
            centre: Some(centre),
        });
        by_centre.fold(of_all, |most, overlap| {
            if overlap.replicas() > most.replicas() {
                overlap
            } else {
                most
            }
        })
    }
}

/// What two demands have in common, and where that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overlap {
    /// What the one asks for.
    pub(crate) left: u32,
    /// What the other asks for.
    pub(crate) right: u32,
    /// Of how many replicas.
    replicas: u32,
    /// In which data centre; none = altogether.
    pub(crate) centre: Option<usize>,
}

impl Overlap {
    /// How many replicas are surely in both, less than 0 if some are surely in none.
    pub(crate) fn replicas(self) -> i64 {
        i64::from(self.left) + i64::from(self.right) - i64::from(self.replicas)
    }

    /// `left + right`, and N or the data centre's share of it with what is `forgotten` added.
    pub(crate) fn sums(self, forgotten: u32) -> (u64, u64) {
        let left = u64::from(self.left) + u64::from(self.right);
        (left, u64::from(self.replicas) + u64::from(forgotten))
    }

    /// Whether some replica is in both and remembers, whichever answer and whichever `forgotten` forget.
    pub(crate) fn outlives(self, forgotten: u32) -> bool {
        self.replicas() > i64::from(forgotten)
    }
}

/// More than half.
fn majority(count: u32) -> u32 {
    count / 2 + 1
}
