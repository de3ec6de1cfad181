//! What a stream found, joined with what was promised: the same rows as those of a whole history, as far as a stream can judge.

use super::proof::Proof;
use super::reader::Read;
use crate::finding::Finding;
use crate::guarantee::Guarantee;
use crate::missing;
use crate::verdict::{Row, Ruling, Verdict, outcome};
use crate::witness::{Anomaly, Witness};

impl Read {
    /// The verdict about the guarantees that a stream can judge. Its findings count; they show the anomalies that were proved, without
    /// a witness, whose places would mean nothing here.
    pub fn verdict(&self, proofs: &[Proof]) -> Verdict {
        let synchronised = self.exposure.is_synchronised();
        let mut findings = self.streamed.findings(synchronised);
        for proof in proofs {
            // An old value of its key, or so it seemed to the stream.
            let seemed = proof.alarm.guarantee(synchronised);
            if seemed != Some(Guarantee::FreshReads) {
                continue;
            }
            for finding in &mut findings {
                if Some(finding.guarantee) == seemed {
                    finding.seen = finding.seen.saturating_sub(1);
                }
                if finding.guarantee == proof.anomaly.guarantee {
                    finding.seen += 1;
                }
            }
        }
        let is_judged = |finding: &Finding| self.judges(finding.guarantee);
        let rows: Vec<Row> = findings
            .into_iter()
            .filter(is_judged)
            .filter_map(|mut finding| {
                let own = proofs
                    .iter()
                    .filter(|proof| proof.anomaly.guarantee == finding.guarantee);
                let own: Vec<&Proof> = own.collect();
                finding.anomalies = own.iter().map(|proof| placeless(&proof.anomaly)).collect();
                let promise = self.contract.promise(finding.guarantee)?.clone();
                let ruling = Ruling::of(promise.promised, &finding);
                Some(Row {
                    notes: missing::notes(&finding, ruling, self.streamed.census > 0),
                    ruling,
                    promise,
                    finding,
                    explanations: own.iter().map(|proof| proof.explanation.clone()).collect(),
                })
            })
            .collect();
        Verdict {
            outcome: outcome(&rows),
            rows,
            exposure: self.exposure.clone(),
            quorum: self.contract.quorum,
            operations: self.streamed.operations,
            keys: self.streamed.keys,
            torn_tail: self.is_torn,
        }
    }

    /// Guarantees that the history gives evidence for, and that need the whole of it.
    pub fn not_streamed(&self) -> Vec<Guarantee> {
        let streamed = self.streamed.findings(true).map(|f| f.guarantee);
        let rest = Guarantee::ALL
            .into_iter()
            .filter(|g| self.judges(*g) && !streamed.contains(g));
        rest.collect()
    }

    /// Whether the header names a guarantee, or none at all.
    fn judges(&self, guarantee: Guarantee) -> bool {
        self.header.judges.as_ref().is_none_or(|names| {
            let named = names.iter().filter_map(|name| Guarantee::from_name(name));
            named.into_iter().any(|named| named == guarantee)
        })
    }
}

fn placeless(anomaly: &Anomaly) -> Anomaly {
    Anomaly {
        witness: Witness::default(),
        ..anomaly.clone()
    }
}
