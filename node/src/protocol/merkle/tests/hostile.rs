//! Messages that no right peer sends: nothing panics, nothing goes on for ever, no answer outgrows its bound.

use proptest::prelude::*;

use super::replica::{Replica, changes, hashings, ranges, shapes};
use crate::protocol::Key;
use crate::protocol::merkle::{
    ANSWER_BYTES_MAX, Address, Answer, Ask, Description, Exchange, Listed, Question, Step, Summary,
    Told, Wanted,
};
use crate::wire::{decode, encode};

const QUESTIONS_MAX: u32 = 60;

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![
        (0..150_u32).prop_map(|key| Key::from(format!("k{key}"))),
        ".{0,20}".prop_map(Key::from),
    ]
}

/// Any address that a frame can hold.
fn addresses() -> impl Strategy<Value = Address> {
    let paths = prop_oneof![0..40_u64, any::<u64>()];
    (prop_oneof![0..5_u8, any::<u8>()], paths).prop_map(|parts| {
        let bytes = encode(&parts).expect("two numbers");
        decode(&bytes).expect("a depth and a path")
    })
}

fn questions() -> impl Strategy<Value = Question> {
    let wanted = prop_oneof![
        Just(Wanted::Children),
        prop::option::of(keys()).prop_map(|after| Wanted::Entries { after }),
    ];
    let ask = (any::<u64>(), addresses(), wanted).prop_map(|(number, address, wanted)| Ask {
        number,
        address,
        wanted,
    });
    prop_oneof![
        (any::<u32>(), any::<u128>())
            .prop_map(|(count, hash)| Question::Root(Summary { count, hash })),
        prop::collection::vec(ask, 0..600).prop_map(Question::Nodes),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let summary = (0..100_u32, any::<u128>()).prop_map(|(count, hash)| Summary { count, hash });
    let children =
        prop::collection::vec(prop::option::of(summary), 16).prop_map(Description::Children);
    let odd_children = prop::collection::vec(Just(None), 0..20).prop_map(Description::Children);
    let listed = (keys(), 0..5_u64).prop_map(|(key, digest)| Listed { key, digest });
    let entries = (prop::collection::vec(listed, 0..10), any::<bool>())
        .prop_map(|(entries, more)| Description::Entries { entries, more });
    let told = (
        0..40_u64,
        prop_oneof![4 => children, 1 => odd_children, 3 => entries],
    )
        .prop_map(|(number, description)| Told {
            number,
            description,
        });
    prop_oneof![
        1 => Just(Answer::Same),
        9 => prop::collection::vec(told, 0..20).prop_map(Answer::Nodes),
    ]
}

proptest! {
    #[test]
    fn every_question_gets_an_answer_that_fits(
        shape in shapes(), range in ranges(), hashing in hashings(),
        changes in changes(100), question in questions(),
    ) {
        let mut replica = Replica::new(range, shape, hashing);
        replica.set_all(&changes);
        let answer = encode(&replica.answer(&question)).expect("plain data");
        prop_assert!(answer.len() <= ANSWER_BYTES_MAX);
    }

    #[test]
    fn an_exchange_survives_any_answers(
        shape in shapes(), range in ranges(), hashing in hashings(),
        changes in changes(100), answers in prop::collection::vec(answers(), 1..40),
    ) {
        let mut replica = Replica::new(range, shape, hashing);
        replica.set_all(&changes);
        let mut exchange = Exchange::new(QUESTIONS_MAX, false);
        let (mut asked, mut named) = (0, 0);
        for answer in answers.iter().cycle() {
            match replica.next(&mut exchange) {
                Step::Ask(_) => asked += 1,
                Step::Found(found) => named += found.len(),
                Step::Finished | Step::GivenUp => break,
            }
            replica.hear(&mut exchange, answer.clone());
        }
        prop_assert!(asked <= QUESTIONS_MAX);
        prop_assert_eq!(exchange.effort().keys_differing(), named as u64);
    }
}
