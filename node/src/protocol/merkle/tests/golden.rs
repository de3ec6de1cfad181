//! The worked examples of the theory, by their numbers in the notes.

use super::replica::{Replica, brute_force, compare, strong};
use crate::protocol::Key;
use crate::protocol::merkle::{Difference, Fanout, HashRange, Index, Shape, Side, Tree};

fn differ(key: &str, side: Side) -> Difference {
    Difference {
        key: key.into(),
        side,
    }
}

/// 002-10: a binary tree over four blocks A to D.
///
/// ```text
///              root *
///          AB          CD *
///        A    B     C *    D
/// ```
#[test]
fn one_changed_leaf_of_four_is_found_by_a_path_of_three() {
    let shape = Shape {
        fanout: Fanout::Two,
        leaf_max: 1,
        list_max: 0,
    };
    // A lies at 0, D at 3, and the range has these four places.
    let place = |key: &str| key.bytes().map(|letter| u64::from(letter - b'A')).sum();
    let mut mine = Replica::new(HashRange::new(u64::MAX, 3), shape, place);
    for key in ["A", "B", "C", "D"] {
        mine.set(&key.into(), Some(1));
    }
    assert_eq!(mine.tree.outline().len(), 7);
    let mut theirs = mine.clone();
    let (none, effort) = compare(&mine, &theirs);
    assert_eq!((none.len(), effort.nodes_compared), (0, 1));

    theirs.set(&"C".into(), Some(2));
    let (found, effort) = compare(&mine, &theirs);
    assert_eq!(found, [differ("C", Side::Both)]);
    // The path of the three that differ, and the two siblings that turn out to be the same: neither A nor B is looked at.
    assert_eq!((effort.nodes_differing, effort.nodes_compared), (3, 5));
    assert_eq!(effort.keys_listed, 1);
}

/// 001-13: key1 v5 and v5, key2 v3 and v7, key3 v2 and v1: two keys move, one each way.
#[test]
fn two_of_three_keys_differ_and_one_moves_each_way() {
    let replica = |versions: [u64; 3]| {
        let mut replica = Replica::new(HashRange::FULL, Shape::default(), strong);
        for (key, version) in ["key1", "key2", "key3"].iter().zip(versions) {
            replica.set(&Key::from(*key), Some(version));
        }
        replica
    };
    let (mut a, mut b) = (replica([5, 3, 2]), replica([5, 7, 1]));
    let (found, effort) = compare(&a, &b);
    assert_eq!(
        found,
        [differ("key2", Side::Both), differ("key3", Side::Both)]
    );
    assert_eq!((effort.keys_both, effort.messages), (2, 2));

    // The owner asks for the versions of these two and keeps the newer.
    let mut moved = Vec::new();
    for Difference { key, .. } in found {
        let (held_a, held_b) = (a.version(&key), b.version(&key));
        moved.push((key.as_str().to_owned(), held_a > held_b));
        a.set(&key, held_a.max(held_b));
        b.set(&key, held_a.max(held_b));
    }
    assert_eq!(
        moved,
        [("key2".to_owned(), false), ("key3".to_owned(), true)]
    );
    assert_eq!(a.tree.root(), b.tree.root());
    assert_eq!(a.tree.outline(), replica([5, 7, 2]).tree.outline());
    assert_eq!(brute_force(&a, &b), []);
    let (found, effort) = compare(&a, &b);
    assert_eq!(
        (found.len(), effort.nodes_compared, effort.messages),
        (0, 1, 2)
    );
}

#[test]
fn roots_are_frozen() {
    // Nodes of different builds compare them: a change here is a change of format.
    let mut tree = Tree::new(HashRange::FULL, Shape::default());
    tree.set(1, None, Some(2), &Index::default());
    assert_eq!(tree.root().hash, 0x556c_70b5_fae5_b2a4_4967_2959_65e4_d325);
    tree.set(u64::MAX, None, Some(3), &Index::default());
    assert_eq!(tree.root().count, 2);
    assert_eq!(tree.root().hash, 0xdb3c_be91_4705_a472_19ce_5081_8727_d954);
}
