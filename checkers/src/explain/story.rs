//! Then and However: what follows from the operations of a witness, and what was seen instead.
//!
//! Only the history speaks here. One function per kind of anomaly.

use super::words::{duration, list, plural, value};
use crate::guarantee::Guarantee;
use crate::history::{Function, History, Operation};
use crate::witness::{Amount, Anomaly, Part};

/// Then, and However.
type Story = (Vec<String>, String);

/// Tells an anomaly.
pub(super) fn tell(history: &History, anomaly: &Anomaly) -> Story {
    if let Some(tale) = &anomaly.tale {
        return (tale.then.clone(), tale.however.clone());
    }
    let scene = Scene { history, anomaly };
    let story = match anomaly.guarantee {
        Guarantee::NoPhantoms => scene.phantom(),
        Guarantee::NoFailedWrites => scene.failed_write(),
        Guarantee::FreshReads => scene.stale_read("a contradiction"),
        Guarantee::NoInversion => scene.inversion(),
        Guarantee::Linearizability => scene.told(),
        Guarantee::NoLostWrites => scene.lost_write(),
        Guarantee::NoResurrection => scene.resurrection(),
        Guarantee::NoClockLoss => scene.clock_loss(),
        Guarantee::NoConcurrentLoss => scene.concurrent_loss(),
        // These are told by their judges.
        Guarantee::NoLostUpdates
        | Guarantee::NoSiblingExplosion
        | Guarantee::ReadYourWrites
        | Guarantee::MonotonicReads
        | Guarantee::MonotonicWrites
        | Guarantee::WritesFollowReads
        | Guarantee::CausalConsistency
        | Guarantee::CausalConvergence => None,
        Guarantee::Convergence => Some(scene.divergence()),
        Guarantee::Availability => Some(scene.unavailability()),
    };
    story.unwrap_or_else(|| (Vec::new(), "the history shows what must not be".to_owned()))
}

/// An operation with its letter.
#[derive(Clone, Copy)]
struct Actor<'a> {
    letter: char,
    operation: &'a Operation,
}

impl Actor<'_> {
    fn value(self) -> String {
        value(self.operation)
    }

    /// What a reader must see after this write.
    fn demand(self) -> String {
        match self.operation.f {
            Function::Delete => "nothing, or something newer".to_owned(),
            _ => format!("{} or newer", self.value()),
        }
    }
}

struct Scene<'a> {
    history: &'a History,
    anomaly: &'a Anomaly,
}

impl<'a> Scene<'a> {
    fn actor(&self, part: Part) -> Option<Actor<'a>> {
        let role = self.anomaly.witness.role(part)?;
        let operation = self.history.operations.get(role.operation)?;
        Some(Actor {
            letter: role.letter,
            operation,
        })
    }

    fn key(&self) -> &'a str {
        self.anomaly.key.as_deref().unwrap_or("the store")
    }

    /// Why the newer write replaced what came back.
    fn replaced(&self, newer: Actor<'_>) -> String {
        let key = self.key();
        let b = newer.letter;
        let Some(older) = self.actor(Part::Older) else {
            return format!("Nothing is what {key} held in the beginning; {b} replaced that.");
        };
        let verb = match newer.operation.f {
            Function::Delete => format!("{b} deleted {}", older.value()),
            _ if older.operation.f == Function::Delete => format!(
                "{} replaced what {} had left: nothing",
                newer.value(),
                older.letter
            ),
            _ => format!("{} replaced {}", newer.value(), older.value()),
        };
        match self
            .actor(Part::OlderShown)
            .filter(|shown| shown.operation.precedes(newer.operation))
        {
            Some(shown) => format!(
                "{} had returned {value} before {b} began, so {value} was in effect by then, and {verb}.",
                shown.letter,
                value = shown.value()
            ),
            None => format!("{} finished before {b} began, so {verb}.", older.letter),
        }
    }

    fn phantom(&self) -> Option<Story> {
        let read = self.actor(Part::Reader)?;
        let (a, found) = (read.letter, read.value());
        Some(match self.actor(Part::Newer) {
            Some(write) => (
                vec![
                    format!("Only {} wrote {found} to {}.", write.letter, self.key()),
                    format!(
                        "{a} finished {} before {} began, so it cannot have seen it.",
                        gap(read.operation, write.operation),
                        write.letter
                    ),
                ],
                format!("However, {a} returned {found}: a value from the future."),
            ),
            None => (
                vec![format!("Nobody ever wrote {found} to {}.", self.key())],
                format!("However, {a} returned {found}: a value from nowhere."),
            ),
        })
    }

    fn failed_write(&self) -> Option<Story> {
        let (write, read) = (self.actor(Part::Refused)?, self.actor(Part::Reader)?);
        let then = format!(
            "{} was refused, which says that {} reached no replica and never will.",
            write.letter,
            write.value()
        );
        let however = format!(
            "However, {} returned {}: the refusal was not true.",
            read.letter,
            read.value()
        );
        Some((vec![then], however))
    }

    fn stale_read(&self, end: &str) -> Option<Story> {
        let (newer, read) = (self.actor(Part::Newer)?, self.actor(Part::Reader)?);
        let late = format!(
            "{} finished {} before {} began, so {} had to return {}.",
            newer.letter,
            gap(newer.operation, read.operation),
            read.letter,
            read.letter,
            newer.demand()
        );
        let however = format!("However, {} returned {}: {end}.", read.letter, read.value());
        Some((vec![self.replaced(newer), late], however))
    }

    fn inversion(&self) -> Option<Story> {
        let (shown, read) = (self.actor(Part::NewerShown)?, self.actor(Part::Reader)?);
        let before = gap(shown.operation, read.operation);
        let (c, d) = (shown.letter, read.letter);
        let older_first = self
            .actor(Part::Newer)
            .filter(|newer| self.older_in_effect(*newer));
        if let Some(newer) = older_first {
            let seen = format!(
                "{c} returned {} and finished {before} before {d} began, so {d} had to return {}.",
                shown.value(),
                newer.demand()
            );
            let however = format!(
                "However, {d} returned {}: it went back in time.",
                read.value()
            );
            return Some((vec![self.replaced(newer), seen], however));
        }
        let first = self.actor(Part::OlderShown)?;
        let (then_read, found) = (shown.value(), read.value());
        let then = vec![
            format!(
                "{} returned {found} and finished {} before {c} began.",
                first.letter,
                gap(first.operation, shown.operation)
            ),
            format!(
                "{c} returned {then_read} and finished {before} before {d} began, so {then_read} had replaced {found}."
            ),
        ];
        let however = format!(
            "However, {d} returned {found} again, which was written only once: it went back in time."
        );
        Some((then, however))
    }

    /// Whether the value that came back was in effect before the newer write began.
    fn older_in_effect(&self, newer: Actor<'_>) -> bool {
        let Some(older) = self.actor(Part::Older) else {
            return true;
        };
        let shown = self.actor(Part::OlderShown);
        older.operation.precedes(newer.operation)
            || shown.is_some_and(|shown| shown.operation.precedes(newer.operation))
    }

    /// What the judge itself has to say.
    fn told(&self) -> Option<Story> {
        let tale = self.anomaly.tale.as_ref()?;
        Some((tale.then.clone(), tale.however.clone()))
    }

    fn lost_write(&self) -> Option<Story> {
        let lost = self.actor(Part::Newer)?;
        let b = lost.letter;
        let mut then = vec![self.replaced(lost)];
        if let Some(shown) = self.actor(Part::NewerShown) {
            then.push(format!("{} even returned {}.", shown.letter, shown.value()));
        }
        then.push(format!(
            "{b} was acknowledged, so it, or something that replaced it, had to stay on some replica."
        ));
        let however = format!("However, in the census {}: {b} is gone.", self.census());
        Some((then, however))
    }

    fn clock_loss(&self) -> Option<Story> {
        let beaten = self.actor(Part::Newer)?;
        let b = beaten.letter;
        let then = vec![
            self.replaced(beaten),
            format!("{b} was acknowledged, so whatever is older than {b} had to give way."),
        ];
        let winner = self
            .actor(Part::Older)
            .map_or("an older write".to_owned(), |a| a.letter.to_string());
        let however = format!(
            "However, in the census {}: {winner} beat {b}.",
            self.census()
        );
        Some((then, however))
    }

    fn concurrent_loss(&self) -> Option<Story> {
        let dropped = self.actor(Part::Newer)?;
        let b = dropped.letter;
        let mut then = vec![format!(
            "{b} was acknowledged, and no write of {} that may have happened began after it had finished.",
            self.key()
        )];
        if let Some(kept) = self.actor(Part::Older) {
            then.push(format!(
                "{} and {b} overlap, so either may win.",
                kept.letter
            ));
        }
        let however = format!(
            "However, in the census {}: {b} was dropped, and its client was never told.",
            self.census()
        );
        Some((then, however))
    }

    fn resurrection(&self) -> Option<Story> {
        if self.actor(Part::Reader).is_some() {
            return self.stale_read("what was deleted is back");
        }
        let delete = self.actor(Part::Newer)?;
        let then = vec![
            self.replaced(delete),
            format!("Nothing acknowledged was written after {}.", delete.letter),
        ];
        let however = format!(
            "However, in the census {}: what was deleted is back.",
            self.census()
        );
        Some((then, however))
    }

    fn divergence(&self) -> Story {
        let then = vec![
            format!(
                "The census asked each replica of {} when the clients were silent.",
                self.key()
            ),
            "So all of them had to hold the same.".to_owned(),
        ];
        (then, format!("However, {}.", self.census()))
    }

    fn unavailability(&self) -> Story {
        let roles = &self.anomaly.witness.roles;
        let shown = roles
            .iter()
            .filter(|role| role.part == Part::Attempt)
            .count();
        let amount = |name: &str| {
            self.anomaly
                .details
                .iter()
                .find(|measure| measure.name == name)
                .map(|m| &m.amount)
        };
        let attempts = match amount("attempts") {
            Some(&Amount::Count(count)) => count,
            _ => shown as u64,
        };
        let spread = match amount("spread") {
            Some(&Amount::Ns(ns)) => duration(ns),
            _ => "some time".to_owned(),
        };
        let mut then = vec![
            "Each had a coordinator that no fault touched and that could reach enough replicas."
                .to_owned(),
        ];
        if let Some(success) = self.actor(Part::Success) {
            then.push(format!(
                "{} succeeded meanwhile, so the store was up.",
                success.letter
            ));
        }
        let writes = self
            .actor(Part::Attempt)
            .is_some_and(|a| a.operation.is_write());
        let success = self.actor(Part::Success);
        let what = match (&self.anomaly.key, writes) {
            (None, _) if success.is_none() => "operations on any key".to_owned(),
            (None, true) => "writes of any key".to_owned(),
            (None, false) => "reads of any key".to_owned(),
            (Some(key), true) => format!("writes of {key}"),
            (Some(key), false) => format!("reads of {key}"),
        };
        (
            then,
            format!("However, of {attempts} {what} within {spread} not one succeeded."),
        )
    }

    /// What the census found, such as `n1 and n2 hold 41 and n3 holds nothing`.
    fn census(&self) -> String {
        let mut found: Vec<(String, Vec<String>)> = Vec::new();
        for &at in &self.anomaly.witness.census {
            let Some(answer) = self.history.operations.get(at) else {
                continue;
            };
            let node = answer
                .node()
                .map_or("a replica", |node| self.history.node_name(node));
            let value = value(answer);
            match found.iter_mut().find(|(other, _)| *other == value) {
                Some((_, nodes)) => nodes.push(node.to_owned()),
                None => found.push((value, vec![node.to_owned()])),
            }
        }
        if let [(value, nodes)] = found.as_slice()
            && nodes.len() > 1
        {
            return format!(
                "all {} replicas hold {value} ({})",
                nodes.len(),
                nodes.join(" ")
            );
        }
        let part = |(value, nodes): &(String, Vec<String>)| {
            format!(
                "{} {} {value}",
                list(nodes),
                plural(nodes.len(), "holds", "hold")
            )
        };
        found.iter().map(part).collect::<Vec<_>>().join("; ")
    }
}

fn gap(earlier: &Operation, later: &Operation) -> String {
    duration(later.call.since(earlier.ret).0)
}
