//! Grudges: which directed links a partition of a given shape cuts.
//!
//! Pure functions of the nodes and a generator (shapes after Jepsen's nemesis; `FAULTS` table of grudge shapes). They say what is cut,
//! never when or how.

use quorate_workloads::Rng;

use crate::fault::Link;

/// A shape of partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One node alone.
    One,
    /// Two halves; of an odd number the first is the smaller.
    Halves,
    /// A majority and the rest, the majority chosen at random.
    MajorityMinority,
    /// Every node sees a majority, no two nodes the same one.
    RingOfMajorities,
    /// Two halves and one node that sees both.
    Bridge,
    /// One node hears the others and is not heard, or the other way round.
    OneWay,
}

impl Shape {
    /// All of them.
    pub const ALL: [Shape; 6] = [
        Shape::One,
        Shape::Halves,
        Shape::MajorityMinority,
        Shape::RingOfMajorities,
        Shape::Bridge,
        Shape::OneWay,
    ];

    /// The name in plans and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Shape::One => "one",
            Shape::Halves => "halves",
            Shape::MajorityMinority => "majority-minority",
            Shape::RingOfMajorities => "ring-of-majorities",
            Shape::Bridge => "bridge",
            Shape::OneWay => "one-way",
        }
    }

    /// The shape of that name.
    pub fn from_name(name: &str) -> Option<Shape> {
        Shape::ALL.into_iter().find(|shape| shape.name() == name)
    }

    /// Fewest nodes for which the shape differs from a simpler one.
    pub fn nodes_min(self) -> u16 {
        match self {
            Shape::One | Shape::Halves | Shape::OneWay => 2,
            Shape::MajorityMinority | Shape::Bridge => 3,
            Shape::RingOfMajorities => 4,
        }
    }

    /// The links it cuts among nodes 1 to `nodes`, in order.
    pub fn links(self, nodes: u16, rng: &mut Rng) -> Vec<Link> {
        let mut order: Vec<u16> = (1..=nodes).collect();
        rng.shuffle(&mut order);
        let mut links = match self {
            Shape::One => between(&order[..1], &order[1..]),
            Shape::Halves => {
                let (a, b) = order.split_at(order.len() / 2);
                between(a, b)
            }
            Shape::MajorityMinority => {
                let majority = order.len() / 2 + 1;
                let most = u64::try_from(order.len() - 1).unwrap_or(1);
                let size = rng.between(majority as u64, most.max(majority as u64));
                let (a, b) = order.split_at(usize::try_from(size).unwrap_or(majority));
                between(a, b)
            }
            Shape::RingOfMajorities => ring(&order),
            Shape::Bridge => {
                let (a, b) = order.split_at(order.len() / 2);
                between(a, &b[1..])
            }
            Shape::OneWay => {
                let deaf = rng.percent(50);
                let (one, rest) = order.split_at(1);
                between(one, rest)
                    .into_iter()
                    .filter(|link| (link.to == one[0]) == deaf)
                    .collect()
            }
        };
        links.sort_unstable();
        links
    }
}

/// Both directions between every node of `a` and every node of `b`.
fn between(a: &[u16], b: &[u16]) -> Vec<Link> {
    a.iter()
        .flat_map(|&x| {
            b.iter()
                .flat_map(move |&y| [Link { from: x, to: y }, Link { from: y, to: x }])
        })
        .collect()
}

/// Nodes on a ring keep the links to their nearest neighbours, just enough on each side for a majority.
fn ring(order: &[u16]) -> Vec<Link> {
    let size = order.len();
    // A majority counts the node itself. With an even number of nodes one side gets one neighbour more, which both
    // ends of that link agree on because distance is symmetric.
    let reach = (size / 2).div_ceil(2);
    let mut links = Vec::new();
    for (i, &from) in order.iter().enumerate() {
        for (j, &to) in order.iter().enumerate() {
            let apart = i.abs_diff(j).min(size - i.abs_diff(j));
            if i != j && apart > reach {
                links.push(Link { from, to });
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use quorate_workloads::Rng;

    use super::Shape;
    use crate::fault::Link;

    fn every_case(check: impl Fn(Shape, u16, &[Link])) {
        for shape in Shape::ALL {
            for nodes in shape.nodes_min()..=9 {
                for seed in 0..20 {
                    check(shape, nodes, &shape.links(nodes, &mut Rng::new(seed)));
                }
            }
        }
    }

    #[test]
    fn no_shape_cuts_a_node_from_itself_or_cuts_nothing_or_cuts_twice() {
        every_case(|shape, nodes, links| {
            let name = shape.name();
            assert!(
                links.iter().all(|link| link.from != link.to),
                "{name} of {nodes}"
            );
            assert!(
                links.iter().all(|link| (1..=nodes).contains(&link.from)),
                "{name}"
            );
            let distinct: BTreeSet<_> = links.iter().collect();
            assert_eq!(distinct.len(), links.len(), "{name} of {nodes}");
            // A ring of four keeps two of three neighbours each; below that it would cut nothing.
            assert!(!links.is_empty(), "{name} of {nodes} cuts nothing");
        });
    }

    #[test]
    fn all_shapes_but_one_way_are_symmetric() {
        every_case(|shape, nodes, links| {
            let cut: BTreeSet<_> = links.iter().map(|link| (link.from, link.to)).collect();
            let symmetric = cut.iter().all(|&(from, to)| cut.contains(&(to, from)));
            assert_eq!(
                symmetric,
                shape != Shape::OneWay,
                "{} of {nodes}",
                shape.name()
            );
        });
    }

    #[test]
    fn in_a_ring_every_node_keeps_a_majority_and_no_two_the_same() {
        for nodes in 4..=9_u16 {
            let cut: BTreeSet<_> = Shape::RingOfMajorities
                .links(nodes, &mut Rng::new(3))
                .into_iter()
                .map(|link| (link.from, link.to))
                .collect();
            let views: BTreeSet<Vec<u16>> = (1..=nodes)
                .map(|x| {
                    (1..=nodes)
                        .filter(|&y| x == y || !cut.contains(&(x, y)))
                        .collect()
                })
                .collect();
            assert!(
                views.iter().all(|view| view.len() > usize::from(nodes / 2)),
                "{nodes}: {views:?}"
            );
            assert_eq!(views.len(), usize::from(nodes), "{nodes}: {views:?}");
        }
    }

    #[test]
    fn the_bridge_node_sees_everybody() {
        for nodes in 3..=9_u16 {
            let links = Shape::Bridge.links(nodes, &mut Rng::new(5));
            let whole = (1..=nodes)
                .filter(|&x| links.iter().all(|link| link.from != x && link.to != x))
                .count();
            assert_eq!(whole, 1, "{nodes}");
        }
    }

    #[test]
    fn names_lead_back_to_their_shapes() {
        for shape in Shape::ALL {
            assert_eq!(Shape::from_name(shape.name()), Some(shape));
        }
    }
}
