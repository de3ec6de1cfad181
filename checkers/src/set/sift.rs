//! What is wrong with single replies: elements from nowhere, elements whose adds were refused, elements returned more than once.
//!
//! And the replies without all that, for judges that compare them. One pass over all elements.

use super::history::{SetHistory, SetRead};
use super::rule::{Rule, Rules};
use crate::history::Status;

/// No add, or no read.
pub(super) const NONE: u32 = u32::MAX;

/// The attempt of each element that may have added it: the first to begin of those that were not refused; [`NONE`] if there is none.
pub(super) fn adders(history: &SetHistory, rules: Rules) -> Vec<u32> {
    let mut adders = vec![NONE; history.added() as usize];
    for (add, number) in history.adds().iter().zip(0..) {
        if add.status == Status::Fail && rules.keep(Rule::RefusedDidNotHappen) {
            continue;
        }
        let adder = &mut adders[add.element as usize];
        let sooner = match history.adds().get(*adder as usize) {
            Some(other) => (add.call < other.call) == rules.keep(Rule::FirstAttemptAdds),
            None => true,
        };
        if sooner {
            *adder = number;
        }
    }
    adders
}

/// Something odd in a reply: which read, which element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) read: u32,
    pub(super) element: u32,
}

/// The replies of a history, sifted.
#[derive(Debug, Default)]
pub(super) struct Sifted {
    /// Elements that nobody tried to add or whose adds were all refused, as reads returned them: once for each element and read.
    pub(super) strange: Vec<Odd>,
    /// Elements that a read returned more than once, and how often.
    pub(super) repeated: Vec<(Odd, u64)>,
    /// Where the sifted reply of a read is in `clean`; of replies without oddities there is no copy.
    copies: Vec<Option<(usize, usize)>>,
    clean: Vec<u32>,
}

impl Sifted {
    /// Sifts all replies. `adders` says which elements may be there at all.
    pub(super) fn of(history: &SetHistory, adders: &[u32]) -> Sifted {
        let mut sifted = Sifted::default();
        // The last read that had each element; of elements that may not be there, `STRANGE` instead.
        let mut stamps = vec![UNMET; adders.len()];
        for (stamp, _) in stamps
            .iter_mut()
            .zip(adders)
            .filter(|(_, adder)| **adder == NONE)
        {
            *stamp = STRANGE;
        }
        for (read, number) in history.reads().iter().zip(0..) {
            let list = history.elements(read);
            let plain = list
                .iter()
                .all(|&element| match stamps.get_mut(element as usize) {
                    Some(stamp) if *stamp != STRANGE && *stamp != number => {
                        *stamp = number;
                        true
                    }
                    _ => false,
                });
            let copy = if plain {
                None
            } else {
                Some(sifted.copy(list, number, &stamps))
            };
            sifted.copies.push(copy);
        }
        sifted
    }

    /// A reply without its oddities, which are noted.
    fn copy(&mut self, list: &[u32], read: u32, stamps: &[u32]) -> (usize, usize) {
        let mut sorted = list.to_vec();
        sorted.sort_unstable();
        let from = self.clean.len();
        for group in sorted.chunk_by(|a, b| a == b) {
            let odd = Odd {
                read,
                element: group[0],
            };
            if group.len() > 1 {
                self.repeated.push((odd, group.len() as u64));
            }
            match stamps.get(odd.element as usize) {
                Some(&stamp) if stamp != STRANGE => self.clean.push(odd.element),
                _ => self.strange.push(odd),
            }
        }
        (from, self.clean.len())
    }

    /// The sifted reply of a read: without repetitions, and nothing in it that cannot be there.
    pub(super) fn list<'a>(&'a self, history: &'a SetHistory, read: usize) -> &'a [u32] {
        match self.copies.get(read) {
            Some(&Some((from, to))) => &self.clean[from..to],
            _ => history
                .reads()
                .get(read)
                .map_or(&[], |read: &SetRead| history.elements(read)),
        }
    }
}

/// No read had the element so far.
const UNMET: u32 = u32::MAX;
/// The element cannot be there.
const STRANGE: u32 = u32::MAX - 1;
