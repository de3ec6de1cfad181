//! What a fault is done to, part by part, so that parts can be left out; and the fault when nodes get other numbers.
//!
//! Pure functions of faults.

use std::collections::BTreeSet;

use crate::fault::{Fault, Link, RingChange};

/// The name of a partition that has no shape any more.
const SOME_LINKS: &str = "of some links";

/// One thing that a fault is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Node(u16),
    Link(Link),
    /// A node's clock, and how far it is off, ms.
    Offset(u16, i64),
    /// The ring: there is no less of a change.
    Ring(RingChange),
}

/// Everything that a fault is done to.
pub(super) fn parts(fault: &Fault) -> Vec<Part> {
    match fault {
        Fault::Kill { nodes } | Fault::Pause { nodes } => {
            nodes.iter().copied().map(Part::Node).collect()
        }
        Fault::Partition { links, .. } | Fault::Slow { links, .. } => {
            links.iter().copied().map(Part::Link).collect()
        }
        Fault::Clock { offsets_ms } => offsets_ms
            .iter()
            .map(|&(node, ms)| Part::Offset(node, ms))
            .collect(),
        Fault::Ring(change) => vec![Part::Ring(*change)],
    }
}

/// The same fault, done to these; none if that is nothing.
pub(super) fn of_parts(fault: &Fault, parts: &[Part]) -> Option<Fault> {
    if parts.is_empty() {
        return None;
    }
    let mut fault = fault.clone();
    let these_nodes = || parts.iter().filter_map(Part::node).collect();
    let these_links = || parts.iter().filter_map(Part::link).collect();
    match &mut fault {
        Fault::Kill { nodes } | Fault::Pause { nodes } => *nodes = these_nodes(),
        Fault::Partition { links, shape, .. } => {
            let fewer: Vec<Link> = these_links();
            if fewer.len() < links.len() {
                SOME_LINKS.clone_into(shape);
            }
            *links = fewer;
        }
        Fault::Slow { links, .. } => *links = these_links(),
        Fault::Clock { offsets_ms } => {
            *offsets_ms = parts.iter().filter_map(Part::offset).collect();
        }
        Fault::Ring(change) => {
            if let Some(Part::Ring(other)) = parts.first() {
                *change = *other;
            }
        }
    }
    Some(fault)
}

/// The same fault when nodes have other numbers; what is done to a node that has none is left out.
pub(super) fn renumbered(fault: &Fault, number: impl Fn(u16) -> Option<u16>) -> Option<Fault> {
    let mut known = BTreeSet::new();
    let parts = parts(fault).into_iter().filter_map(|part| {
        Some(match part {
            Part::Node(node) => Part::Node(number(node)?),
            Part::Offset(node, ms) => Part::Offset(number(node)?, ms),
            Part::Link(link) => Part::Link(Link {
                from: number(link.from)?,
                to: number(link.to)?,
            }),
            Part::Ring(change) => Part::Ring(match change {
                RingChange::Join(node) => RingChange::Join(number(node)?),
                RingChange::Leave(node) => RingChange::Leave(number(node)?),
                RingChange::Replace { dead, by } => RingChange::Replace {
                    dead: number(dead)?,
                    by: number(by)?,
                },
            }),
        })
    });
    let parts: Vec<Part> = parts
        .filter(|part| {
            let link = part.link();
            let place = link.map_or((part.touched(), 0), |link| (link.from, link.to));
            link.is_none_or(|link| link.from != link.to) && known.insert(place)
        })
        .collect();
    of_parts(fault, &parts)
}

/// The same fault with less force: clocks less off, links less late. The least first.
pub(super) fn weaker(fault: &Fault) -> Vec<Fault> {
    let mut weaker = Vec::new();
    match fault {
        Fault::Clock { offsets_ms } => {
            for place in 0..offsets_ms.len() {
                for ms in less(offsets_ms[place].1.unsigned_abs()) {
                    let mut offsets_ms = offsets_ms.clone();
                    let less = i64::try_from(ms).unwrap_or(i64::MAX);
                    offsets_ms[place].1 = less * offsets_ms[place].1.signum();
                    weaker.push(Fault::Clock { offsets_ms });
                }
            }
        }
        Fault::Slow {
            links,
            delay_ms,
            jitter_ms,
        } => {
            let slow = |delay_ms, jitter_ms| Fault::Slow {
                links: links.clone(),
                delay_ms,
                jitter_ms,
            };
            if *jitter_ms > 0 {
                weaker.push(slow(*delay_ms, 0));
            }
            weaker.extend(less(*delay_ms).map(|delay_ms| slow(delay_ms, *jitter_ms)));
        }
        Fault::Kill { .. } | Fault::Pause { .. } | Fault::Partition { .. } | Fault::Ring(_) => {}
    }
    weaker
}

/// Round numbers below this one, and its half.
fn less(number: u64) -> impl Iterator<Item = u64> {
    [1, 10, 100, 1_000, number / 2]
        .into_iter()
        .filter(move |&less| less < number && less > 0)
}

impl Part {
    fn node(&self) -> Option<u16> {
        match *self {
            Part::Node(node) => Some(node),
            Part::Link(_) | Part::Offset(..) | Part::Ring(_) => None,
        }
    }

    fn link(&self) -> Option<Link> {
        match *self {
            Part::Link(link) => Some(link),
            Part::Node(_) | Part::Offset(..) | Part::Ring(_) => None,
        }
    }

    fn offset(&self) -> Option<(u16, i64)> {
        match *self {
            Part::Offset(node, ms) => Some((node, ms)),
            Part::Node(_) | Part::Link(_) | Part::Ring(_) => None,
        }
    }

    /// The node that it is, or that it begins at.
    fn touched(&self) -> u16 {
        match *self {
            Part::Node(node) | Part::Offset(node, _) => node,
            Part::Link(link) => link.from,
            Part::Ring(change) => change.joiner().or(change.leaver()).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Cut;

    fn link(from: u16, to: u16) -> Link {
        Link { from, to }
    }

    #[test]
    fn a_fault_of_all_its_parts_is_that_fault() {
        let fault = Fault::Partition {
            shape: "one".into(),
            cut: Cut::Hold,
            links: vec![link(1, 2), link(2, 1)],
        };
        assert_eq!(of_parts(&fault, &parts(&fault)), Some(fault.clone()));
        assert_eq!(of_parts(&fault, &[]), None);
        let fewer = of_parts(&fault, &parts(&fault)[..1]).expect("a fault");
        assert_eq!(fewer.to_string(), "partition of some links");
    }

    #[test]
    fn whoever_has_no_number_any_more_is_left_out() {
        let fault = Fault::Kill {
            nodes: vec![1, 2, 3],
        };
        let number = |node: u16| (node > 1).then(|| node - 1);
        let nodes = vec![1, 2];
        assert_eq!(renumbered(&fault, number), Some(Fault::Kill { nodes }));
        assert_eq!(renumbered(&fault, |_| None), None);
        let slow = Fault::Slow {
            links: vec![link(1, 2), link(3, 2)],
            delay_ms: 5,
            jitter_ms: 0,
        };
        let one = renumbered(&slow, |node| Some(node.min(2))).expect("a fault");
        assert_eq!(one.links(), [link(1, 2)]);
    }

    #[test]
    fn clocks_are_less_off_and_never_the_other_way_round() {
        let fault = Fault::Clock {
            offsets_ms: vec![(2, -30)],
        };
        let offsets: Vec<Vec<i64>> = weaker(&fault).iter().map(Fault::offsets_ns).collect();
        assert_eq!(offsets, [[-1_000_000], [-10_000_000], [-15_000_000]]);
    }
}
