//! Coordinating one write or delete: counting acknowledgements. It sends nothing and knows no replica set.

use crate::config::NodeId;
use crate::wire::{Evidence, Response};

/// A write that waits for its quorum.
#[derive(Debug)]
pub(super) struct Write {
    needed: usize,
    evidence: Evidence,
}

impl Write {
    /// A write that succeeds at `needed` acknowledgements. `evidence` tells what is known at the start.
    pub(super) fn new(needed: usize, evidence: Evidence) -> Write {
        Write { needed, evidence }
    }

    /// A replica holds the version, or one that replaces it.
    pub(super) fn held(&mut self, from: NodeId) {
        if !self.evidence.acked_by.contains(&from) {
            self.evidence.acked_by.push(from);
        }
    }

    /// The reply, once the quorum is reached.
    pub(super) fn reply(&self) -> Option<Response> {
        (self.evidence.acked_by.len() >= self.needed).then(|| Response::Written {
            evidence: self.evidence.clone(),
        })
    }

    /// The reply when time is up.
    pub(super) fn unknown(&self) -> Response {
        Response::Unknown {
            why: format!(
                "{} of {} acknowledgements in time",
                self.evidence.acked_by.len(),
                self.needed
            ),
            evidence: self.evidence.clone(),
        }
    }
}
