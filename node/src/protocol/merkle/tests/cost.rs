//! What a comparison costs, against an explicit bound.

use proptest::prelude::*;

use super::replica::{Replica, brute_force, compare, strong};
use crate::protocol::Key;
use crate::protocol::merkle::{HashRange, Shape};

/// Most nodes that are compared for `differing` of `keys` keys, with the default shape and hashes that spread evenly.
///
/// A node is opened only if it differs and both sides have more than 32 keys below it: then its 16 children are compared. At depth l
/// at most min(d, 16^l) nodes differ, and below the depth where a node has 8 keys on average none has more than 32 (for a Poisson
/// variable that is one in 10^10). Summed over the depths, at most d (log16(n/d) + 1 + 1 + 1/15) - 0.75 d nodes are opened.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn nodes_compared_max(keys: usize, differing: usize) -> f64 {
    let (n, d) = (keys as f64, differing.max(1) as f64);
    let opened = d * ((n / d).max(1.0).log(16.0) + 2.0);
    1.0 + if differing == 0 { 0.0 } else { 16.0 * opened }
}

/// Most keys that are listed: in each list, those that differ and no more than 32 others.
fn keys_listed_max(differing: usize) -> u64 {
    33 * differing as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn few_nodes_are_compared_for_few_differences(
        keys in 1..6_000_usize,
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8), 0..100),
        salt in 0..1_000_u32,
    ) {
        let name = |key: usize| Key::from(format!("{salt}-{key}"));
        let mut mine = Replica::new(HashRange::FULL, Shape::default(), strong);
        (0..keys).for_each(|key| mine.set(&name(key), Some(0)));
        let mut theirs = mine.clone();
        for (pick, what) in &picks {
            let key = name(pick.index(keys));
            match what {
                0 => theirs.set(&key, Some(1)),
                1 => theirs.set(&key, None),
                _ => mine.set(&key, None),
            }
        }
        let (differ, effort) = compare(&mine, &theirs);
        prop_assert_eq!(&differ, &brute_force(&mine, &theirs));
        let bound = nodes_compared_max(keys, differ.len());
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let compared = effort.nodes_compared as f64;
        prop_assert!(compared <= bound, "{compared} > {bound} for {} of {keys}", differ.len());
        prop_assert!(effort.keys_listed <= keys_listed_max(differ.len()));
        prop_assert!(effort.nodes_differing <= effort.nodes_compared);
    }
}

#[test]
fn the_bound_is_not_met_by_comparing_everything() {
    // With one leaf for all, both sides list all they have: that is what a tree is there to avoid.
    let shape = Shape {
        list_max: u32::MAX,
        ..Shape::default()
    };
    let mut mine = Replica::new(HashRange::FULL, shape, strong);
    (0..3_000).for_each(|key: u32| mine.set(&format!("k{key}").into(), Some(0)));
    let mut theirs = mine.clone();
    theirs.set(&"k7".into(), Some(1));
    let (differ, effort) = compare(&mine, &theirs);
    assert_eq!((differ.len(), effort.keys_listed), (1, 3_000));
    assert!(effort.keys_listed > keys_listed_max(1));
}
