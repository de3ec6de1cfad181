//! Exchanges over a network that loses nothing, held against the twin.

use proptest::prelude::*;

use super::replica::{
    Replica, brute_force, changes, colliding, compare, hashings, ranges, run, shapes, strong,
};
use crate::protocol::Key;
use crate::protocol::merkle::{Exchange, HashRange, Shape, Side};
use crate::wire::KEY_BYTES_MAX;

fn mirrored(side: Side) -> Side {
    match side {
        Side::Mine => Side::Theirs,
        Side::Theirs => Side::Mine,
        Side::Both => Side::Both,
    }
}

proptest! {
    #[test]
    fn an_exchange_names_exactly_the_keys_that_the_twin_names(
        shape in shapes(), range in ranges(), hashing in hashings(),
        common in changes(300), mine in changes(40), theirs in changes(40),
    ) {
        let mut a = Replica::new(range, shape, hashing);
        a.set_all(&common);
        let mut b = a.clone();
        a.set_all(&mine);
        b.set_all(&theirs);
        let (differ, effort) = compare(&a, &b);
        prop_assert_eq!(&differ, &brute_force(&a, &b));
        prop_assert_eq!(effort.keys_differing(), differ.len() as u64);
        if differ.is_empty() {
            prop_assert_eq!((effort.nodes_compared, effort.messages), (1, 2));
        }
        let (back, _) = compare(&b, &a);
        let back: Vec<_> = back.into_iter().map(|d| (d.key, mirrored(d.side))).collect();
        let forth: Vec<_> = differ.into_iter().map(|d| (d.key, d.side)).collect();
        prop_assert_eq!(back, forth);
    }

    /// Only the fan-out must agree: where either side splits or lists is its own affair.
    #[test]
    fn sides_of_different_shapes_understand_each_other(
        shape in shapes(), leaf_max in 0..20_u32, list_max in 0..8_u32,
        range in ranges(), hashing in hashings(), mine in changes(200), theirs in changes(200),
    ) {
        let mut a = Replica::new(range, shape, hashing);
        a.set_all(&mine);
        let mut b = Replica::new(range, Shape { leaf_max, list_max, ..shape }, hashing);
        b.set_all(&theirs);
        prop_assert_eq!(compare(&a, &b).0, brute_force(&a, &b));
    }
}

/// What `skips_ranges` overlooks, with so many keys on one side only.
fn overlooked(keys: u32) -> (usize, usize) {
    let mut mine = Replica::new(HashRange::FULL, Shape::default(), strong);
    for key in 0..keys {
        mine.set(&format!("k{key}").into(), Some(u64::from(key % 2)));
    }
    let mut theirs = Replica::new(HashRange::FULL, Shape::default(), strong);
    for key in (0..keys).filter(|key| key % 3 != 0) {
        theirs.set(&format!("k{key}").into(), Some(u64::from(key % 5)));
    }
    let expected = brute_force(&mine, &theirs);
    let (named, honest) = compare(&mine, &theirs);
    assert_eq!(named, expected);
    let (found, effort) = run(Exchange::new(1_000, true), &mine, &theirs);
    // What is below the child is not even compared, where there is anything to compare.
    let compares_less = effort.nodes_compared < honest.nodes_compared;
    assert_eq!(compares_less, honest.nodes_compared > 1);
    let missing: Vec<_> = expected.iter().filter(|d| !found.contains(d)).collect();
    assert_eq!(found.len() + missing.len(), expected.len());
    // The first sixteenth of the ring, and nothing else.
    let is_skipped = |key: &Key| strong(key.as_str()) >> 60 == 0;
    assert!(missing.iter().all(|d| is_skipped(&d.key)));
    assert!(!found.iter().any(|d| is_skipped(&d.key)));
    (missing.len(), expected.len())
}

#[test]
fn the_twin_catches_a_skipped_range() {
    // By lists alone, and by hashes of children.
    for keys in [30, 3_000] {
        let (missing, all) = overlooked(keys);
        assert!(missing > 0 && missing < all / 4, "{missing} of {all}");
    }
}

#[test]
fn long_keys_travel_in_pages_that_fit_their_frames() {
    let long = |key: u32| Key::from(format!("{key:0>KEY_BYTES_MAX$}"));
    for hashing in [strong, colliding] {
        let mut full = Replica::new(HashRange::FULL, Shape::default(), hashing);
        for key in 0..1_200 {
            full.set(&long(key), Some(1));
        }
        let empty = Replica::new(HashRange::FULL, Shape::default(), hashing);
        let mut other = full.clone();
        for key in (0..1_200).step_by(7) {
            other.set(&long(key), Some(2));
        }
        for (mine, theirs) in [(&empty, &full), (&full, &empty), (&full, &other)] {
            // `travelled` fails for a message that is too long.
            let (differ, effort) = compare(mine, theirs);
            assert_eq!(differ, brute_force(mine, theirs));
            assert!(effort.messages < 100, "{effort:?}");
        }
    }
}

#[test]
fn a_replica_that_has_everything_asks_one_that_has_nothing_only_once() {
    let mut full = Replica::new(HashRange::FULL, Shape::default(), strong);
    for key in 0..5_000 {
        full.set(&format!("k{key}").into(), Some(1));
    }
    let empty = Replica::new(HashRange::FULL, Shape::default(), strong);
    let (differ, effort) = compare(&full, &empty);
    assert_eq!((differ.len(), effort.keys_mine), (5_000, 5_000));
    assert_eq!((effort.messages, effort.nodes_compared), (2, 1));
    assert!(effort.bytes < 50, "{effort:?}");
    let (_, effort) = compare(&empty, &full);
    assert_eq!((effort.keys_theirs, effort.keys_listed), (5_000, 5_000));
    assert_eq!((effort.messages, effort.nodes_compared), (2, 1));
}

#[test]
fn parts_that_one_side_has_alone_are_not_compared_any_deeper() {
    let half = |key: &Key| strong(key.as_str()) >> 63;
    let keys: Vec<Key> = (0..10_000).map(|key| format!("k{key}").into()).collect();
    let mut mine = Replica::new(HashRange::FULL, Shape::default(), strong);
    let mut theirs = mine.clone();
    for key in &keys {
        if half(key) == 0 {
            mine.set(key, Some(1));
        } else {
            theirs.set(key, Some(1));
        }
    }
    // A few that the other has, too, in each half.
    for key in &keys[..20] {
        mine.set(key, Some(1));
        theirs.set(key, Some(1));
    }
    let (differ, effort) = compare(&mine, &theirs);
    assert_eq!(differ, brute_force(&mine, &theirs));
    // The root and its sixteen children; after that, only lists.
    assert_eq!(effort.nodes_compared, 17);
    assert!(effort.messages <= 8, "{effort:?}");
}

#[test]
fn parts_that_the_other_side_lacks_are_not_asked_about() {
    let in_first = |key: &Key| strong(key.as_str()) >> 60 == 0;
    let keys: Vec<Key> = (0..2_000).map(|key| format!("k{key}").into()).collect();
    let mut mine = Replica::new(HashRange::FULL, Shape::default(), strong);
    let mut theirs = mine.clone();
    for key in &keys {
        mine.set(key, Some(1));
        if in_first(key) {
            theirs.set(key, Some(1));
        }
    }
    let (differ, effort) = compare(&mine, &theirs);
    assert_eq!(differ, brute_force(&mine, &theirs));
    assert_eq!((effort.nodes_compared, effort.messages), (17, 2));
}
