//! What faults ask of a link, and what the link does when several ask at once.
//!
//! Pure: the links themselves are in `network.rs`.

use std::time::Duration;

/// What one fault does to one directed link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Nothing gets through, and nothing is lost: it is delivered after the heal.
    Hold,
    /// Connections are reset, new ones too.
    Reset,
    /// Everything is late.
    Delay {
        /// Fixed part.
        delay: Duration,
        /// Random part, from zero to this.
        jitter: Duration,
    },
}

/// What a directed link does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Forwards at once.
    #[default]
    Pass,
    /// See [`Rule::Hold`].
    Hold,
    /// See [`Rule::Reset`].
    Reset,
    /// See [`Rule::Delay`].
    Delay {
        /// Fixed part.
        delay: Duration,
        /// Random part, from zero to this.
        jitter: Duration,
    },
}

/// The rules in force on one link, in no particular order. Equal rules count: each of two faults must be healed.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

impl Rules {
    /// One more rule is in force.
    pub(super) fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// One rule like this is no longer in force; false if none was.
    pub(super) fn remove(&mut self, rule: Rule) -> bool {
        let found = self.0.iter().position(|&other| other == rule);
        if let Some(place) = found {
            self.0.swap_remove(place);
        }
        found.is_some()
    }

    /// No rule is in force any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What the link does: the strongest rule wins, and of delays the longest.
    pub(super) fn mode(&self) -> Mode {
        self.0
            .iter()
            .fold(Mode::Pass, |mode, &rule| stronger(mode, rule))
    }
}

fn stronger(now: Mode, rule: Rule) -> Mode {
    match (now, rule) {
        (Mode::Reset, _) | (_, Rule::Reset) => Mode::Reset,
        (Mode::Hold, _) | (_, Rule::Hold) => Mode::Hold,
        (Mode::Pass, Rule::Delay { delay, jitter }) => Mode::Delay { delay, jitter },
        (
            Mode::Delay { delay, jitter },
            Rule::Delay {
                delay: more,
                jitter: wider,
            },
        ) => Mode::Delay {
            delay: delay.max(more),
            jitter: jitter.max(wider),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(delay_ms: u64, jitter_ms: u64) -> Rule {
        Rule::Delay {
            delay: Duration::from_millis(delay_ms),
            jitter: Duration::from_millis(jitter_ms),
        }
    }

    fn mode_of(rules: &[Rule]) -> Mode {
        let mut all = Rules::default();
        for &rule in rules {
            all.add(rule);
        }
        all.mode()
    }

    #[test]
    fn the_strongest_rule_wins_in_any_order() {
        assert_eq!(mode_of(&[]), Mode::Pass);
        assert_eq!(mode_of(&[delay(5, 0), Rule::Hold]), Mode::Hold);
        assert_eq!(mode_of(&[Rule::Hold, delay(5, 0)]), Mode::Hold);
        assert_eq!(
            mode_of(&[Rule::Hold, Rule::Reset, delay(5, 0)]),
            Mode::Reset
        );
        assert_eq!(mode_of(&[Rule::Reset, Rule::Hold]), Mode::Reset);
    }

    #[test]
    fn of_delays_the_longest_counts() {
        let longest = Mode::Delay {
            delay: Duration::from_millis(9),
            jitter: Duration::from_millis(7),
        };
        assert_eq!(mode_of(&[delay(9, 1), delay(2, 7)]), longest);
    }

    #[test]
    fn each_of_two_equal_rules_must_be_removed() {
        let mut rules = Rules::default();
        rules.add(Rule::Hold);
        rules.add(Rule::Hold);
        assert!(rules.remove(Rule::Hold));
        assert_eq!(rules.mode(), Mode::Hold);
        assert!(rules.remove(Rule::Hold));
        assert_eq!(rules.mode(), Mode::Pass);
        assert!(!rules.remove(Rule::Hold));
    }
}
