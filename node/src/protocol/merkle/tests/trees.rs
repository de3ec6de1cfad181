//! Laws of the tree alone.

use proptest::prelude::*;

use super::replica::{Replica, changes, hashings, ranges, shapes, strong};
use crate::protocol::Key;
use crate::protocol::merkle::{Address, Contents, HashRange, Shape, Summary, Tree};

/// What the tree must say about the keys below a node, from the keys alone.
fn summed_up(replica: &Replica, address: Address) -> Summary {
    let (range, fanout) = (replica.tree.range(), replica.tree.shape().fanout);
    let offsets = address.offsets(fanout, range);
    let mut sum = Summary::default();
    for entry in replica.held.entries(0..=u64::MAX) {
        if range
            .offset(entry.hash)
            .is_some_and(|offset| offsets.contains(&offset))
        {
            let mut alone = Tree::new(range, Shape::default());
            alone.set(entry.hash, None, Some(entry.digest), &replica.held);
            sum.count += 1;
            sum.hash = sum.hash.wrapping_add(alone.root().hash);
        }
    }
    sum
}

proptest! {
    /// Shape and hashes are functions of what is held: whatever the changes that led there, the tree is the one that is built at once.
    #[test]
    fn a_tree_does_not_remember_how_it_came_about(
        shape in shapes(), range in ranges(), hashing in hashings(), changes in changes(400),
    ) {
        let mut replica = Replica::new(range, shape, hashing);
        replica.set_all(&changes);
        let built = Tree::build(range, shape, &replica.held);
        prop_assert_eq!(replica.tree.outline(), built.outline());
        prop_assert_eq!(built.root().count as usize, replica.keys().len());
    }

    #[test]
    fn a_node_has_children_exactly_if_many_keys_lie_below_it(
        shape in shapes(), range in ranges(), hashing in hashings(), changes in changes(200),
    ) {
        let mut replica = Replica::new(range, shape, hashing);
        replica.set_all(&changes);
        for (address, summary, has_children) in replica.tree.outline() {
            let many = summary.count > shape.leaf_max && replica.tree.is_divisible(address);
            prop_assert_eq!(has_children, many);
            prop_assert_eq!(summary, summed_up(&replica, address));
        }
    }

    /// Children that are not stored are summed up to what they would be if they were.
    #[test]
    fn a_coarse_tree_says_the_same_as_a_fine_one(
        shape in shapes(), range in ranges(), hashing in hashings(), changes in changes(100),
    ) {
        let mut replica = Replica::new(range, Shape { leaf_max: 0, ..shape }, hashing);
        replica.set_all(&changes);
        let coarse = Tree::build(range, shape, &replica.held);
        for (address, ..) in replica.tree.outline() {
            let fine = replica.tree.children(address, &replica.held);
            prop_assert_eq!(coarse.children(address, &replica.held), fine);
        }
    }

    #[test]
    fn trees_that_hold_something_else_have_other_roots(
        range in ranges(), hashing in hashings(), a in changes(20), b in changes(20),
    ) {
        let replica = |changes: &[(Key, Option<u64>)]| {
            let mut replica = Replica::new(range, Shape::default(), hashing);
            replica.set_all(changes);
            replica
        };
        let (a, b) = (replica(&a), replica(&b));
        let pairs = |replica: &Replica| -> Vec<(u64, u64)> {
            let entries = replica.held.entries(0..=u64::MAX);
            let mut pairs: Vec<_> = entries
                .filter(|entry| range.contains(entry.hash))
                .map(|entry| (entry.hash, entry.digest))
                .collect();
            pairs.sort_unstable();
            pairs
        };
        prop_assert_eq!(a.tree.root() == b.tree.root(), pairs(&a) == pairs(&b));
    }
}

#[test]
fn memory_follows_what_is_held() {
    let keys: Vec<Key> = (0..20_000).map(|key| format!("k{key}").into()).collect();
    let shape = Shape {
        leaf_max: 8,
        ..Shape::default()
    };
    let mut replica = Replica::new(HashRange::FULL, shape, strong);
    let empty = replica.tree.memory_bytes();
    assert!(empty < 200, "{empty} bytes for nothing");
    for key in &keys {
        replica.set(key, Some(1));
    }
    let full = replica.tree.memory_bytes();
    // A hash and a digest of each key would be sixteen bytes.
    assert!(full < 16 * keys.len(), "{full} bytes");
    for key in &keys[1_000..] {
        replica.set(key, None);
    }
    let few = replica.tree.memory_bytes();
    assert!(
        few < full / 8,
        "{few} bytes of {full} for a twentieth of the keys"
    );
    let built = Tree::build(HashRange::FULL, shape, &replica.held);
    assert_eq!(replica.tree.outline(), built.outline());
    for key in &keys[..1_000] {
        replica.set(key, None);
    }
    let nothing = Tree::new(HashRange::FULL, shape);
    assert_eq!(replica.tree.outline(), nothing.outline());
}

#[test]
fn keys_outside_the_range_are_none_of_its_business() {
    let mut replica = Replica::new(HashRange::new(2, 5), Shape::default(), |key| {
        key.len() as u64
    });
    for key in ["", "1", "12", "123456", "1234567"] {
        replica.set(&key.into(), Some(1));
    }
    assert_eq!(replica.tree.root(), Summary::default());
    replica.set(&"123".into(), Some(1));
    assert_eq!(replica.tree.root().count, 1);
}
