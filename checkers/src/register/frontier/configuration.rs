//! One way in which things may stand, and sets of them in which none is pointless.

use super::lanes::Lanes;
use super::mask::Mask;
use super::rules::Rules;

/// A register value that nobody asks about any more.
pub(super) const SETTLED: u32 = u32::MAX;

/// One way in which things may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Configuration<const W: usize> {
    /// What the register holds, or [`SETTLED`].
    pub(super) value: u32,
    /// The last step that led here; see `trail.rs`.
    pub(super) trail: u32,
    /// Operations in flight that have taken effect.
    pub(super) used: Mask<W>,
    /// Unused acknowledged writes that may have taken effect unseen: while they were in flight, some blind write took effect, or the
    /// register held their value anyway.
    pub(super) hidden: Mask<W>,
}

/// Which slots are what at an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roles<const W: usize> {
    pub(super) idle: Mask<W>,
    pub(super) writes: Mask<W>,
    pub(super) swaps: Mask<W>,
    pub(super) unknown: Mask<W>,
    /// Whether a failed compare-and-set may come or is in flight: then a settled value is no worse than another.
    pub(super) refusals: bool,
}

impl<const W: usize> Roles<W> {
    pub(super) fn of(lanes: &Lanes<W>, refusals: bool) -> Roles<W> {
        Roles {
            idle: lanes.idle,
            writes: lanes.writes,
            swaps: lanes.swaps,
            unknown: lanes.unknown,
            refusals,
        }
    }
}

impl<const W: usize> Configuration<W> {
    /// Whether everything that can still go well from `other` can also go well from here. The values are equal or settled,
    /// and the same compare-and-sets have taken effect.
    fn covers<R: Rules>(&self, other: &Configuration<W>, roles: &Roles<W>) -> bool {
        let differ = self.used.xor(other.used);
        let reads = other.used.without(self.used).and(roles.idle);
        let spent = if R::MORE_SPENT_IS_BETTER {
            other.used.without(self.used).and(roles.unknown)
        } else {
            self.used.without(other.used).and(roles.unknown)
        };
        let writes = differ.or(self.hidden.xor(other.hidden)).and(roles.writes);
        let worse = if R::USED_COVERS_HIDDEN {
            writes.without(self.used)
        } else {
            writes.without(self.hidden)
        };
        let reads = if R::IGNORE_READS { Mask::EMPTY } else { reads };
        reads.or(spent).or(worse).is_empty()
    }
}

/// Configurations with the same value, in which the same compare-and-sets have taken effect: no others cover each other.
#[derive(Clone, Debug)]
struct Bucket<const W: usize> {
    value: u32,
    swapped: Mask<W>,
    members: Vec<Configuration<W>>,
}

/// A set of configurations of which none covers another.
#[derive(Clone, Debug, Default)]
pub(super) struct Antichain<const W: usize> {
    /// In ascending order.
    buckets: Vec<Bucket<W>>,
    len: usize,
}

impl<const W: usize> Antichain<W> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The memory that it takes, bytes. A bucket has room for four members from the beginning.
    pub(super) fn bytes(&self) -> usize {
        let members = self.len + 4 * self.buckets.len();
        members * size_of::<Configuration<W>>() + self.buckets.len() * size_of::<Bucket<W>>()
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        self.buckets.clear();
        self.len = 0;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Configuration<W>> {
        self.buckets.iter().flat_map(|bucket| &bucket.members)
    }

    /// To change each of them in a way that keeps their values and the order between them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Configuration<W>> {
        let buckets = self.buckets.iter_mut();
        buckets.flat_map(|bucket| &mut bucket.members)
    }

    /// Adds one unless it is covered, and removes those that it covers. Says whether it was added, and how many were compared.
    pub(super) fn insert<R: Rules>(
        &mut self,
        new: Configuration<W>,
        roles: &Roles<W>,
    ) -> (bool, usize) {
        let (value, swapped) = (new.value, new.used.and(roles.swaps));
        let mut compared = 0;
        if value == SETTLED && !roles.refusals {
            // Whoever needs no value any more is covered by those who hold any.
            compared += self.buckets.len();
            for bucket in self.buckets.iter().filter(|b| b.swapped == swapped) {
                compared += bucket.members.len();
                if bucket
                    .members
                    .iter()
                    .any(|kept| kept.covers::<R>(&new, roles))
                {
                    return (false, compared);
                }
            }
        }
        let key = |bucket: &Bucket<W>| (bucket.value, bucket.swapped);
        let place = match self.buckets.binary_search_by_key(&(value, swapped), key) {
            Ok(place) => place,
            Err(place) => {
                self.buckets.insert(
                    place,
                    Bucket {
                        value,
                        swapped,
                        members: Vec::new(),
                    },
                );
                place
            }
        };
        let members = &mut self.buckets[place].members;
        compared += members.len();
        if members.iter().any(|kept| kept.covers::<R>(&new, roles)) {
            return (false, compared);
        }
        let before = members.len();
        members.retain(|kept| !new.covers::<R>(kept, roles));
        members.push(new);
        self.len = self.len + members.len() - before;
        (true, compared)
    }
}
