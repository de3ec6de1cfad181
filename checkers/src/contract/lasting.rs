//! What outlives: whether an acknowledged write survives those who forget, whether all replicas come to hold the same, and whether what was
//! deleted stays so.
//!
//! Hints, anti-entropy and tombstones are what matters here. The formulas of reads are in `meeting.rs` and `contract.rs`.

use crate::history::{HintHolder, Purge};

use super::Terms;
use super::asked::{Access, Asked};

/// What may become of acknowledgements that are hints.
struct Fleeting {
    /// How many of a write's acknowledgements may be hints that are gone, or still are nothing but hints.
    hints: u32,
    /// Why.
    why: String,
}

impl Terms<'_> {
    /// Whether every acknowledged write is held by a replica in the end.
    pub(super) fn survive(&self) -> (bool, String) {
        let writes = self.levels.of_access(Access::Write).iter();
        let margins = writes.map(|asked| {
            let acknowledged = self.demand(Access::Write, *asked).total;
            let fleeting = self.fleeting(*asked, acknowledged);
            let lost = u64::from(self.forgotten) + u64::from(fleeting.hints);
            (
                i128::from(acknowledged) - i128::from(lost),
                acknowledged,
                fleeting,
            )
        });
        let Some((margin, acknowledged, fleeting)) = margins.min_by_key(|(margin, ..)| *margin)
        else {
            return (false, "nothing was asked".to_owned());
        };
        let relation = if margin > 0 { ">" } else { "<=" };
        let Fleeting { hints, why } = fleeting;
        let f = self.forgotten;
        let sum = if hints > 0 {
            format!("f + h = {f} + {hints} ({}; h: {why})", self.forgetting())
        } else {
            format!("f = {f} ({})", self.forgetting())
        };
        (margin > 0, format!("W = {acknowledged} {relation} {sum}"))
    }

    /// How many of the acknowledgements may be hints that nobody can rely on.
    fn fleeting(&self, asked: Asked, acknowledged: u32) -> Fleeting {
        let settings = self.settings();
        let level = self.level(Access::Write, asked);
        let most = if self.may_be_hint(level) {
            1
        } else {
            self.topology.stand_ins.min(acknowledged)
        };
        let fleeting = |hints: u32, why: String| Fleeting { hints, why };
        if most == 0 {
            return fleeting(0, String::new());
        }
        let count = if most == 1 {
            "1 acknowledgement may be a hint".to_owned()
        } else {
            format!("{most} acknowledgements may be hints")
        };
        let Some(hints) = settings.hints else {
            return fleeting(most, format!("{count}, and nobody keeps any"));
        };
        if self.run.peace_ms.is_none() {
            return fleeting(
                most,
                format!("{count}, and not all are known to have been handed over"),
            );
        }
        if let Some(window_ms) = hints.window_ms
            && self.run.lasted_ms > window_ms
        {
            return fleeting(most, format!("{count}, which expire after {window_ms} ms"));
        }
        let died = self.run.died;
        if !hints.durable && died > 0 {
            let why = format!("{count}, in the memory of their holders, of which {died} died");
            return fleeting(most.min(died), why);
        }
        fleeting(0, String::new())
    }

    /// Whether all replicas hold the same in the end.
    pub(super) fn converge(&self) -> (bool, String) {
        let settings = self.settings();
        if let Err(why) = self.keeps_tombstones() {
            return (false, why);
        }
        if self.header.is_dotted()
            && self.run.unknown_writes > 0
            && settings.anti_entropy_ms.is_none()
        {
            return (
                false,
                "a write of unknown outcome may have come no farther than the replica that gave it its dot, and there is no anti-entropy"
                    .to_owned(),
            );
        }
        if self.exposure.lossless && !(self.header.is_dotted() && self.run.unknown_writes > 0) {
            return (
                true,
                "no fault of this run can lose a message, so every replica gets every write"
                    .to_owned(),
            );
        }
        if let Some(interval_ms) = settings.anti_entropy_ms {
            return self.compared(interval_ms);
        }
        let Some(hints) = settings.hints else {
            return (
                false,
                "a fault may have lost messages, and there are no hints and no anti-entropy to send them again"
                    .to_owned(),
            );
        };
        let lost = "a fault may have lost messages, and there is no anti-entropy";
        let not = |why: String| (false, format!("{lost}; {why}"));
        if hints.holder == HintHolder::Fallback {
            return not(
                "who stands in keeps hints only of what it was asked to take, and may have missed that, too"
                    .to_owned(),
            );
        }
        if self.run.died > 0 {
            return not(
                "a coordinator that dies keeps no hints of what it had just sent".to_owned(),
            );
        }
        if let Some(window_ms) = hints.window_ms
            && self.run.lasted_ms > window_ms
        {
            return not(format!(
                "hints expire after {window_ms} ms, and the run lasted longer"
            ));
        }
        if self.run.written_bytes > hints.bytes_max {
            return not(format!(
                "more than the {} bytes were written that are kept as hints for one replica",
                hints.bytes_max
            ));
        }
        match self.run.peace_ms {
            None => not("not all hints are known to have been handed over".to_owned()),
            Some(_) => (
                true,
                "coordinators keep hints for every replica that did not acknowledge, none died, no hint was refused or \
                 expired, and all were handed over"
                    .to_owned(),
            ),
        }
    }

    /// Whether comparing replicas had the time to bring everything everywhere.
    fn compared(&self, interval_ms: u64) -> (bool, String) {
        let round_ms = self.round_ms(interval_ms);
        let every = format!("replicas compare what they hold with one peer every {interval_ms} ms");
        match self.run.peace_ms {
            Some(peace_ms) if peace_ms >= round_ms => (
                true,
                format!(
                    "{every}, and were left in peace for {peace_ms} ms, a round with all of them"
                ),
            ),
            Some(peace_ms) => (
                false,
                format!(
                    "{every}, and {peace_ms} ms in peace are less than a round of {round_ms} ms"
                ),
            ),
            None => (
                false,
                format!("{every}, and were not left in peace until they had"),
            ),
        }
    }

    /// How long every replica surely takes to compare itself with every peer, ms: an interval for each, and a time-out.
    fn round_ms(&self, interval_ms: u64) -> u64 {
        let nodes = self.header.nodes.len() as u64;
        let rounds = interval_ms.saturating_mul(nodes);
        rounds.saturating_add(self.header.request_timeout_ms)
    }

    /// Whether what was deleted stays deleted, where reads meet deletes.
    pub(super) fn stay_deleted(&self, met: (bool, String)) -> (bool, String) {
        match (met, self.keeps_tombstones()) {
            ((true, _), Err(why)) => (false, why),
            (met, _) => met,
        }
    }

    /// Whether no tombstone can have been forgotten while some replica held what it deleted, or the reason why not.
    fn keeps_tombstones(&self) -> Result<(), String> {
        let Purge::AfterMs(grace_ms) = self.settings().purge else {
            return Ok(());
        };
        let each =
            format!("each replica forgets tombstones {grace_ms} ms after it came to hold them");
        if self.run.lasted_ms <= grace_ms {
            return Ok(());
        }
        let calm = self.exposure.lossless && self.run.hidden_ms(0) == Some(0);
        if let Some(hints) = self.settings().hints
            && hints.window_ms.is_none_or(|window_ms| window_ms > grace_ms)
            && !calm
        {
            return Err(format!(
                "{each}, and hints of older values may live longer than that"
            ));
        }
        let Some(interval_ms) = self.settings().anti_entropy_ms else {
            // What was lost is never sent again, and what was late may come later than that.
            return if calm {
                Ok(())
            } else {
                Err(format!(
                    "{each}, and one that missed the delete holds the old value for ever: a fault may have lost or delayed \
                     messages, and there is no anti-entropy"
                ))
            };
        };
        let round_ms = self.round_ms(interval_ms);
        let Some(hidden_ms) = self.run.hidden_ms(round_ms) else {
            return Err(format!(
                "{each}, and nobody knows how long one was out of reach"
            ));
        };
        let missed_ms = hidden_ms
            .saturating_add(round_ms)
            .saturating_add(self.header.request_timeout_ms);
        if missed_ms < grace_ms {
            Ok(())
        } else {
            Err(format!(
                "{each}, and one may have missed the delete for up to {missed_ms} ms: faults lasted up to {hidden_ms} ms, and a round \
                 of comparing takes up to {round_ms} ms"
            ))
        }
    }
}
