//! Who is meant by which number in a plan that looks for a leader: at first everybody by their own.

/// Numbers of a plan and the nodes that they mean, one each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast(Vec<u16>);

impl Cast {
    /// Of so many nodes, each of which has its own number.
    pub fn new(nodes: u16) -> Cast {
        Cast((1..=nodes).collect())
    }

    /// The node that a number means; one that is none means nobody else.
    pub fn of(&self, number: u16) -> u16 {
        let place = usize::from(number).checked_sub(1);
        place
            .and_then(|place| self.0.get(place))
            .copied()
            .unwrap_or(number)
    }

    /// Lets `number` mean `node`, and the number that did so mean who `number` meant.
    pub fn give(&mut self, number: u16, node: u16) {
        let place = usize::from(number).checked_sub(1);
        let other = self.0.iter().position(|&meant| meant == node);
        if let (Some(place), Some(other)) = (place.filter(|&place| place < self.0.len()), other) {
            self.0.swap(place, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cast;

    #[test]
    fn every_node_keeps_a_number_of_its_own() {
        let mut cast = Cast::new(3);
        cast.give(1, 3);
        assert_eq!([1, 2, 3].map(|number| cast.of(number)), [3, 2, 1]);
        cast.give(2, 1);
        assert_eq!([1, 2, 3].map(|number| cast.of(number)), [3, 1, 2]);
        cast.give(9, 1);
        cast.give(1, 9);
        assert_eq!([1, 2, 3, 9].map(|number| cast.of(number)), [3, 1, 2, 9]);
    }
}
