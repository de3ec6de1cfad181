//! How far a judging has come, on stderr: a bar on a terminal, else a line every ten seconds. Of what is over within a second
//! nothing is shown.

use std::io::{IsTerminal, Write};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::judging::Watch;
use crate::report::progress::ProgressMode;
use crate::report::text::grouped;

/// How often somebody should look.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What is over sooner needs no bar.
const BAR_AFTER: Duration = Duration::from_secs(1);

/// Off a terminal, a judging that lasts is reported this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Steps of a bar whose end is known.
const STEPS: u64 = 1_000;

/// Of these steps, those for reading; judging takes the rest.
const STEPS_READ: u64 = 800;

/// Shows a watch.
pub struct Watching {
    mode: ProgressMode,
    began: Instant,
    bar: Option<ProgressBar>,
    told: Instant,
}

impl Watching {
    /// Shows progress in this mode.
    pub fn new(mode: ProgressMode) -> Watching {
        let mode = match mode {
            ProgressMode::Auto if std::io::stderr().is_terminal() => ProgressMode::Bar,
            ProgressMode::Auto => ProgressMode::Lines,
            other => other,
        };
        Watching {
            mode,
            began: Instant::now(),
            bar: None,
            told: Instant::now(),
        }
    }

    /// Shows how things are now.
    pub fn look(&mut self, watch: &Watch) {
        let glance = Glance::at(watch);
        match self.mode {
            ProgressMode::Bar if self.began.elapsed() >= BAR_AFTER => {
                let bar = self.bar.get_or_insert_with(|| bar(glance.bytes > 0));
                bar.set_prefix(glance.doing());
                bar.set_position(glance.steps());
                bar.set_message(glance.to_string());
                bar.tick();
            }
            ProgressMode::Lines if self.told.elapsed() >= LINE_EVERY => {
                self.told = Instant::now();
                let _ = writeln!(std::io::stderr().lock(), "  {:<7} {glance}", glance.doing());
            }
            _ => {}
        }
    }

    /// The judging is over: the bar goes away.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(has_end: bool) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let (bar, template) = if has_end {
        let bar = ProgressBar::with_draw_target(Some(STEPS), target);
        (bar, "{prefix:>7} {bar:30} {wide_msg}")
    } else {
        let bar = ProgressBar::with_draw_target(None, target);
        (bar, "{prefix:>7} {spinner} {wide_msg}")
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}

/// A watch at one moment.
struct Glance {
    bytes: u64,
    bytes_read: u64,
    to_judge: u64,
    judged: u64,
    is_judging: bool,
}

impl Glance {
    fn at(watch: &Watch) -> Glance {
        Glance {
            bytes: watch.bytes.load(Ordering::Relaxed),
            bytes_read: watch.bytes_read.load(Ordering::Relaxed),
            to_judge: watch.to_judge.load(Ordering::Relaxed),
            judged: watch.judged.load(Ordering::Relaxed),
            is_judging: watch.is_judging.load(Ordering::Relaxed),
        }
    }

    fn doing(&self) -> &'static str {
        if self.is_judging { "judge" } else { "read" }
    }

    fn steps(&self) -> u64 {
        let part = |done: u64, all: u64, steps: u64| match all {
            0 => 0,
            _ => u64::try_from(u128::from(done.min(all)) * u128::from(steps) / u128::from(all))
                .unwrap_or(0),
        };
        let judged = part(self.judged, self.to_judge, STEPS - STEPS_READ);
        if self.is_judging {
            STEPS_READ + judged
        } else {
            part(self.bytes_read, self.bytes, STEPS_READ)
        }
    }
}

impl std::fmt::Display for Glance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mb = |bytes: u64| grouped(bytes / 1_000_000);
        match (self.is_judging, self.bytes) {
            (true, _) => write!(f, "{} of {} guarantees", self.judged, self.to_judge),
            (false, 0) => write!(f, "{} MB", mb(self.bytes_read)),
            (false, bytes) => write!(f, "{} of {} MB", mb(self.bytes_read), mb(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glance(bytes: u64, bytes_read: u64, judged: u64, is_judging: bool) -> Glance {
        Glance {
            bytes,
            bytes_read,
            to_judge: 4,
            judged,
            is_judging,
        }
    }

    #[test]
    fn reading_fills_most_of_the_bar_and_judging_the_rest() {
        let steps: Vec<u64> = [
            glance(100, 0, 0, false),
            glance(100, 50, 0, false),
            glance(100, 100, 0, true),
            glance(100, 100, 4, true),
            glance(u64::MAX, u64::MAX, 0, false),
            glance(0, 7, 0, false),
        ]
        .iter()
        .map(Glance::steps)
        .collect();
        assert_eq!(steps, [0, 400, 800, 1_000, 800, 0]);
    }

    #[test]
    fn what_is_read_and_judged_is_said_in_numbers() {
        let read = glance(2_300_000_000, 41_000_000, 0, false);
        assert_eq!(read.to_string(), "41 of 2,300 MB");
        assert_eq!(glance(0, 41_000_000, 0, false).to_string(), "41 MB");
        let judging = glance(9, 9, 3, true);
        assert_eq!(judging.to_string(), "3 of 4 guarantees");
    }
}
