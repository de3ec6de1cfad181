//! The judge of grow-only sets against the search through all orders: random, exhaustive, spoilt, and shown to be no larger than needed.

use super::cases;
use super::exhaustive;
use super::linearize::linearizable;
use super::random::{Draft, Rng, Shape, drafts, history};
use crate::history::Status;
use crate::set::certificate::verify;
use crate::set::grow_only::judge;
use crate::set::rule::{Rule, Rules};
use crate::set::{Element, Kind, Validity, Violation, grow_only};

const SHAPES: [Shape; 3] = [
    Shape {
        operations: 7,
        elements: 3,
        times: 8,
        again: false,
    },
    Shape {
        operations: 6,
        elements: 2,
        times: 6,
        again: true,
    },
    Shape {
        operations: 5,
        elements: 2,
        times: 12,
        again: false,
    },
];

fn random(seed: u64) -> Vec<Draft> {
    let shape = SHAPES[usize::try_from(seed % 3).expect("small")];
    drafts(&mut Rng::new(seed), shape)
}

/// Whether a judge that keeps these rules agrees with the search.
fn agrees(drafts: &[Draft], rules: Rules) -> bool {
    let history = history(drafts);
    let result = judge(&history, rules);
    let proven = result
        .order
        .as_ref()
        .is_none_or(|order| verify(&history, order).is_ok());
    (result.valid != Validity::Invalid) == linearizable(drafts) && proven
}

/// The operations at some places, and of their replies the elements in question.
fn part(drafts: &[Draft], places: &[usize], elements: &[i64]) -> Vec<Draft> {
    let mut kept: Vec<Draft> = places.iter().map(|&place| drafts[place].clone()).collect();
    for draft in &mut kept {
        draft.reply.retain(|element| elements.contains(element));
    }
    kept.retain(|draft| draft.add.is_none_or(|element| elements.contains(&element)));
    kept
}

fn numbers(elements: &[Element]) -> Vec<i64> {
    let number = |element: &Element| match element {
        Element::Int(number) => *number,
        Element::Text(text) => panic!("{text}"),
    };
    elements.iter().map(number).collect()
}

fn check_violation(drafts: &[Draft], violation: &Violation) {
    let alone = part(drafts, &violation.operations, &numbers(&violation.elements));
    assert_eq!(alone.len(), violation.operations.len());
    if violation.kind != Kind::Duplicate {
        assert!(!linearizable(&alone), "{violation:?}\n{drafts:#?}");
    }
    let history = history(drafts).excerpt(&violation.operations, &violation.elements);
    let again = grow_only(&history).violations;
    assert!(
        again.contains(violation),
        "{violation:?} not in {again:?}\n{drafts:#?}"
    );
}

#[test]
fn agrees_with_the_search_and_proves_it() {
    let (mut valid, mut invalid) = (0, 0);
    for seed in 0..cases(20_000) {
        let drafts = random(seed);
        assert!(agrees(&drafts, Rules::ALL), "seed {seed}: {drafts:#?}");
        let result = grow_only(&history(&drafts));
        match result.valid {
            Validity::Invalid => invalid += 1,
            Validity::Valid | Validity::Unknown => valid += 1,
        }
        for violation in &result.violations {
            check_violation(&drafts, violation);
        }
    }
    println!("grow-only set: {valid} linearizable, {invalid} not, 0 disagreements");
    assert!(
        valid * 10 > invalid && invalid * 10 > valid,
        "{valid} to {invalid}"
    );
}

#[test]
fn agrees_on_all_small_histories() {
    let counts: Vec<u64> = (0..=4)
        .map(|n| {
            exhaustive::all(n, &mut |drafts| {
                assert!(agrees(drafts, Rules::ALL), "{drafts:#?}");
            })
        })
        .collect();
    println!("grow-only set: {counts:?} histories of 0 to 4 operations, 0 disagreements");
    assert_eq!(counts, [1, 5, 80, 2_296, 95_048]);
}

#[test]
fn every_rule_is_needed() {
    let needed = [
        Rule::EqualTimesAreConcurrent,
        Rule::UnknownNeverReturned,
        Rule::UnseenComeLast,
        Rule::SmallerSetsAreSubsets,
        Rule::FirstAttemptAdds,
        Rule::RefusedDidNotHappen,
        Rule::ReadsFollowTheirAdds,
        Rule::ReadsBind,
    ];
    for rule in needed {
        let killed = (0..20_000).find(|&seed| !agrees(&random(seed), Rules::without(rule)));
        println!("without {rule:?}: caught by history {killed:?}");
        assert!(killed.is_some(), "nothing depends on {rule:?}");
    }
}

/// The fewest operations that are wrong alone, by trying all parts. A part has the first attempt to add each element that it reads.
fn fewest(drafts: &[Draft]) -> usize {
    let mut best = usize::MAX;
    for chosen in 0_u32..1 << drafts.len() {
        let places: Vec<usize> = (0..drafts.len())
            .filter(|at| chosen & 1 << at != 0)
            .collect();
        for elements in 1_u32..16 {
            let elements: Vec<i64> = (0..4).filter(|at| elements & 1 << at != 0).collect();
            let alone = part(drafts, &places, &elements);
            let size = alone.len();
            if size < best && size == places.len() && fair(drafts, &alone) && !linearizable(&alone)
            {
                best = size;
            }
        }
    }
    best
}

/// Whether each element that is read has its first attempt beside it.
fn fair(drafts: &[Draft], part: &[Draft]) -> bool {
    let adder = |element: i64| {
        let adds = || {
            drafts
                .iter()
                .filter(move |draft| draft.add == Some(element))
        };
        let happened = adds()
            .filter(|draft| draft.status != Status::Fail)
            .min_by_key(|draft| draft.call);
        happened.or_else(|| adds().next())
    };
    let mut read = part.iter().flat_map(|draft| &draft.reply);
    read.all(|&element| adder(element).is_none_or(|adder| part.contains(adder)))
}

#[test]
fn no_proof_is_smaller_than_the_first_one() {
    let mut sizes = [0_u64; 6];
    for seed in 0..cases(20_000) / 4 {
        let drafts = random(seed);
        let result = grow_only(&history(&drafts));
        let mut violations = result.violations.iter();
        let Some(smallest) = violations.find(|violation| violation.kind != Kind::Duplicate) else {
            continue;
        };
        let (size, fewest) = (smallest.operations.len(), fewest(&drafts));
        // Of reads set aside only single elements are looked at, and in the light of the first attempt to add them.
        let all_sizes = result.not_a_chain_count == 0 || fewest <= 2 && !again(&drafts);
        assert!(
            size == fewest || !all_sizes && size > fewest,
            "seed {seed}: {size}, {drafts:#?}"
        );
        sizes[size] += 1;
    }
    println!("grow-only set: proofs by operations {sizes:?}");
    assert!(sizes[1..=4].iter().all(|&size| size > 0), "{sizes:?}");
}

/// Whether an element was added more than once.
fn again(drafts: &[Draft]) -> bool {
    let mut added: Vec<i64> = drafts.iter().filter_map(|draft| draft.add).collect();
    added.sort_unstable();
    added.windows(2).any(|pair| pair[0] == pair[1])
}
