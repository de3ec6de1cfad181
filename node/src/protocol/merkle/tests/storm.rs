//! Exchanges whose messages are lost, repeated and late while both sides change.

use std::collections::BTreeSet;

use super::replica::{Hashing, Replica, colliding, crowded, side, strong};
use crate::protocol::Key;
use crate::protocol::merkle::{
    Answer, Difference, Exchange, Fanout, HashRange, Question, Shape, Step,
};

const SEEDS: u64 = 400;
const QUESTIONS_MAX: u32 = 3_000;
const KEYS: usize = 300;

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).expect("fewer sides than usize")
    }

    fn key(&mut self) -> Key {
        Key::from(format!("k{}", self.roll(KEYS)))
    }

    fn version(&mut self) -> Option<u64> {
        self.roll(4).checked_sub(1).map(|version| version as u64)
    }
}

#[derive(Clone)]
enum Packet {
    Question(Question),
    Answer(Answer),
}

struct Storm {
    dice: Dice,
    mine: Replica,
    theirs: Replica,
    exchange: Exchange,
    packets: Vec<Packet>,
    touched: BTreeSet<Key>,
    found: Vec<Difference>,
    asked: u32,
}

impl Storm {
    fn new(seed: u64) -> Storm {
        let mut dice = Dice(seed);
        let shape = Shape {
            fanout: [Fanout::Two, Fanout::Four, Fanout::Sixteen][dice.roll(3)],
            leaf_max: [2, 20][dice.roll(2)],
            list_max: [0, 3][dice.roll(2)],
        };
        let hashings: [Hashing; 3] = [strong, crowded, colliding];
        let mut mine = Replica::new(HashRange::FULL, shape, hashings[dice.roll(3)]);
        for _ in 0..dice.roll(2 * KEYS) {
            let (key, version) = (dice.key(), dice.version());
            mine.set(&key, version);
        }
        let mut theirs = mine.clone();
        for _ in 0..dice.roll(60) {
            let (key, version) = (dice.key(), dice.version());
            theirs.set(&key, version);
        }
        Storm {
            dice,
            mine,
            theirs,
            exchange: Exchange::new(QUESTIONS_MAX, false),
            packets: Vec::new(),
            touched: BTreeSet::new(),
            found: Vec::new(),
            asked: 0,
        }
    }

    fn change(&mut self) {
        let (key, version) = (self.dice.key(), self.dice.version());
        if self.dice.roll(2) == 0 {
            self.mine.set(&key, version);
        } else {
            self.theirs.set(&key, version);
        }
        self.touched.insert(key);
    }

    /// Whether the exchange goes on.
    fn step(&mut self) -> bool {
        match self.mine.next(&mut self.exchange) {
            Step::Ask(question) => {
                self.asked += 1;
                self.packets.push(Packet::Question(question));
            }
            Step::Found(found) => self.found.extend(found),
            Step::Finished => return false,
            Step::GivenUp => panic!("gave up after {} questions", self.asked),
        }
        true
    }

    /// Some packet is lost or arrives, and one in four of those that arrive stays to arrive again. Whether something was learned.
    fn deliver(&mut self) -> bool {
        if self.packets.is_empty() {
            return false;
        }
        let next = self.dice.roll(self.packets.len());
        let packet = self.packets.swap_remove(next);
        if self.dice.roll(4) == 0 {
            return false;
        }
        if self.dice.roll(4) == 0 {
            self.packets.push(packet.clone());
        }
        match packet {
            Packet::Question(question) => {
                let answer = self.theirs.answer(&question);
                self.packets.push(Packet::Answer(answer));
                false
            }
            Packet::Answer(answer) => self.mine.hear(&mut self.exchange, answer),
        }
    }

    /// Runs to the end and returns the keys that nobody touched and that differ.
    fn run(mut self, changes: bool) -> usize {
        loop {
            let due = match self.dice.roll(8) {
                0 if changes => {
                    self.change();
                    false
                }
                0 | 1 => true,
                _ => self.deliver(),
            };
            if due && !self.step() {
                break;
            }
        }
        assert!(self.asked <= QUESTIONS_MAX);
        let keys: BTreeSet<Key> = self.found.iter().map(|d| d.key.clone()).collect();
        assert_eq!(keys.len(), self.found.len(), "a key was named twice");
        let found: Vec<_> = self
            .found
            .into_iter()
            .filter(|d| !self.touched.contains(&d.key))
            .collect();
        let mut expected = Vec::new();
        for key in (0..KEYS).map(|key| Key::from(format!("k{key}"))) {
            let side = side(self.mine.version(&key), self.theirs.version(&key));
            if let Some(side) = side
                && !self.touched.contains(&key)
            {
                expected.push(Difference { key, side });
            }
        }
        let sorted = |mut list: Vec<Difference>| {
            list.sort_unstable();
            list
        };
        assert_eq!(sorted(found), sorted(expected.clone()));
        expected.len()
    }
}

#[test]
fn loss_repetition_and_delay_change_nothing() {
    let differing: usize = (0..SEEDS).map(|seed| Storm::new(seed).run(false)).sum();
    assert!(differing > 1_000, "{differing} keys prove little");
}

#[test]
fn keys_that_nobody_touches_are_named_if_and_only_if_they_differ() {
    let differing: usize = (0..SEEDS).map(|seed| Storm::new(seed).run(true)).sum();
    assert!(differing > 1_000, "{differing} keys prove little");
}

#[test]
fn an_exchange_that_nobody_answers_gives_up() {
    let mut storm = Storm::new(1);
    storm.exchange = Exchange::new(5, false);
    for _ in 0..5 {
        assert!(storm.step());
    }
    assert_eq!(storm.mine.next(&mut storm.exchange), Step::GivenUp);
    assert_eq!(storm.mine.next(&mut storm.exchange), Step::GivenUp);
    assert_eq!(storm.exchange.effort().messages, 5);
}

#[test]
fn a_late_answer_is_heard_even_after_the_last_question() {
    let mut storm = Storm::new(1);
    storm.exchange = Exchange::new(1, false);
    storm.theirs = storm.mine.clone();
    let Step::Ask(question) = storm.mine.next(&mut storm.exchange) else {
        panic!("the first step asks about the root");
    };
    assert_eq!(storm.mine.next(&mut storm.exchange), Step::GivenUp);
    let answer = storm.theirs.answer(&question);
    assert!(storm.mine.hear(&mut storm.exchange, answer.clone()));
    assert_eq!(storm.mine.next(&mut storm.exchange), Step::Finished);
    assert!(!storm.mine.hear(&mut storm.exchange, answer));
    assert_eq!(storm.mine.next(&mut storm.exchange), Step::Finished);
}
