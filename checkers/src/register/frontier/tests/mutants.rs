//! Searches that believe something wrong: the random traces must find each of them out.

use super::super::rules::Rules;
use super::super::{Answer, Budget, search_by};
use super::{CASES, random};
use crate::register::testing::brute::is_linearizable;

/// Whether a mutant judges some of the random traces wrongly.
fn is_found_out<R: Rules>() -> bool {
    let wrong = |seed| {
        let trace = random(seed);
        let (answer, _) = search_by::<R>(&trace, Budget::default());
        matches!(answer, Answer::Linearizable(_)) != is_linearizable(&trace)
    };
    (0..CASES).any(wrong)
}

macro_rules! mutants {
    ($($name:ident: $switch:ident,)*) => {$(
        #[test]
        fn $name() {
            struct Mutant;
            impl Rules for Mutant {
                const $switch: bool = true;
            }
            assert!(is_found_out::<Mutant>());
        }
    )*};
}

mutants! {
    more_spent_is_better: MORE_SPENT_IS_BETTER,
    used_covers_hidden: USED_COVERS_HIDDEN,
    reads_are_not_compared: IGNORE_READS,
    swaps_hide: SWAPS_HIDE,
    nothing_hides: NOTHING_HIDES,
    no_last_chance: NO_LAST_CHANCE,
    settled_early: SETTLE_EARLY,
    unknown_for_ever: UNKNOWN_FOREVER,
    refusals_are_content: REFUSALS_CONTENT,
    the_latest_is_used_first: LATEST_FIRST,
    settled_is_always_covered: SETTLED_ALWAYS_COVERED,
}
