//! Counting from a place on while places are added in any order: a tree of partial sums (Fenwick 1994).

/// Counts places.
pub(crate) struct Counter {
    sums: Vec<u64>,
    total: u64,
}

impl Counter {
    pub(crate) fn new(places: usize) -> Counter {
        Counter {
            sums: vec![0; places + 1],
            total: 0,
        }
    }

    pub(crate) fn add(&mut self, place: usize) {
        self.total += 1;
        let mut node = place + 1;
        while node < self.sums.len() {
            self.sums[node] += 1;
            node += node & node.wrapping_neg();
        }
    }

    /// How many have been added from a place on.
    pub(crate) fn count_from(&self, place: usize) -> u64 {
        let (mut node, mut before) = (place, 0);
        while node > 0 {
            before += self.sums[node];
            node &= node - 1;
        }
        self.total - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_as_a_list_does() {
        let mut counter = Counter::new(7);
        let mut list = Vec::new();
        for place in [3, 0, 6, 3, 5] {
            counter.add(place);
            list.push(place);
            for from in 0..=7 {
                let expected = list.iter().filter(|&&place| place >= from).count();
                assert_eq!(counter.count_from(from), expected as u64);
            }
        }
        assert_eq!(counter.total, 5);
    }
}
