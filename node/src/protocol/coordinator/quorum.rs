//! What a level asks for, counted on the replicas of one key: `LOCAL_QUORUM` of a key with three replicas here is two of those.
//!
//! It knows nodes only by what they are to the key ([`Place`]). Whom to ask, and what came back, is for `write.rs` and `read.rs`.

use std::borrow::Cow;

use crate::config::{Level, NodeId};

/// What a node is to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The node.
    pub(super) node: NodeId,
    /// The replica that it stands in for; none if it is one itself.
    pub(super) stands_in_for: Option<NodeId>,
    /// Its data centre.
    pub(super) centre: usize,
    /// Whether the ring is changing and only writes go to it: it copies, or is about to go.
    pub(super) pending: bool,
}

/// How far a node is with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    /// It has not answered.
    Asked,
    /// It has received a write.
    Received,
    /// It has a write in its log, or has answered a read.
    Done,
}

/// Whom a term counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Everybody,
    Centre(usize),
    /// The key's own replicas.
    Primaries,
}

/// So many of some nodes must have come so far.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    /// What asks for it: `W`, `PW`, `LOCAL_QUORUM`, ...
    name: Cow<'static, str>,
    scope: Scope,
    progress: Progress,
    needed: usize,
}

/// What must be true before a request is answered: all of its terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    terms: Vec<Term>,
    /// Whether a hint that the coordinator keeps counts, too ([`Level::Any`]).
    pub(super) hints_count: bool,
    /// [`crate::config::Sabotage::FallbackAsPrimary`].
    counts_anybody: bool,
}

/// Nodes, and how far each has come.
pub(super) trait Nodes: IntoIterator<Item = (Place, Progress)> + Clone {}

impl<T: IntoIterator<Item = (Place, Progress)> + Clone> Nodes for T {}

/// Reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// How many replicas a key has.
#[derive(Clone, Debug)]
pub(super) struct Replication<'a> {
    /// That the request is about.
    pub(super) n: u16,
    /// In each data centre.
    pub(super) factors: &'a [u16],
    /// The coordinator's data centre.
    pub(super) local: usize,
}

impl Requirement {
    /// What `level` asks for. Refuses what these replicas can never fulfil.
    pub(super) fn of(
        access: Access,
        level: Level,
        replication: &Replication<'_>,
    ) -> Result<Requirement, String> {
        let Replication { n, factors, local } = replication;
        let letter = match access {
            Access::Read => "R",
            Access::Write => "W",
        };
        let here = factors.get(*local).copied().unwrap_or(*n);
        let everybody = |count: u16| (Scope::Everybody, count);
        let in_centre = |(centre, rf): (usize, &u16)| (Scope::Centre(centre), majority(*rf));
        let terms = match level {
            Level::Count(count) if count == 0 || count > *n => {
                return Err(format!("{letter} = {count}: choose 1 to N = {n}"));
            }
            Level::Any if access == Access::Read => {
                return Err(
                    "any is no level of a read, for a hint cannot be read: choose one or more"
                        .to_owned(),
                );
            }
            Level::Count(count) => vec![everybody(count)],
            Level::Any | Level::One => vec![everybody(1)],
            Level::Two => vec![everybody(2)],
            Level::Three => vec![everybody(3)],
            Level::Quorum => vec![everybody(majority(*n))],
            Level::All => vec![everybody(*n)],
            Level::LocalOne => vec![(Scope::Centre(*local), 1)],
            Level::LocalQuorum => vec![(Scope::Centre(*local), majority(here))],
            Level::EachQuorum => factors.iter().enumerate().map(in_centre).collect(),
        };
        let name = |scope: Scope| match (level, scope) {
            (Level::Count(_), _) => Cow::Borrowed(letter),
            (Level::EachQuorum, Scope::Centre(centre)) => {
                Cow::Owned(format!("each-quorum of data centre {}", centre + 1))
            }
            (named, _) => Cow::Owned(named.to_string()),
        };
        let terms: Vec<Term> = terms
            .into_iter()
            .map(|(scope, count)| Term {
                name: name(scope),
                scope,
                progress: Progress::Done,
                needed: usize::from(count),
            })
            .collect();
        if let Some(term) = terms.iter().find(|term| term.needed > usize::from(*n)) {
            let Term { name, needed, .. } = term;
            return Err(format!("{name} needs {needed} replicas: there are N = {n}"));
        }
        Ok(Requirement {
            terms,
            hints_count: level == Level::Any,
            counts_anybody: false,
        })
    }

    /// So many of the key's own replicas, besides (Riak's pr and pw).
    pub(super) fn and_primaries(
        &mut self,
        name: &'static str,
        count: u16,
        n: u16,
    ) -> Result<(), String> {
        if count > n {
            return Err(format!("{name} = {count}: choose at most N = {n}"));
        }
        if count > 0 {
            self.terms.push(Term {
                name: name.into(),
                scope: Scope::Primaries,
                progress: Progress::Done,
                needed: usize::from(count),
            });
        }
        Ok(())
    }

    /// Only so many need to have it in their log; for the rest it is enough to have received it (Riak's dw and w).
    pub(super) fn durable_at(&mut self, count: u16, n: u16) -> Result<(), String> {
        if count > n {
            return Err(format!("DW = {count}: choose at most N = {n}"));
        }
        for term in &mut self.terms {
            if term.scope != Scope::Primaries {
                term.progress = Progress::Received;
            }
        }
        self.terms.push(Term {
            name: "DW".into(),
            scope: Scope::Everybody,
            progress: Progress::Done,
            // The coordinating vnode of Riak has it in its log in any case (`DW = max(DW, 1)`).
            needed: usize::from(count.max(1)),
        });
        Ok(())
    }

    /// Whether having received a write counts for something.
    pub(super) fn counts_received(&self) -> bool {
        self.terms
            .iter()
            .any(|term| term.progress == Progress::Received)
    }

    /// One less of everything: [`crate::config::Sabotage::AckBeforeQuorum`].
    pub(super) fn lowered(mut self) -> Requirement {
        for term in &mut self.terms {
            term.needed = term.needed.saturating_sub(1);
        }
        self
    }

    /// One more of each of these places that it counts: a write while the ring changes (Cassandra's `blockForWrite`).
    pub(super) fn raised(&mut self, pending: &[Place]) {
        for number in 0..self.terms.len() {
            let scope = self.terms[number].scope;
            let more = pending.iter().filter(|place| self.counts(scope, **place));
            self.terms[number].needed += more.count();
        }
    }

    /// Takes stand-ins for replicas: [`crate::config::Sabotage::FallbackAsPrimary`].
    pub(super) fn counting_anybody(mut self) -> Requirement {
        self.counts_anybody = true;
        self
    }

    /// At least so many of everybody: a write-back to so many replicas.
    pub(super) fn at_least(&self, count: u16) -> Requirement {
        let mut more = self.clone();
        more.terms.push(Term {
            name: "write-back".into(),
            scope: Scope::Everybody,
            progress: Progress::Done,
            needed: usize::from(count),
        });
        more
    }

    /// Whether nodes that have come so far are enough.
    pub(super) fn is_met(&self, nodes: &impl Nodes) -> bool {
        self.unmet(nodes).is_none()
    }

    /// Whether one more answer of this node would bring it nearer, given those whom it has.
    pub(super) fn wants(&self, place: Place, nodes: &impl Nodes) -> bool {
        self.terms.iter().any(|term| {
            self.counts(term.scope, place) && self.count(term, nodes.clone()) < term.needed
        })
    }

    /// The first term that nodes which have come so far do not meet, in words: `1 of 2 <what>, W`, as (have, need, name).
    pub(super) fn unmet(&self, nodes: &impl Nodes) -> Option<(usize, usize, &str)> {
        self.terms.iter().find_map(|term| {
            let have = self.count(term, nodes.clone());
            (have < term.needed).then_some((have, term.needed, &*term.name))
        })
    }

    fn count(&self, term: &Term, nodes: impl Nodes) -> usize {
        nodes
            .into_iter()
            .filter(|(place, progress)| {
                *progress >= term.progress && self.counts(term.scope, *place)
            })
            .count()
    }

    fn counts(&self, scope: Scope, place: Place) -> bool {
        match scope {
            Scope::Everybody => true,
            Scope::Centre(centre) => place.centre == centre,
            Scope::Primaries => place.stands_in_for.is_none() || self.counts_anybody,
        }
    }
}

/// More than half.
fn majority(count: u16) -> u16 {
    count / 2 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(node: u16, stands_in_for: Option<u16>) -> Place {
        Place {
            node: NodeId(node),
            stands_in_for: stands_in_for.map(NodeId),
            // Odd nodes are in the first data centre.
            centre: usize::from(node.is_multiple_of(2)),
            pending: false,
        }
    }

    fn two_centres() -> Replication<'static> {
        Replication {
            n: 6,
            factors: &[3, 3],
            local: 0,
        }
    }

    fn met(requirement: &Requirement, nodes: &[u16]) -> bool {
        let done = |node: &u16| (place(*node, None), Progress::Done);
        let nodes: Vec<_> = nodes.iter().map(done).collect();
        requirement.is_met(&nodes)
    }

    /// Every level of two data centres with three replicas each, and the smallest sets that meet it (SEMANTICS 3.7).
    #[test]
    fn levels_over_two_data_centres() {
        let of = |access, level| Requirement::of(access, level, &two_centres()).expect("a level");
        for (level, enough, too_few) in [
            (Level::One, vec![2], vec![]),
            (Level::Two, vec![2, 4], vec![2]),
            (Level::Three, vec![1, 2, 3], vec![1, 3]),
            (Level::Quorum, vec![1, 2, 3, 4], vec![1, 3, 5]),
            (Level::LocalOne, vec![1], vec![2, 4, 6]),
            (Level::LocalQuorum, vec![1, 3], vec![1, 2, 4, 6]),
            (Level::EachQuorum, vec![1, 3, 2, 4], vec![1, 3, 5, 2]),
            (Level::All, vec![1, 2, 3, 4, 5, 6], vec![1, 2, 3, 4, 5]),
        ] {
            for access in [Access::Read, Access::Write] {
                let requirement = of(access, level);
                assert!(met(&requirement, &enough), "{level}");
                assert!(!met(&requirement, &too_few), "{level}");
            }
        }
        assert!(of(Access::Write, Level::Any).hints_count);
        let refusal = Requirement::of(Access::Read, Level::Any, &two_centres());
        assert!(refusal.is_err_and(|why| why.contains("choose one")));
    }

    #[test]
    fn levels_beyond_the_replicas_are_refused() {
        let one = Replication {
            n: 2,
            factors: &[2],
            local: 0,
        };
        let refusal = |level| Requirement::of(Access::Write, level, &one).expect_err("refused");
        assert_eq!(refusal(Level::Count(3)), "W = 3: choose 1 to N = 2");
        assert_eq!(refusal(Level::Count(0)), "W = 0: choose 1 to N = 2");
        assert_eq!(
            refusal(Level::Three),
            "three needs 3 replicas: there are N = 2"
        );
    }

    #[test]
    fn stand_ins_count_towards_w_and_not_towards_pw() {
        let replication = Replication {
            n: 3,
            factors: &[3],
            local: 0,
        };
        let mut requirement =
            Requirement::of(Access::Write, Level::Count(2), &replication).expect("W = 2");
        let sloppy = [
            (place(1, None), Progress::Done),
            (place(4, Some(2)), Progress::Done),
        ];
        assert!(requirement.is_met(&sloppy));
        requirement.and_primaries("PW", 2, 3).expect("PW = 2");
        assert_eq!(requirement.unmet(&sloppy), Some((1, 2, "PW")));
        assert!(requirement.clone().counting_anybody().is_met(&sloppy));
        assert!(requirement.and_primaries("PW", 4, 3).is_err());
    }

    #[test]
    fn pending_nodes_raise_what_counts_them() {
        let met_with = |level, pending: &[u16], nodes: &[u16]| {
            let mut requirement =
                Requirement::of(Access::Write, level, &two_centres()).expect("a level");
            let pending: Vec<_> = pending.iter().map(|node| place(*node, None)).collect();
            requirement.raised(&pending);
            met(&requirement, nodes)
        };
        assert!(!met_with(Level::Quorum, &[7], &[1, 2, 3, 4]));
        assert!(met_with(Level::Quorum, &[7], &[1, 2, 3, 4, 7]));
        assert!(!met_with(Level::LocalQuorum, &[7], &[1, 3, 2]));
        assert!(met_with(Level::LocalQuorum, &[8], &[1, 3]), "elsewhere");
        assert!(!met_with(Level::EachQuorum, &[7, 8], &[1, 3, 2, 4, 7]));
    }

    #[test]
    fn with_dw_the_rest_need_only_have_received() {
        let replication = Replication {
            n: 3,
            factors: &[3],
            local: 0,
        };
        let mut requirement =
            Requirement::of(Access::Write, Level::Count(2), &replication).expect("W = 2");
        requirement.durable_at(1, 3).expect("DW = 1");
        let nodes = |first, second| [(place(1, None), first), (place(2, None), second)];
        assert!(requirement.is_met(&nodes(Progress::Done, Progress::Received)));
        assert!(!requirement.is_met(&nodes(Progress::Received, Progress::Received)));
        assert!(!requirement.is_met(&nodes(Progress::Done, Progress::Asked)));
    }

    #[test]
    fn only_who_brings_it_nearer_is_wanted() {
        let requirement = Requirement::of(Access::Read, Level::EachQuorum, &two_centres());
        let requirement = requirement.expect("a level");
        let here = [1, 3].map(|node| (place(node, None), Progress::Done));
        assert!(!requirement.wants(place(5, None), &here));
        assert!(requirement.wants(place(2, None), &here));
    }
}
