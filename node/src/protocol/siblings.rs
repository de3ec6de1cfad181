//! Dotted version vectors: which writes of a key a replica has seen, and which of them nothing has replaced yet.
//!
//! A write is named by its *dot*; a context (a version vector) names a set of writes. A write replaces what its client's context names
//! and stays beside everything else. Merging keeps a sibling unless one side has seen it and dropped it, so that the states of a key are
//! a join semilattice (Preguiça et al., "Dotted Version Vectors", 2010; Almeida et al., "Scalable and Accurate Causality Tracking for
//! Eventually Consistent Stores", 2014). Nothing here knows replicas or decides who gives a dot: that is `coordinator`'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::NodeId;

use super::version::Version;

/// Who gives dots: one life of one node. What a node forgot in a crash it must not count again, so its start count is part of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The node.
    pub node: NodeId,
    /// Its start count.
    pub epoch: u64,
    /// 0 for what it writes as a replica of the key. A node that stands in for one hands over what it has and forgets it, so that it could not
    /// tell later what it has seen of the key: there each write has an actor of its own.
    pub errand: u64,
}

/// The name of one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dot {
    /// Who gave it.
    pub actor: Actor,
    /// Which of the actor's; from 1.
    pub counter: u64,
}

/// A version vector: of each actor, the largest counter that is meant; all smaller ones of the same key are meant, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionVector(BTreeMap<Actor, u64>);

impl VersionVector {
    /// Whether this write is meant.
    pub fn contains(&self, dot: Dot) -> bool {
        self.counter(dot.actor) >= dot.counter
    }

    /// The largest counter of an actor; 0 if there is none.
    pub fn counter(&self, actor: Actor) -> u64 {
        self.0.get(&actor).copied().unwrap_or(0)
    }

    /// Whether everything that `other` means is meant.
    pub fn descends(&self, other: &VersionVector) -> bool {
        let mut entries = other.0.iter();
        entries.all(|(actor, counter)| self.counter(*actor) >= *counter)
    }

    /// Means `dot`, too.
    pub fn add(&mut self, dot: Dot) {
        let counter = self.0.entry(dot.actor).or_default();
        *counter = dot.counter.max(*counter);
    }

    /// Means everything that `other` means, too.
    pub fn join(&mut self, other: &VersionVector) {
        for (&actor, &counter) in &other.0 {
            self.add(Dot { actor, counter });
        }
    }

    /// How many actors it names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it means no write at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a replica holds of a key.
///
/// The context contains the dot of every sibling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Siblings {
    context: VersionVector,
    versions: BTreeMap<Dot, Version>,
}

impl Siblings {
    /// Every write that was seen, replaced or not.
    pub fn context(&self) -> &VersionVector {
        &self.context
    }

    /// The writes that nothing has replaced, tombstones included.
    pub fn versions(&self) -> impl ExactSizeIterator<Item = (&Dot, &Version)> {
        self.versions.iter()
    }

    /// What is held after a client's write that was given this dot: `read` is what the client had read, and so what the write replaces.
    ///
    /// The dot must be larger than every earlier one of its actor for this key, and `self` must be all that the actor holds of the key:
    /// else the context would name writes that were never seen.
    #[must_use]
    pub fn written(&self, read: &VersionVector, dot: Dot, version: Version) -> Siblings {
        let mut next = self.clone();
        next.versions.retain(|dot, _| !read.contains(*dot));
        next.context.join(read);
        next.context.add(dot);
        next.versions.insert(dot, version);
        next
    }

    /// The same without the siblings that are smaller than `version`: for stores that keep one.
    #[must_use]
    pub fn without_older_than(&self, version: &Version) -> Siblings {
        let mut next = self.clone();
        next.versions.retain(|_, held| *held >= *version);
        next
    }

    /// Everything that either side has seen, without what either side has replaced.
    pub fn merge(&mut self, other: &Siblings) {
        self.versions
            .retain(|dot, _| other.versions.contains_key(dot) || !other.context.contains(*dot));
        for (dot, version) in &other.versions {
            if !self.context.contains(*dot) {
                self.versions.insert(*dot, version.clone());
            }
        }
        self.context.join(&other.context);
    }

    /// Whether merging `other` would change nothing.
    pub fn covers(&self, other: &Siblings) -> bool {
        let replaced =
            |dot: &Dot| other.context.contains(*dot) && !other.versions.contains_key(dot);
        self.context.descends(&other.context) && !self.versions.keys().any(replaced)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proptest::prelude::*;

    use crate::wire::Stamp;

    use super::*;

    fn actor(node: u16) -> Actor {
        Actor {
            node: NodeId(node),
            epoch: 1,
            errand: 0,
        }
    }

    fn version(value: i64) -> Version {
        Version {
            stamp: Stamp {
                wall_ns: value,
                node: 1,
            },
            value: Some(Arc::from(value.to_string().as_bytes())),
        }
    }

    /// What happens to three replicas and three clients of one key.
    #[derive(Clone, Debug)]
    pub(in super::super) enum Event {
        /// A client reads at a replica.
        Read(usize, usize),
        /// A client writes at a replica, with what it had read or blind.
        Write(usize, usize, bool),
        /// A replica is told what another holds.
        Tell(usize, usize),
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            (0..3_usize, 0..3_usize).prop_map(|(client, at)| Event::Read(client, at)),
            (0..3_usize, 0..3_usize, any::<bool>())
                .prop_map(|(client, at, blind)| Event::Write(client, at, blind)),
            (0..3_usize, 0..3_usize).prop_map(|(from, to)| Event::Tell(from, to)),
        ];
        prop::collection::vec(event, 0..40)
    }

    /// The same history, told twice: by dots, and by explicit sets of writes (what was seen, what is left of it).
    #[derive(Clone, Default)]
    struct Replica {
        held: Siblings,
        seen: BTreeSet<i64>,
        left: BTreeSet<i64>,
    }

    fn play(events: &[Event]) -> Vec<Replica> {
        let mut replicas = vec![Replica::default(); 3];
        let mut clients = vec![(VersionVector::default(), BTreeSet::new()); 3];
        for (number, event) in (1_i64..).zip(events) {
            match *event {
                Event::Read(client, at) => {
                    let Replica { held, seen, .. } = &replicas[at];
                    clients[client] = (held.context().clone(), seen.clone());
                }
                Event::Write(client, at, blind) => {
                    let (context, read) = if blind {
                        Default::default()
                    } else {
                        clients[client].clone()
                    };
                    let replica = &mut replicas[at];
                    let actor = actor(u16::try_from(at).unwrap());
                    let counter = replica.held.context().counter(actor) + 1;
                    let dot = Dot { actor, counter };
                    replica.held = replica.held.written(&context, dot, version(number));
                    replica.left.retain(|write| !read.contains(write));
                    replica.left.insert(number);
                    replica.seen.extend(read);
                    replica.seen.insert(number);
                }
                Event::Tell(from, to) => {
                    let told = replicas[from].clone();
                    let replica = &mut replicas[to];
                    replica.held.merge(&told.held);
                    let kept =
                        |write: &i64| !told.seen.contains(write) || told.left.contains(write);
                    replica.left.retain(kept);
                    let news = told.left.difference(&replica.seen);
                    let news: Vec<i64> = news.copied().collect();
                    replica.left.extend(news);
                    replica.seen.extend(told.seen);
                }
            }
        }
        replicas
    }

    fn values(held: &Siblings) -> BTreeSet<i64> {
        let text =
            |version: &Version| String::from_utf8(version.value.as_deref().unwrap().to_vec());
        let values = held.versions().map(|(_, version)| text(version).unwrap());
        values.map(|text| text.parse().unwrap()).collect()
    }

    fn merged(a: &Siblings, b: &Siblings) -> Siblings {
        let mut merged = a.clone();
        merged.merge(b);
        merged
    }

    proptest! {
        /// Dots agree with real causality: what is left is exactly what nobody who knew of it has replaced.
        #[test]
        fn siblings_are_what_real_causality_leaves(events in events()) {
            for replica in play(&events) {
                prop_assert_eq!(values(&replica.held), replica.left);
            }
        }

        /// Comparison is real causality, too: one replica covers another iff it has seen all that the other has and learns of no replacement.
        #[test]
        fn covering_is_knowing_at_least_as_much(events in events()) {
            let replicas = play(&events);
            for a in &replicas {
                for b in &replicas {
                    let nothing_new = merged(&a.held, &b.held) == a.held;
                    prop_assert_eq!(a.held.covers(&b.held), nothing_new);
                    let knows = a.seen.is_superset(&b.seen) && a.left.iter().all(|write| !b.seen.contains(write) || b.left.contains(write));
                    prop_assert_eq!(a.held.covers(&b.held), knows);
                }
            }
        }

        #[test]
        fn merging_is_commutative_associative_and_idempotent(events in events()) {
            let replicas = play(&events);
            let [a, b, c] = [&replicas[0].held, &replicas[1].held, &replicas[2].held];
            prop_assert_eq!(merged(a, b), merged(b, a));
            prop_assert_eq!(merged(&merged(a, b), c), merged(a, &merged(b, c)));
            prop_assert_eq!(&merged(a, a), a);
            prop_assert!(merged(a, b).covers(a) && merged(a, b).covers(b));
        }
    }

    /// Three clients read, and then all write what they made of it, twenty times over: three siblings, never more. Blind puts leave all
    /// sixty (SEMANTICS 3.8).
    #[test]
    fn sixty_puts_by_three_clients() {
        for (blind, expected) in [(false, 3), (true, 60)] {
            let mut held = Siblings::default();
            for round in 0..20 {
                let read = if blind {
                    VersionVector::default()
                } else {
                    held.context().clone()
                };
                for client in 0..3 {
                    let actor = actor(1);
                    let counter = held.context().counter(actor) + 1;
                    let dot = Dot { actor, counter };
                    held = held.written(&read, dot, version(3 * round + client));
                }
                assert!(held.versions().len() <= expected);
            }
            assert_eq!(held.versions().len(), expected);
        }
    }

    /// What a dot that was given twice does: replicas that know the first take the second for it (SEMANTICS 3.4).
    #[test]
    fn a_dot_given_twice_hides_a_write() {
        let dot = Dot {
            actor: actor(1),
            counter: 1,
        };
        let read = VersionVector::default();
        let first = Siblings::default().written(&read, dot, version(1));
        let second = Siblings::default().written(&read, dot, version(2));
        assert!(first.covers(&second) && second.covers(&first));
        assert_ne!(first, second);
    }
}
