//! What is held of all keys, found by the keys' hashes: to find one of a million costs a few cache misses, where comparing with texts on
//! the way would cost one for each of those.
//!
//! A map in the order of hashes, the same on every node and in every run. It knows nothing of what it holds.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

use xxhash_rust::xxh3::xxh3_64;

use super::version::Key;

/// A map from keys.
#[derive(Debug)]
pub(super) struct Holdings<T> {
    by_hash: BTreeMap<u64, Shelf<T>>,
    hash: fn(&str) -> u64,
    keys: usize,
}

/// What is held of the keys of one hash.
#[derive(Debug)]
enum Shelf<T> {
    One(Key, T),
    /// Keys of the same hash, which nobody has by chance. Whoever makes up such keys does not make a node slow by them.
    Many(BTreeMap<Key, T>),
}

impl<T> Holdings<T> {
    pub(super) fn new() -> Holdings<T> {
        Holdings::by(|key| xxh3_64(key.as_bytes()))
    }

    fn by(hash: fn(&str) -> u64) -> Holdings<T> {
        Holdings {
            by_hash: BTreeMap::new(),
            hash,
            keys: 0,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&T> {
        match self.by_hash.get(&(self.hash)(key))? {
            Shelf::One(held, content) => (held.as_str() == key).then_some(content),
            Shelf::Many(many) => many.get(key),
        }
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        match self.by_hash.get_mut(&(self.hash)(key))? {
            Shelf::One(held, content) => (held.as_str() == key).then_some(content),
            Shelf::Many(many) => many.get_mut(key),
        }
    }

    /// Puts something in the place of what was held of a key, and returns that.
    pub(super) fn insert(&mut self, key: Key, content: T) -> Option<T> {
        let before = match self.by_hash.entry((self.hash)(key.as_str())) {
            Entry::Vacant(vacant) => {
                vacant.insert(Shelf::One(key, content));
                None
            }
            Entry::Occupied(mut occupied) => match occupied.get_mut() {
                Shelf::One(held, before) if *held == key => {
                    Some(std::mem::replace(before, content))
                }
                Shelf::Many(many) => many.insert(key, content),
                one @ Shelf::One(..) => {
                    let mut many = BTreeMap::from([(key, content)]);
                    if let Shelf::One(held, other) =
                        std::mem::replace(one, Shelf::Many(BTreeMap::new()))
                    {
                        many.insert(held, other);
                    }
                    *one = Shelf::Many(many);
                    None
                }
            },
        };
        self.keys += usize::from(before.is_none());
        before
    }

    /// Drops what is held of a key, and returns it.
    pub(super) fn remove(&mut self, key: &str) -> Option<T> {
        let Entry::Occupied(mut occupied) = self.by_hash.entry((self.hash)(key)) else {
            return None;
        };
        let removed = match occupied.get_mut() {
            Shelf::Many(many) => {
                let removed = many.remove(key);
                if many.is_empty() {
                    occupied.remove();
                }
                removed
            }
            Shelf::One(held, _) if held.as_str() == key => match occupied.remove() {
                Shelf::One(_, content) => Some(content),
                Shelf::Many(_) => None,
            },
            Shelf::One(..) => None,
        };
        self.keys -= usize::from(removed.is_some());
        removed
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys
    }

    /// All of it, in the order of hashes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &T)> {
        self.by_hash.values().flat_map(Shelf::iter)
    }

    /// What comes after a key in that order, whether the key is there or not; all of it if there is no key.
    pub(super) fn after(&self, key: Option<&Key>) -> impl Iterator<Item = (&Key, &T)> {
        let start = key.map(|key| ((self.hash)(key.as_str()), key.clone()));
        let from = match &start {
            Some((hash, _)) => Bound::Included(*hash),
            None => Bound::Unbounded,
        };
        self.by_hash
            .range((from, Bound::Unbounded))
            .flat_map(|(hash, shelf)| shelf.iter().map(move |held| (*hash, held)))
            .skip_while(move |(hash, (held, _))| {
                let start = start.as_ref();
                start.is_some_and(|(first, key)| (hash, *held) <= (first, key))
            })
            .map(|(_, held)| held)
    }
}

impl<T> Shelf<T> {
    fn iter(&self) -> impl Iterator<Item = (&Key, &T)> {
        let (one, many) = match self {
            Shelf::One(key, content) => (Some((key, content)), None),
            Shelf::Many(many) => (None, Some(many.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Few hashes, so that most keys share theirs.
    fn weak(key: &str) -> u64 {
        key.bytes().map(u64::from).sum::<u64>() % 3
    }

    proptest! {
        #[test]
        fn it_holds_what_an_ordered_map_holds(
            deeds in prop::collection::vec(("[a-d]{1,2}", prop::option::of(0..9_u8)), 0..60),
            cursor in "[a-d]{1,2}",
            strong: bool,
        ) {
            let mut holdings = if strong { Holdings::new() } else { Holdings::by(weak) };
            let mut model = BTreeMap::new();
            for (key, content) in deeds {
                let key = Key::from(key);
                if let Some(content) = content {
                    prop_assert_eq!(holdings.insert(key.clone(), content), model.insert(key.clone(), content));
                } else {
                    prop_assert_eq!(holdings.remove(key.as_str()), model.remove(&key));
                }
                prop_assert_eq!(holdings.get(key.as_str()), model.get(&key));
                prop_assert_eq!(holdings.get_mut(key.as_str()), model.get_mut(&key));
                prop_assert_eq!(holdings.len(), model.len());
            }
            let mut held: Vec<_> = holdings.iter().collect();
            let order = |key: &Key| ((holdings.hash)(key.as_str()), key.clone());
            prop_assert!(held.is_sorted_by_key(|(key, _)| order(key)));
            prop_assert!(holdings.after(None).eq(held.iter().copied()));
            let cursor = Key::from(cursor);
            prop_assert!(holdings.after(Some(&cursor)).all(|(key, _)| order(key) > order(&cursor)));
            let later = held.iter().filter(|(key, _)| order(key) > order(&cursor)).count();
            prop_assert_eq!(holdings.after(Some(&cursor)).count(), later);
            held.sort_unstable();
            prop_assert!(held.into_iter().eq(&model));
        }
    }
}
