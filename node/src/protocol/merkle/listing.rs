//! Keys of one node compared one by one: what the other side listed against what is held here.

use std::cmp::Ordering;

use crate::protocol::Key;

use super::address::Address;
use super::contents::{Contents, Entry};
use super::message::Listed;
use super::tree::Tree;

/// A key that the two sides hold differently.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The key.
    pub key: Key,
    /// Who holds something of it.
    pub side: Side,
}

/// Who holds something of a key that differs, as seen from the side that compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// I do, the other side holds nothing of it.
    Mine,
    /// The other side does, I hold nothing of it.
    Theirs,
    /// Both do, and not the same. Who is ahead, or whether both must learn, only their versions tell.
    Both,
}

/// A key's place in the order in which it is compared.
type Place = (u64, Key);

/// A part of the keys below one node that is still to be compared.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    address: Address,
    /// Everything up to here is done.
    after: Option<Place>,
    /// Nothing beyond this belongs to the part; none if it reaches to the end of the node.
    until: Option<Place>,
    /// What the other side holds of the part, the first last.
    theirs: Vec<(Place, u64)>,
}

impl Listing {
    /// All keys below a node of which the other side holds none.
    pub(super) fn of_nothing(address: Address) -> Listing {
        Listing {
            address,
            after: None,
            until: None,
            theirs: Vec::new(),
        }
    }

    /// One page. What cannot be below the node, or was on an earlier page, is dropped. None if the page says that there is more and
    /// gives nothing to go on from.
    pub(super) fn of_page(
        address: Address,
        after: Option<&Key>,
        entries: Vec<Listed>,
        more: bool,
        tree: &Tree,
        contents: &impl Contents,
    ) -> Option<Listing> {
        let offsets = address.offsets(tree.shape().fanout, tree.range());
        let place = |key: Key| Some((tree.range().offset(contents.hash(key.as_str()))?, key));
        let after = after.cloned().and_then(place);
        let mut theirs: Vec<(Place, u64)> = entries
            .into_iter()
            .filter_map(|listed| Some((place(listed.key)?, listed.digest)))
            .filter(|(place, _)| offsets.contains(&place.0) && Some(place) > after.as_ref())
            .collect();
        theirs.sort_unstable_by(|a, b| b.cmp(a));
        theirs.dedup_by(|a, b| a.0 == b.0);
        let last = theirs.first().map(|(place, _)| place.clone());
        if more && last.is_none() {
            return None;
        }
        Some(Listing {
            address,
            after,
            until: last.filter(|_| more),
            theirs,
        })
    }

    /// The last key of a page after which there is more.
    pub(super) fn until(&self) -> Option<&Key> {
        self.until.as_ref().map(|(_, key)| key)
    }

    /// Compares on until so many keys were found to differ. Returns whether it is done.
    pub(super) fn compare(
        &mut self,
        tree: &Tree,
        contents: &impl Contents,
        room: usize,
        found: &mut Vec<Difference>,
    ) -> bool {
        let (after, until) = (self.after.clone(), self.until.clone());
        let from_offset = after.as_ref().map_or(0, |(offset, _)| *offset);
        let held = |entry: Entry<'_>| {
            let place = (tree.range().offset(entry.hash)?, entry.key.clone());
            Some((place, entry.digest))
        };
        let mut mine = tree
            .entries(self.address, from_offset, contents)
            .filter_map(held)
            .skip_while(|(place, _)| Some(place) <= after.as_ref())
            .take_while(|(place, _)| until.as_ref().is_none_or(|until| place <= until))
            .peekable();
        while found.len() < room {
            let order = match (mine.peek(), self.theirs.last()) {
                (Some((mine, _)), Some((theirs, _))) => mine.cmp(theirs),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            let mine = mine.next_if(|_| order.is_le());
            let theirs = if order.is_ge() {
                self.theirs.pop()
            } else {
                None
            };
            let (place, side) = match (mine, theirs) {
                (Some((place, mine)), Some((_, theirs))) => {
                    (place, (mine != theirs).then_some(Side::Both))
                }
                (Some((place, _)), None) => (place, Some(Side::Mine)),
                (None, Some((place, _))) => (place, Some(Side::Theirs)),
                (None, None) => return true,
            };
            found.extend(side.map(|side| Difference {
                key: place.1.clone(),
                side,
            }));
            self.after = Some(place);
        }
        false
    }
}
