//! Progress on stderr: a bar on a terminal, else one line per phase and per ten seconds.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::conductor::Phase;
use crate::plan::Plan;
use crate::report::text::grouped;

/// Off a terminal, a phase that lasts is reported this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How to show progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProgressMode {
    /// A bar on a terminal, else lines.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// Lines.
    Lines,
    /// Nothing.
    None,
}

/// What there is to see at one moment.
#[derive(Clone, Debug)]
pub struct Glance {
    /// The phase.
    pub phase: Phase,
    /// How long clients have worked.
    pub elapsed: Duration,
    /// Operations completed so far.
    pub ops: u64,
    /// Faults that are installed now, in words.
    pub faults: Vec<String>,
}

enum Look {
    Bar(ProgressBar),
    Lines { phase: Option<Phase>, last: Instant },
    None,
}

/// Shows progress.
pub struct Progress {
    look: Look,
    load: Duration,
    last: (Instant, u64),
    ops_per_s: u64,
}

impl Progress {
    /// Progress in this mode.
    pub fn new(mode: ProgressMode) -> Progress {
        let bar = match mode {
            ProgressMode::Auto => std::io::stderr().is_terminal(),
            ProgressMode::Bar => true,
            ProgressMode::Lines | ProgressMode::None => false,
        };
        let look = if mode == ProgressMode::None {
            Look::None
        } else if bar {
            Look::Bar(ProgressBar::hidden())
        } else {
            Look::Lines {
                phase: None,
                last: Instant::now(),
            }
        };
        Progress {
            look,
            load: Duration::ZERO,
            last: (Instant::now(), 0),
            ops_per_s: 0,
        }
    }

    /// A run begins.
    pub fn begin(&mut self, id: &str, plan: &Plan) {
        self.load = Duration::from_millis(plan.phases.warm_ms + plan.phases.storm_ms);
        self.last = (Instant::now(), 0);
        match &mut self.look {
            Look::Bar(bar) => {
                let length = u64::try_from(self.load.as_millis()).unwrap_or(0);
                *bar = ProgressBar::with_draw_target(
                    Some(length),
                    indicatif::ProgressDrawTarget::stderr_with_hz(10),
                );
                if let Ok(style) = ProgressStyle::with_template("{prefix:>7} {bar:30} {wide_msg}") {
                    bar.set_style(style.progress_chars("━╸ "));
                }
            }
            Look::Lines { phase, .. } => {
                *phase = None;
                self.say(&format!("run {id}"));
            }
            Look::None => {}
        }
    }

    /// Shows how things are now.
    pub fn show(&mut self, glance: &Glance) {
        self.measure(glance.ops);
        let ops = format!("{} ops", grouped(glance.ops));
        let words = format!(
            "{:>5.1}s of {:.0}s  {ops}  {}/s  {}",
            glance.elapsed.min(self.load).as_secs_f64(),
            self.load.as_secs_f64(),
            grouped(self.ops_per_s),
            chips(&glance.faults),
        );
        match &mut self.look {
            Look::Bar(bar) => {
                bar.set_prefix(glance.phase.name());
                bar.set_position(u64::try_from(glance.elapsed.as_millis()).unwrap_or(0));
                bar.set_message(words);
            }
            Look::Lines { phase, last } => {
                if *phase != Some(glance.phase) || last.elapsed() >= LINE_EVERY {
                    *phase = Some(glance.phase);
                    *last = Instant::now();
                    self.say(&format!("  {:<7} {words}", glance.phase.name()));
                }
            }
            Look::None => {}
        }
    }

    /// Says something between two looks.
    pub fn say(&self, text: &str) {
        match &self.look {
            Look::Bar(bar) => bar.suspend(|| line(text)),
            Look::Lines { .. } => line(text),
            Look::None => {}
        }
    }

    /// The run is over: the bar goes away.
    pub fn end(&mut self) {
        if let Look::Bar(bar) = &self.look {
            bar.finish_and_clear();
        }
    }

    fn measure(&mut self, ops: u64) {
        let (since, before) = self.last;
        let elapsed = since.elapsed();
        if elapsed >= Duration::from_secs(1) {
            let millis = u64::try_from(elapsed.as_millis()).unwrap_or(1);
            self.ops_per_s = ops.saturating_sub(before) * 1_000 / millis;
            self.last = (Instant::now(), ops);
        }
    }
}

fn chips(faults: &[String]) -> String {
    faults
        .iter()
        .map(|fault| format!("[{fault}]"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.trim_end());
}
