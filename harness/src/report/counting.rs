//! How many of many short runs are over, on stderr: a bar on a terminal, else a line every ten seconds. Of what is over within a
//! second nothing is shown.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::progress::ProgressMode;
use crate::report::text::grouped;

/// What is over sooner needs no bar.
const BAR_AFTER: Duration = Duration::from_secs(1);
/// Off a terminal, a count is told this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Counts runs.
pub struct Counting {
    mode: ProgressMode,
    began: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
    all: u64,
    over: u64,
    shown: u64,
}

impl Counting {
    /// A count up to `all`, shown in this mode.
    pub fn new(mode: ProgressMode, all: u64) -> Counting {
        let mode = match mode {
            ProgressMode::Auto if std::io::stderr().is_terminal() => ProgressMode::Bar,
            ProgressMode::Auto => ProgressMode::Lines,
            other => other,
        };
        Counting {
            mode,
            began: Instant::now(),
            told: Instant::now(),
            bar: None,
            all,
            over: 0,
            shown: 0,
        }
    }

    /// One more is over, and shows what is looked for or does not.
    pub fn count(&mut self, is_shown: bool) {
        self.over += 1;
        self.shown += u64::from(is_shown);
    }

    /// Shows how things are now.
    pub fn look(&mut self) {
        let words = format!(
            "{} of {} runs  {} shown",
            grouped(self.over),
            grouped(self.all),
            grouped(self.shown)
        );
        match self.mode {
            ProgressMode::Bar if self.began.elapsed() >= BAR_AFTER => {
                let all = self.all;
                let bar = self.bar.get_or_insert_with(|| bar(all));
                bar.set_position(self.over);
                bar.set_message(words);
            }
            ProgressMode::Lines if self.told.elapsed() >= LINE_EVERY => {
                self.told = Instant::now();
                let _ = writeln!(std::io::stderr().lock(), "  replay  {words}");
            }
            _ => {}
        }
    }

    /// Says something without the bar in its way.
    pub fn aside(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    /// It is over: the bar goes away.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(all: u64) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(Some(all), target);
    if let Ok(style) = ProgressStyle::with_template(" replay {bar:30} {wide_msg}") {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}
