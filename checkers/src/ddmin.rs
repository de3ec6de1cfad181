//! Delta debugging: from a list that shows something to a part of it that shows it and of which nothing can be left out.
//!
//! It is `ddmin` of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002). It knows neither what the items are
//! nor what is shown.

/// A part of the items that still shows it, and that does not without any one of its items.
///
/// `first` is given parts, in the order in which they are preferred, and says which is the first that shows it. The whole must show it. If
/// `first` gives up and says none, what was reached is returned.
pub fn ddmin<T: Clone>(items: Vec<T>, mut first: impl FnMut(&[Vec<T>]) -> Option<usize>) -> Vec<T> {
    if items.is_empty() || first(&[Vec::new()]).is_some() {
        return Vec::new();
    }
    let mut left = items;
    let mut count = 2;
    while left.len() > 1 {
        count = count.min(left.len());
        let mut candidates = pieces(&left, count);
        // Of two pieces, each is what remains without the other.
        if count > 2 {
            candidates.extend((0..count).map(|place| without(&left, count, place)));
        }
        match first(&candidates) {
            Some(place) if place < candidates.len() => {
                left = candidates.swap_remove(place);
                count = if place < count { 2 } else { count - 1 };
            }
            _ if count == left.len() => return left,
            _ => count *= 2,
        }
    }
    left
}

/// Cuts a list into so many pieces of about the same length.
fn pieces<T: Clone>(list: &[T], count: usize) -> Vec<Vec<T>> {
    let cut = |place: usize| list.len() * place / count;
    (0..count)
        .map(|place| list[cut(place)..cut(place + 1)].to_vec())
        .collect()
}

/// The list without one of its pieces.
fn without<T: Clone>(list: &[T], count: usize, place: usize) -> Vec<T> {
    let cut = |place: usize| list.len() * place / count;
    [&list[..cut(place)], &list[cut(place + 1)..]].concat()
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    fn search(items: u32, shows: impl Fn(&[u32]) -> bool) -> (Vec<u32>, usize) {
        let mut asked = 0;
        let left = ddmin((0..items).collect(), |parts| {
            let place = parts.iter().position(|part| shows(part));
            asked += place.map_or(parts.len(), |place| place + 1);
            place
        });
        (left, asked)
    }

    #[test]
    fn one_guilty_item_is_found_by_halving() {
        let (left, asked) = search(1_000, |part| part.contains(&617));
        assert_eq!(left, [617]);
        assert!(asked <= 2 * 10 + 3, "{asked} questions");
    }

    #[test]
    fn what_shows_itself_needs_nothing() {
        assert_eq!(search(100, |_| true).0, Vec::<u32>::new());
    }

    #[test]
    fn whoever_gives_up_keeps_what_was_reached() {
        let mut left = 3;
        let part = ddmin((0..64).collect::<Vec<u32>>(), |parts| {
            left -= 1;
            (left > 0).then(|| parts.iter().position(|part| part.contains(&5)))?
        });
        assert_eq!(part.len(), 32);
        assert!(part.contains(&5));
    }

    proptest! {
        #[test]
        fn what_is_left_shows_it_and_nothing_can_be_left_out(
            needed in btree_set(0_u32..60, 1..6),
            or in btree_set(0_u32..60, 1..6),
        ) {
            // Not monotone: two ways to show it, and one item that hides the second.
            let shows = |part: &[u32]| {
                let has = |item: &u32| part.contains(item);
                needed.iter().all(has) || (or.iter().all(has) && !part.contains(&59))
            };
            let whole: Vec<u32> = (0..60).collect();
            prop_assume!(shows(&whole));
            let (left, _) = search(60, shows);
            prop_assert!(shows(&left));
            for place in 0..left.len() {
                let mut fewer = left.clone();
                fewer.remove(place);
                prop_assert!(!shows(&fewer), "{left:?} without its item {place}");
            }
        }
    }
}
