//! The rows of a verdict that this room judges: four guarantees of sessions per key, and two of causality for the whole store.
//!
//! It turns histories into operations and violations into anomalies; what a violation is, the judges say.

use crate::explain::words;
use crate::finding::{ANOMALIES_KEPT_MAX, Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::{History, Index, KeyId, Nanos};
use crate::missing::TOO_MANY;
use crate::tale::Tale;
use crate::witness::{Amount, Anomaly, Part, Witness};

use super::calm;
use super::causal::{self, Analysis, Model, STEPS_MAX};
use super::claims::{self, Claims};
use super::import::{Processes, of_all, of_key};
use super::order::{Kind, Knots, Rules, Violation, judge, judge_all};
use super::scan::Writes;
use super::tell;
use super::trace::{Action, SessionOp, is_sparse, renumbered};

/// The judge of one session guarantee.
#[derive(Clone, Copy, Debug)]
pub struct Session(pub Kind);

/// The judge of one kind of causality.
#[derive(Clone, Copy, Debug)]
pub struct Causality(pub Model);

/// A violation, with what is needed to tell it later.
#[derive(Clone, Debug)]
struct Seen {
    at: Nanos,
    key: KeyId,
    violation: Violation,
}

/// What came of one session guarantee on all keys.
#[derive(Clone, Debug, Default)]
struct Count {
    judged: u64,
    seen: Vec<Seen>,
}

/// What one pass over the keys tells for all six rows.
#[derive(Clone, Debug)]
pub struct Survey {
    /// In the order of [`Kind::ALL`].
    counts: [Count; 4],
    /// Reads that count.
    reads: u64,
    /// Whether all is explained by one order of everything.
    is_linearizable: bool,
}

impl Survey {
    fn of(history: &History, index: &Index) -> Survey {
        let rules = Kind::ALL.map(|kind| rules(kind, index));
        let processes = Processes::of(history);
        let mut survey = Survey {
            counts: Default::default(),
            reads: 0,
            is_linearizable: calm::is_sequential(history, &processes),
        };
        for (key, _) in index.mapped() {
            let ops = operations(history, &processes, index, key);
            let reads = ops.iter().filter(|op| matches!(op.action, Action::Read(_)));
            survey.reads += reads.count() as u64;
            let writes = Writes::of(&ops);
            survey.is_linearizable = survey.is_linearizable && calm::is_linearizable(&ops, &writes);
            let reports = judge_all(&ops, &writes, &rules);
            for (count, report) in survey.counts.iter_mut().zip(reports) {
                count.judged += report.judged;
                count
                    .seen
                    .extend(report.violations.into_iter().map(|violation| Seen {
                        at: Nanos(ops[violation.later as usize].call),
                        key,
                        violation,
                    }));
            }
        }
        survey
    }

    fn get<'a>(history: &History, index: &'a Index) -> &'a Survey {
        index.sessions.get_or_init(|| Survey::of(history, index))
    }
}

/// What counts against a guarantee of sessions. A write that its own session misses is missed in real time, as in a stale read,
/// whatever the clocks made of the order of versions.
fn rules(kind: Kind, index: &Index) -> Rules {
    let real_time = kind == Kind::ReadYourWrites || index.exposure.is_synchronised();
    Rules::of(kind, real_time)
}

/// The operations of one key with dense ids.
fn operations(
    history: &History,
    processes: &Processes,
    index: &Index,
    key: KeyId,
) -> Vec<SessionOp> {
    let Some(at) = index.keys.get(key.0 as usize) else {
        return Vec::new();
    };
    let ops = of_key(history, processes, key, at);
    if is_sparse(&ops) {
        renumbered(&ops)
    } else {
        ops
    }
}

impl Checker for Session {
    fn guarantee(&self) -> Guarantee {
        match self.0 {
            Kind::ReadYourWrites => Guarantee::ReadYourWrites,
            Kind::MonotonicReads => Guarantee::MonotonicReads,
            Kind::MonotonicWrites => Guarantee::MonotonicWrites,
            Kind::WritesFollowReads => Guarantee::WritesFollowReads,
        }
    }

    fn copies_operations(&self) -> bool {
        true
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "reads");
        finding.skip_unmapped(index);
        let count = &Survey::get(history, index).counts[self.0 as usize];
        finding.judged = count.judged;
        finding.seen = count.seen.len() as u64;
        if let Some(rate) = Claims::get(history, index).rate(self.0) {
            finding.measure(claims::MEASURE, Amount::Rate(rate));
        }
        if count.seen.is_empty() {
            return finding;
        }
        let rules = rules(self.0, index);
        let processes = Processes::of(history);
        let mut seen: Vec<&Seen> = count.seen.iter().collect();
        seen.sort_by_key(|seen| seen.at);
        seen.truncate(ANOMALIES_KEPT_MAX);
        // Key by key, because the knots of a key take as long as judging it.
        seen.sort_by_key(|seen| seen.key);
        let mut anomalies = Vec::new();
        for seen in seen.chunk_by(|a, b| a.key == b.key) {
            let ops = operations(history, &processes, index, seen[0].key);
            let writes = Writes::of(&ops);
            let knots = Knots::of(&ops, &writes, &rules);
            for seen in seen {
                let few = tell::witness(&ops, &writes, &knots, seen.violation, &rules);
                let tale = tell::tell(&few, &rules, &|place| value(history, place));
                let later = judge(&few, &rules)
                    .violations
                    .first()
                    .map(|violation| violation.later);
                let convicts = later.and_then(|later| few.get(later as usize));
                anomalies.extend(anomaly(history, self.guarantee(), tale, convicts));
            }
        }
        anomalies.sort_by_key(|anomaly| anomaly.at);
        finding.anomalies = anomalies;
        finding
    }
}

impl Checker for Causality {
    fn guarantee(&self) -> Guarantee {
        match self.0 {
            Model::Causal => Guarantee::CausalConsistency,
            Model::Convergent => Guarantee::CausalConvergence,
        }
    }

    fn copies_operations(&self) -> bool {
        true
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "reads");
        finding.skip_unmapped(index);
        let survey = Survey::get(history, index);
        if survey.is_linearizable {
            finding.judged = survey.reads;
            return finding;
        }
        let ops = of_all(history, index);
        let ops = if is_sparse(&ops) {
            renumbered(&ops)
        } else {
            ops
        };
        let Some(analysis) = Analysis::of(&ops, self.0, STEPS_MAX) else {
            finding.skip(TOO_MANY);
            return finding;
        };
        finding.judged = analysis.report.judged;
        finding.seen = analysis.report.bad.len() as u64;
        let mut bad = analysis.report.bad.clone();
        bad.sort_by_key(|bad| ops[bad.read as usize].call);
        for bad in bad.into_iter().take(ANOMALIES_KEPT_MAX) {
            let few = causal::witness(&analysis, bad);
            let tale = causal::tell(&few, self.0, &|place| value(history, place));
            let again = causal::judge(&few, self.0, STEPS_MAX);
            let read = again.and_then(|report| report.bad.first().map(|bad| bad.read));
            let convicts = read.and_then(|read| few.get(read as usize));
            finding
                .anomalies
                .extend(anomaly(history, self.guarantee(), tale, convicts));
        }
        finding.anomalies.sort_by_key(|anomaly| anomaly.at);
        finding
    }
}

/// What the operation at a place wrote or read, in words.
fn value(history: &History, place: usize) -> String {
    history
        .operations
        .get(place)
        .map_or_else(String::new, words::value)
}

fn anomaly(
    history: &History,
    guarantee: Guarantee,
    tale: Option<Tale>,
    convicts: Option<&SessionOp>,
) -> Option<Anomaly> {
    let (tale, convicts) = (tale?, convicts?);
    let reader = convicts.place as usize;
    let witness = tale
        .lets
        .iter()
        .fold(Witness::default(), |witness, &place| {
            let part = if place == reader {
                Part::Reader
            } else {
                Part::Step
            };
            witness.with(part, place)
        });
    let key = history.operations.get(reader)?.key;
    Some(Anomaly {
        guarantee,
        at: Nanos(convicts.call),
        key: Some(history.key_name(key).to_owned()),
        witness,
        details: Vec::new(),
        tale: Some(tale),
    })
}

#[cfg(test)]
mod tests {
    use crate::guarantee::Guarantee;
    use crate::testing::judged_and_seen;

    #[test]
    fn with_skewed_clocks_a_session_still_misses_what_it_wrote_last_and_goes_back_only_by_what_was_read()
     {
        let drawing = "
            fault clock n1 -500: |--
            c1: |--w k 1--|  |--w k 2--|  |--r k 1--|
            c2:                    |--r k 2--|   |--r k 1--|";
        assert_eq!(judged_and_seen(Guarantee::ReadYourWrites, drawing), (1, 1));
        assert_eq!(judged_and_seen(Guarantee::MonotonicReads, drawing), (1, 0));
    }
}
