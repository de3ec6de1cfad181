//! `set-rmw` and `cart`: sets that clients read, change and write back as a whole.
//!
//! A turn is a read; what the client does about what it read follows at once, as a second operation of its own: it unites all siblings, adds an
//! integer that nobody added before or takes out one that is there, and writes the union back. Whatever it did not read it cannot keep, which is
//! what these loads are about. A set that has grown large is left alone and the next one begun, because every operation
//! carries all of it.

use std::collections::{BTreeMap, BTreeSet};

use quorate_checkers::history::Value;

use crate::{Action, Op, Rng, Seen, Settings, Workload};

/// So many changes are made to one set of `set-rmw`.
const SET_CHANGES_MAX: u64 = 400;
/// So many changes are made to one cart.
const CART_CHANGES_MAX: u64 = 60;

/// What a client means to do with what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    /// Nothing.
    Look,
    /// Add this.
    Add(i64),
    /// Take out one of what is there, chosen by this number; add this if nothing is there.
    Take(u64, i64),
}

pub(crate) struct Sets {
    name: &'static str,
    /// Sets in use at the same time.
    places: u64,
    changes_max: u64,
    read_percent: u64,
    take_percent: u64,
    last_element: i64,
    /// Changes begun, by the place of the set among those in use.
    changes: Vec<u64>,
    intents: BTreeMap<u64, Intent>,
}

impl Sets {
    /// One set that grows, or a few: nothing is ever taken out, so that no set is as one was before.
    pub(crate) fn rmw(settings: &Settings) -> Sets {
        let grows = Settings {
            delete_percent: 0,
            ..*settings
        };
        Sets::new("s", SET_CHANGES_MAX, &grows)
    }

    /// Carts into which things are put, and out of which some are taken.
    pub(crate) fn cart(settings: &Settings) -> Sets {
        Sets::new("cart", CART_CHANGES_MAX, settings)
    }

    fn new(name: &'static str, changes_max: u64, settings: &Settings) -> Sets {
        let places = settings.keys.max(1);
        Sets {
            name,
            places,
            changes_max,
            read_percent: settings.read_percent,
            take_percent: settings.delete_percent,
            last_element: 0,
            changes: vec![0; usize::try_from(places).unwrap_or(1)],
            intents: BTreeMap::new(),
        }
    }

    /// The name of the set of some number at a place. Numbers of one place are apart by the number of places.
    fn key(&self, place: u64, number: u64) -> String {
        format!("{}{}", self.name, number * self.places + place + 1)
    }

    /// The number of the set that is in use at a place after so many changes.
    fn number(&self, changes: u64) -> u64 {
        changes.saturating_sub(1) / self.changes_max
    }

    fn element(&mut self) -> i64 {
        self.last_element += 1;
        self.last_element
    }
}

impl Workload for Sets {
    fn next(&mut self, client: u64, rng: &mut Rng) -> Op {
        let place = rng.below(self.places);
        let die = rng.below(100);
        let intent = if die < self.read_percent {
            Intent::Look
        } else if die < self.read_percent + self.take_percent {
            Intent::Take(rng.next_u64(), self.element())
        } else {
            Intent::Add(self.element())
        };
        let at = usize::try_from(place).unwrap_or(0);
        if intent != Intent::Look {
            self.changes[at] += 1;
        }
        let number = self.number(self.changes[at]);
        self.intents.insert(client, intent);
        Op {
            action: Action::Read,
            key: self.key(place, number),
        }
    }

    fn observe(&mut self, client: u64, key: &str, seen: &Seen<'_>) -> Option<Op> {
        let intent = self.intents.remove(&client)?;
        let Seen::Read(values) = seen else {
            return None;
        };
        let mut set: BTreeSet<i64> = values.iter().flat_map(elements).collect();
        match intent {
            Intent::Look => return None,
            Intent::Add(element) => {
                set.insert(element);
            }
            Intent::Take(choice, element) => {
                let place = choice.checked_rem(set.len() as u64).unwrap_or(0);
                let chosen = set.iter().nth(usize::try_from(place).unwrap_or(0)).copied();
                match chosen {
                    Some(chosen) => set.remove(&chosen),
                    None => set.insert(element),
                };
            }
        }
        Some(Op {
            action: Action::WriteSet(set.into_iter().collect()),
            key: key.to_owned(),
        })
    }

    fn keys(&self) -> Vec<String> {
        let places = (0..self.places).zip(&self.changes);
        let numbers = places.flat_map(|(place, &changes)| {
            (0..=self.number(changes)).map(move |number| (place, number))
        });
        numbers
            .map(|(place, number)| self.key(place, number))
            .collect()
    }
}

/// The elements of a set; none of anything else.
fn elements(value: &Value) -> Vec<i64> {
    let Value::Json(json) = value else {
        return Vec::new();
    };
    let list = json.as_array().into_iter().flatten();
    list.filter_map(serde_json::Value::as_i64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(elements: &[i64]) -> Value {
        Value::Json(Box::new(elements.into()))
    }

    fn settings(read_percent: u64, delete_percent: u64) -> Settings {
        Settings {
            clients: 2,
            keys: 1,
            read_percent,
            delete_percent,
        }
    }

    #[test]
    fn all_siblings_are_united_and_one_element_is_added() {
        let mut sets = Sets::rmw(&settings(0, 0));
        let read = sets.next(0, &mut Rng::new(1));
        assert_eq!(read.action, Action::Read);
        let siblings = [set(&[7, 9]), set(&[8])];
        let write = sets.observe(0, &read.key, &Seen::Read(&siblings));
        let expected = Op {
            action: Action::WriteSet(vec![1, 7, 8, 9]),
            key: "s1".to_owned(),
        };
        assert_eq!(write, Some(expected));
        assert_eq!(sets.observe(0, "s1", &Seen::Done), None);
    }

    #[test]
    fn whoever_read_nothing_writes_nothing() {
        let mut sets = Sets::rmw(&settings(0, 0));
        let read = sets.next(0, &mut Rng::new(1));
        assert_eq!(sets.observe(0, &read.key, &Seen::Unknown), None);
        let look = &mut Sets::cart(&settings(100, 0));
        let read = look.next(0, &mut Rng::new(1));
        assert_eq!(look.observe(0, &read.key, &Seen::Read(&[set(&[1])])), None);
    }

    #[test]
    fn something_is_taken_out_of_a_cart_that_is_not_empty() {
        let mut cart = Sets::cart(&settings(0, 100));
        let mut rng = Rng::new(1);
        let read = cart.next(0, &mut rng);
        let first = cart
            .observe(0, &read.key, &Seen::Read(&[]))
            .expect("a write");
        assert_eq!(first.action, Action::WriteSet(vec![1]));
        let read = cart.next(0, &mut rng);
        let second = cart.observe(0, &read.key, &Seen::Read(&[set(&[5])]));
        assert_eq!(second.expect("a write").action, Action::WriteSet(vec![]));
    }

    #[test]
    fn a_set_that_has_grown_large_is_left_for_the_next() {
        let mut sets = Sets::rmw(&settings(0, 0));
        let mut rng = Rng::new(1);
        let keys: Vec<String> = (0..=SET_CHANGES_MAX)
            .map(|_| sets.next(0, &mut rng).key)
            .collect();
        assert_eq!(keys[399], "s1");
        assert_eq!(keys[400], "s2");
        assert_eq!(sets.keys(), ["s1", "s2"]);
    }
}
