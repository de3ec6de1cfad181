//! What must be within reach of a coordinator for an operation to succeed: by level, per data centre, and with nodes that stand in.
//!
//! Which replicas a key has is not known, so those out of reach are taken to be all among them. It says when an operation must succeed, never
//! that one must fail.

use crate::history::{Header, HintHolder, Level, LevelName};

use super::Terms;
use super::asked::{Access, configured};
use super::demand::{Demand, Topology};

/// What one operation needs within reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    demand: Demand,
    /// How many of the key's own replicas.
    primaries: u32,
    topology: Topology,
    nodes: u32,
    /// Whether the coordinator's own hint is enough.
    hint: bool,
    /// Whether it depends on one replica, which gives it its dot, and which need not be the coordinator.
    dotted: bool,
}

impl Need {
    /// Of an operation at this level (none = as configured) through this coordinator, by the settings, whatever is claimed, when so many
    /// bytes were written at most: no more can be hints.
    pub(crate) fn of(
        header: &Header,
        access: Access,
        level: Option<Level>,
        coordinator: &str,
        written_bytes: u64,
    ) -> Need {
        let settings = &header.settings;
        let topology = Topology::of(header);
        let level = level.unwrap_or_else(|| configured(header, access));
        let local = settings.centre_of(coordinator);
        let keeps_all = settings.hints.is_some_and(|hints| {
            hints.holder == HintHolder::Coordinator
                && hints.window_ms.is_none()
                && written_bytes <= hints.bytes_max
        });
        Need {
            demand: Demand::of(level, local, &topology),
            primaries: match access {
                Access::Read => settings.pr,
                Access::Write => settings.pw,
            },
            nodes: u32::try_from(header.nodes.len()).unwrap_or(u32::MAX),
            hint: keeps_all && level == Level::Named(LevelName::Any) && !header.is_dotted(),
            dotted: header.is_dotted() && access == Access::Write,
            topology,
        }
    }

    /// Whether enough is within reach, when so many other nodes are not: altogether, and by `out_in` in each data centre.
    pub(crate) fn is_met(&self, out: u32, out_in: impl Fn(usize) -> u32) -> bool {
        if self.hint {
            return true;
        }
        if self.dotted && self.nodes > self.topology.n && out > 0 {
            // The replica that the coordinator turns to may be one that does not answer and is not known to be gone.
            return false;
        }
        let Topology {
            n,
            factors,
            stand_ins,
            ..
        } = &self.topology;
        let own_in = |(centre, replicas): (usize, &u32)| replicas.saturating_sub(out_in(centre));
        // Where all nodes of a data centre are replicas, the second says more.
        let by_centre: u32 = factors.iter().enumerate().map(own_in).sum();
        let own = if factors.len() == 1 {
            n.saturating_sub(out)
        } else {
            n.saturating_sub(out).max(by_centre)
        };
        // Every node that is no replica may stand in for one.
        let anybody = if *stand_ins > 0 {
            self.nodes.saturating_sub(out).min(*n).max(own)
        } else {
            own
        };
        let centres = self.demand.centres.iter().zip(factors).enumerate();
        let mut in_centres = centres.map(|(centre, (wanted, replicas))| {
            factors.len() == 1 || *wanted <= replicas.saturating_sub(out_in(centre))
        });
        self.demand.total <= anybody.min(n.saturating_add(*stand_ins))
            && self.primaries <= own
            && in_centres.all(|met| met)
    }
}

impl Terms<'_> {
    /// What operations need, in words.
    pub(super) fn within_reach(&self) -> String {
        if self.is_plain() {
            return format!(
                "a write needs {} and a read {} of {} replicas within reach of its coordinator{}",
                self.w,
                self.r,
                self.n,
                self.origin()
            );
        }
        let of = |access: Access| {
            let asked = self.levels.of_access(access).iter();
            let needs = asked.map(|asked| {
                let level = self.level(access, *asked);
                let demand = self.demand(access, *asked);
                let named = level
                    .name()
                    .map_or_else(String::new, |name| format!("{name}: "));
                format!("{named}{}", self.need_words(&demand, level))
            });
            let mut needs: Vec<String> = needs.collect();
            needs.sort_unstable();
            needs.dedup();
            needs.join(" or ")
        };
        let settings = self.settings();
        let primaries = |count: u32| {
            if count > 0 {
                format!(" ({count} of them the key's own)")
            } else {
                String::new()
            }
        };
        let who = if self.topology.stand_ins > 0 {
            "nodes, replicas or not"
        } else {
            "replicas"
        };
        format!(
            "within reach of its coordinator a write needs {}{} and a read {}{} {who}{}",
            of(Access::Write),
            primaries(settings.pw),
            of(Access::Read),
            primaries(settings.pr),
            self.origin()
        )
    }

    fn need_words(&self, demand: &Demand, level: Level) -> String {
        if self.may_be_hint(level) {
            return "nobody (a hint is enough)".to_owned();
        }
        let centres = demand.centres.iter().zip(&self.settings().data_centres);
        let in_centres: Vec<String> = centres
            .filter(|(wanted, _)| **wanted > 0)
            .map(|(wanted, centre)| format!("{wanted} of {} in {}", centre.rf, centre.name))
            .collect();
        if in_centres.is_empty() {
            format!("{} of {}", demand.total, self.n)
        } else {
            in_centres.join(" and ")
        }
    }
}
