//! Admitting a request: which nodes it is about, what must answer, and whether that can be. After it nothing is refused any more.

use crate::config::{Level, NodeId, ReadFanout, Sabotage};
use crate::protocol::membership::Owners;
use crate::protocol::replica::Replica;
use crate::wire::{KEY_BYTES_MAX, Quorum};

use super::quorum::{Access, Place, Progress, Replication, Requirement};

/// A request that may begin.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) requirement: Requirement,
    /// The key's replicas, or who stands in for them, in the order of preference. A write's pending nodes come last.
    pub(super) places: Vec<Place>,
    /// The nodes that only writes go to while the ring changes.
    pub(super) pending: Vec<Place>,
    /// Who may stand in later, best first; empty if nobody may.
    pub(super) spares: Vec<Place>,
    /// Whether anybody may stand in.
    pub(super) sloppy: bool,
}

impl Replica {
    /// The nodes and the requirement of a request, if enough of them are within reach.
    pub(super) fn admit(
        &self,
        access: Access,
        key: &str,
        quorum: Quorum,
    ) -> Result<Admitted, String> {
        let n = quorum.n.unwrap_or(self.config.n);
        if n == 0 || n > self.config.n {
            let most = self.config.n;
            return Err(format!("N = {n}: choose 1 to the store's N = {most}"));
        }
        let mut requirement = self.requirement(access, n, quorum)?;
        if key.len() > KEY_BYTES_MAX {
            let bytes = key.len();
            return Err(format!(
                "a key of {bytes} bytes: at most {KEY_BYTES_MAX} are held"
            ));
        }
        let most = self.config.options.limits.requests_max;
        if self.requests.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(format!(
                "overloaded: {most} requests are under way, try again later"
            ));
        }
        let sloppy = quorum.sloppy.unwrap_or(self.config.options.sloppy);
        let owners = self.ring.owners_of(key, n);
        let pending = owners.pending.iter();
        let pending: Vec<Place> = pending.map(|node| self.pending_place(*node)).collect();
        let (mut places, spares) = self.with_stand_ins(key, &owners, sloppy);
        if access == Access::Write {
            requirement.raised(&pending);
            places.extend(&pending);
        }
        let within_reach = places
            .iter()
            .filter(|place| self.reaches(place.node))
            .map(|place| (*place, Progress::Done));
        match requirement.unmet(&within_reach) {
            // The coordinator itself keeps the hint that is enough.
            Some(_) if requirement.hints_count && self.keeps_hints() => {}
            Some((reachable, needed, name @ ("R" | "W"))) => {
                let all = places.len();
                return Err(format!(
                    "{reachable} of {all} replicas reachable, {name} = {needed}"
                ));
            }
            Some((reachable, needed, name)) => {
                return Err(format!(
                    "{reachable} of {needed} replicas reachable for {name}"
                ));
            }
            None => {}
        }
        Ok(Admitted {
            requirement,
            places,
            pending,
            spares,
            sloppy,
        })
    }

    fn requirement(&self, access: Access, n: u16, quorum: Quorum) -> Result<Requirement, String> {
        let options = &self.config.options;
        let (count, name, primaries) = match access {
            Access::Read => (self.config.r, "PR", options.pr),
            Access::Write => (self.config.w, "PW", options.pw),
        };
        let replication = Replication {
            n,
            factors: self.topology.factors(),
            local: self.topology.centre(self.me),
        };
        let level = quorum.level.unwrap_or(Level::Count(count));
        let mut requirement = Requirement::of(access, level, &replication)?;
        if let (Access::Write, Some(durable)) = (access, quorum.durable.or(options.dw)) {
            requirement.durable_at(durable, n)?;
        }
        requirement.and_primaries(name, quorum.primaries.unwrap_or(primaries), n)?;
        if self.config.has(Sabotage::FallbackAsPrimary) {
            requirement = requirement.counting_anybody();
        }
        Ok(requirement)
    }

    /// The replicas, each that cannot be reached replaced by the next reachable node that is none, if that is allowed; and who is left.
    fn with_stand_ins(&self, key: &str, owners: &Owners, sloppy: bool) -> (Vec<Place>, Vec<Place>) {
        let own = |node: &NodeId| self.place(*node, None);
        if !sloppy {
            return (owners.reads.iter().map(own).collect(), Vec::new());
        }
        let others = self.ring.stand_ins(key, owners).into_iter();
        let mut healthy = others.filter(|node| self.reaches(*node));
        let mut stand_in = |owner: &NodeId| {
            let healthy = if self.reaches(*owner) {
                None
            } else {
                healthy.next()
            };
            healthy.map_or(own(owner), |node| self.place(node, Some(*owner)))
        };
        let places = owners.reads.iter().map(&mut stand_in).collect();
        let spares = healthy.map(|node| self.place(node, None)).collect();
        (places, spares)
    }

    fn place(&self, node: NodeId, stands_in_for: Option<NodeId>) -> Place {
        Place {
            node,
            stands_in_for,
            centre: self.topology.centre(node),
            pending: false,
        }
    }

    fn pending_place(&self, node: NodeId) -> Place {
        Place {
            pending: true,
            ..self.place(node, None)
        }
    }

    /// Whom a read asks at once, and whom only if those are slow.
    pub(super) fn choose_readers(&self, admitted: &Admitted) -> (Vec<Place>, Vec<Place>) {
        let Admitted {
            requirement,
            places,
            spares,
            ..
        } = admitted;
        let enough = |asked: &[Place], place: Place| {
            let asked = asked.iter().map(|place| (*place, Progress::Done));
            !requirement.wants(place, &asked)
        };
        let choose = |order: Vec<Place>| {
            let (mut asked, mut rest) = (Vec::new(), Vec::new());
            for place in order {
                if enough(&asked, place) {
                    rest.push(place);
                } else {
                    asked.push(place);
                }
            }
            (asked, rest)
        };
        if self.config.has(Sabotage::FirstROnly) {
            return (choose(places.clone()).0, Vec::new());
        }
        let here = self.topology.centre(self.me);
        let is_me = |place: &Place| place.node == self.me;
        let others = places.iter().copied().filter(|place| !is_me(place));
        let mut order: Vec<Place> = others.collect();
        // Starting elsewhere each time spreads the load, and finds stale replicas that a fixed choice would never ask.
        let turn = self.reads.checked_rem(order.len() as u64).unwrap_or(0);
        order.rotate_left(usize::try_from(turn).unwrap_or(0));
        order.sort_by_key(|place| (!self.reaches(place.node), place.centre != here));
        order.splice(0..0, places.iter().copied().filter(is_me));
        let (asked, mut rest) = match self.config.read_fanout {
            ReadFanout::Quorum => choose(order),
            ReadFanout::All => order
                .into_iter()
                .partition(|place| self.reaches(place.node)),
        };
        let owners = places.iter().cycle();
        let owners = owners.map(|place| place.stands_in_for.unwrap_or(place.node));
        let stand_in = |(spare, owner): (&Place, NodeId)| Place {
            stands_in_for: Some(owner),
            ..*spare
        };
        rest.extend(spares.iter().zip(owners).map(stand_in));
        (asked, rest)
    }

    pub(in crate::protocol) fn reaches(&self, node: NodeId) -> bool {
        node == self.me || self.links.reaches(node)
    }
}
