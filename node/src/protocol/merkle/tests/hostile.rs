//! Messages that no right peer sends: nothing panics, nothing goes on for ever, no answer outgrows its bound.

use proptest::prelude::*;

use super::replica::{Replica, changes, colliding, hashings, ranges, shapes, strong};
use crate::protocol::Key;
use crate::protocol::merkle::{
    ANSWER_BYTES_MAX, ASKS_MAX, Address, Answer, Ask, Description, Difference, Exchange, HashRange,
    Listed, Question, Shape, Step, Summary, Told, Wanted,
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

fn listed(keys: &[&str]) -> Vec<Listed> {
    let listed = |key: &&str| Listed {
        key: Key::from(*key),
        digest: 1,
    };
    keys.iter().map(listed).collect()
}

fn page(number: u64, keys: &[&str], more: bool) -> Answer {
    let entries = listed(keys);
    let description = Description::Entries { entries, more };
    Answer::Nodes(vec![Told {
        number,
        description,
    }])
}

/// The keys that the next step names.
fn named(replica: &Replica, exchange: &mut Exchange) -> Vec<String> {
    match replica.next(exchange) {
        Step::Found(found) => {
            let key = |difference: Difference| difference.key.as_str().to_owned();
            found.into_iter().map(key).collect()
        }
        other => panic!("expected keys, not {other:?}"),
    }
}

#[test]
fn a_page_names_only_what_is_new_and_in_place() {
    // Keys lie where their lengths say, and the range has the lengths 1 to 5.
    let range = HashRange::new(0, 5);
    let replica = Replica::new(range, Shape::default(), |key| key.len() as u64);
    let mut exchange = Exchange::new(QUESTIONS_MAX, false);
    assert!(matches!(replica.next(&mut exchange), Step::Ask(_)));
    let first = page(0, &["bb", "a", "bb", "", "too-long"], true);
    assert!(replica.hear(&mut exchange, first));
    assert_eq!(named(&replica, &mut exchange), ["a", "bb"]);

    let after = Some(Key::from("bb"));
    let asked = Ask {
        number: 1,
        address: Address::ROOT,
        wanted: Wanted::Entries { after },
    };
    let question = Question::Nodes(vec![asked]);
    assert_eq!(replica.next(&mut exchange), Step::Ask(question.clone()));
    // Nothing to go on from, and yet more: that is no answer.
    assert!(!replica.hear(&mut exchange, page(1, &["a", "bb"], true)));
    assert_eq!(replica.next(&mut exchange), Step::Ask(question));
    assert!(replica.hear(&mut exchange, page(1, &["a", "bc", "bb"], false)));
    assert_eq!(named(&replica, &mut exchange), ["bc"]);
    assert_eq!(replica.next(&mut exchange), Step::Finished);
}

#[test]
fn keys_of_other_nodes_are_not_named() {
    // Sixteen places, one below each child of the root: keys lie where their lengths say.
    let range = HashRange::new(0, 16);
    let replica = Replica::new(range, Shape::default(), |key| key.len() as u64);
    let mut exchange = Exchange::new(QUESTIONS_MAX, false);
    assert!(matches!(replica.next(&mut exchange), Step::Ask(_)));
    let mut children = vec![None; 16];
    children[1] = Some(Summary { count: 1, hash: 1 });
    let told = Told {
        number: 0,
        description: Description::Children(children),
    };
    assert!(replica.hear(&mut exchange, Answer::Nodes(vec![told])));
    assert!(matches!(replica.next(&mut exchange), Step::Ask(_)));
    let strays = page(1, &["a", "bb", "ccc"], false);
    assert!(replica.hear(&mut exchange, strays));
    assert_eq!(named(&replica, &mut exchange), ["bb"]);
    assert_eq!(replica.next(&mut exchange), Step::Finished);
}

#[test]
fn a_node_of_another_fan_out_is_no_answer() {
    let replica = Replica::new(HashRange::FULL, Shape::default(), strong);
    let mut exchange = Exchange::new(QUESTIONS_MAX, false);
    let question = replica.next(&mut exchange);
    for children in [0, 2, 15, 17] {
        let description = Description::Children(vec![None; children]);
        let told = Told {
            number: 0,
            description,
        };
        assert!(!replica.hear(&mut exchange, Answer::Nodes(vec![told])));
        assert_eq!(replica.next(&mut exchange), question);
    }
}

#[test]
fn an_answer_is_about_so_many_nodes_at_most() {
    let replica = Replica::new(HashRange::FULL, Shape::default(), strong);
    let ask = |number| Ask {
        number,
        address: Address::ROOT,
        wanted: Wanted::Children,
    };
    let asks = (0..2 * ASKS_MAX as u64).map(ask).collect();
    let Answer::Nodes(told) = replica.answer(&Question::Nodes(asks)) else {
        panic!("nodes are asked about");
    };
    assert_eq!(told.len(), ASKS_MAX);
}

#[test]
fn a_page_begins_after_the_last_key_of_the_one_before() {
    let mut replica = Replica::new(HashRange::FULL, Shape::default(), colliding);
    let keys: Vec<Key> = (0..100).map(|key| format!("k{key}").into()).collect();
    for key in &keys {
        replica.set(key, Some(1));
    }
    let page = |after: Option<Key>| {
        let ask = Ask {
            number: 0,
            address: Address::ROOT,
            wanted: Wanted::Entries { after },
        };
        match replica.answer(&Question::Nodes(vec![ask])) {
            Answer::Nodes(mut told) => match told.swap_remove(0).description {
                Description::Entries { entries, .. } => entries,
                Description::Children(_) => panic!("entries were asked for"),
            },
            Answer::Same => panic!("nodes are asked about"),
        }
    };
    let all = page(None);
    assert_eq!(all.len(), 100);
    for (number, listed) in all.iter().enumerate() {
        assert_eq!(page(Some(listed.key.clone())), all[number + 1..]);
    }
}
