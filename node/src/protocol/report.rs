//! What a node says of itself to whoever operates it: the ring as it sees it, the hints that it keeps, how long requests took. It changes
//! nothing.

use std::time::Duration;

use crate::wire::{HintsKept, KEY_BYTES_MAX, RingView, Share};

use super::histogram::Took;
use super::replica::Replica;

impl Replica {
    /// The ring as reads see it, and with a key its replicas in the order of preference, and who would stand in for them.
    pub(super) fn ring_seen(&self, key: Option<&str>) -> Result<RingView, String> {
        if let Some(bytes) = key.map(str::len).filter(|bytes| *bytes > KEY_BYTES_MAX) {
            return Err(format!(
                "a key of {bytes} bytes: at most {KEY_BYTES_MAX} are held"
            ));
        }
        let centre = |place: usize| {
            let centre = self.config.options.data_centres.get(place);
            centre.map(|centre| centre.name.clone())
        };
        let shares = self.ring.reading().ring().shares().into_iter();
        let owners = key.map(|key| (key, self.ring.owners(key)));
        let (replicas, stand_ins) = match &owners {
            Some((key, owners)) => (owners.reads.clone(), self.ring.stand_ins(key, owners)),
            None => (Vec::new(), Vec::new()),
        };
        Ok(RingView {
            nodes: shares
                .map(|(node, millionths)| Share {
                    node,
                    millionths,
                    data_centre: centre(self.topology.centre(node)),
                })
                .collect(),
            stand_ins,
            replicas,
        })
    }

    /// The hints in keeping here, for each node that they are for.
    pub(super) fn hints_kept(&self) -> Vec<HintsKept> {
        self.hints.kept_by_owner()
    }

    /// How long what was coordinated here took, since the start.
    pub fn took(&self) -> &Took {
        &self.took
    }

    /// What 99 of 100 of the last 128 reads answered here did not exceed; none if there were too few to tell.
    pub fn read_p99(&self) -> Option<Duration> {
        self.latencies.percentile(99)
    }

    /// Keys held here and visible, tombstones included.
    pub fn keys_held(&self) -> u64 {
        self.store.keys() as u64
    }

    /// What they take of memory by the node's reckoning, with what is on its way to the log, bytes.
    pub fn bytes_held(&self) -> u64 {
        self.store.bytes()
    }

    /// Comparisons with a peer that have come to their end since the start.
    pub fn comparisons(&self) -> u64 {
        self.counters.comparisons
    }
}
