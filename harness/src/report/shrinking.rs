//! How far shrinking has come, on stderr, and what came of it, on stdout.
//!
//! The other thread shrinks; this one looks, and minds the interrupt: the first keeps the best so far, the second gives up.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::sync::oneshot;
use tokio::time::interval;

use super::progress::ProgressMode;
use super::style::{Style, Tone};
use super::text::{grouped, indented};
use crate::run::RunError;
use crate::run::interrupts::Interrupts;
use crate::shrink::{End, LiveShrunk, Saved, Shrunk, Size, Watch};
use crate::target::Target;

/// How often somebody looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Does work on another thread while this one shows the best so far.
///
/// # Errors
/// When the user interrupts twice, or there is no runtime.
pub fn attended<T: Send + 'static>(
    mode: ProgressMode,
    work: impl FnOnce(&Watch) -> T + Send + 'static,
) -> Result<T, RunError> {
    let watch = Arc::new(Watch::default());
    let mut looking = Looking::new(mode);
    let (done, mut result) = oneshot::channel();
    let worker = thread::spawn({
        let watch = Arc::clone(&watch);
        move || drop(done.send(work(&watch)))
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let ended = runtime.block_on(async {
        let mut interrupts = Interrupts::new().map_err(RunError::Runtime)?;
        let mut looks = interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = interrupts.next() => {
                    if watch.stop.swap(true, Ordering::Relaxed) {
                        return Err(RunError::Killed);
                    }
                    looking.say("interrupted: saving the smallest so far; once more to give up");
                }
                ended = &mut result => return Ok(ended),
                _ = looks.tick() => looking.look(&watch),
            }
        }
    });
    looking.end();
    match ended? {
        Ok(value) => Ok(value),
        // It ended without a result: a panic of the work is a panic of ours.
        Err(_) => match worker.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => Err(RunError::Killed),
        },
    }
}

/// Shows the best so far.
struct Looking {
    mode: ProgressMode,
    bar: Option<ProgressBar>,
    told: Option<String>,
}

impl Looking {
    fn new(mode: ProgressMode) -> Looking {
        let mode = match mode {
            ProgressMode::Auto if std::io::stderr().is_terminal() => ProgressMode::Bar,
            ProgressMode::Auto => ProgressMode::Lines,
            other => other,
        };
        Looking {
            mode,
            bar: None,
            told: None,
        }
    }

    fn look(&mut self, watch: &Watch) {
        let best = watch.best.lock().ok().and_then(|best| *best);
        let Some(best) = best.as_ref().map(words) else {
            return;
        };
        let tried = grouped(watch.tried.load(Ordering::Relaxed));
        match self.mode {
            ProgressMode::Bar => {
                let bar = self.bar.get_or_insert_with(ProgressBar::new_spinner);
                bar.set_message(format!("{best}  {tried} simulations"));
                bar.tick();
            }
            ProgressMode::Lines if self.told.as_ref() != Some(&best) => {
                self.say(&format!("  {best}"));
                self.told = Some(best);
            }
            ProgressMode::Lines | ProgressMode::None | ProgressMode::Auto => {}
        }
    }

    fn say(&self, text: &str) {
        let line = || drop(writeln!(std::io::stderr().lock(), "{text}"));
        match &self.bar {
            Some(bar) => bar.suspend(line),
            None if self.mode == ProgressMode::None => {}
            None => line(),
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// What there is of everything, for a line.
fn words(size: &Size) -> String {
    format!(
        "faults {}  operations {}  clients {}  keys {}  nodes {}  lasts {} ms",
        grouped(size.faults),
        grouped(size.operations),
        grouped(size.clients),
        grouped(size.keys),
        grouped(size.nodes),
        grouped(size.lasts_ms),
    )
}

/// The table of what became less.
fn table(before: &Size, after: &Size, style: Style) -> String {
    let rows = [
        ("faults", before.faults, after.faults),
        ("operations", before.operations, after.operations),
        ("clients", before.clients, after.clients),
        ("keys", before.keys, after.keys),
        ("nodes", before.nodes, after.nodes),
        ("load, ms", before.lasts_ms, after.lasts_ms),
        ("faults, ms", before.faults_last_ms, after.faults_last_ms),
    ];
    let mut out = String::new();
    for (what, before, after) in rows {
        let after = style.paint(Tone::Strong, &grouped(after));
        let _ = writeln!(out, "  {what:<11} {:>9} -> {after}", grouped(before));
    }
    out
}

/// What came of shrinking a simulated run, for people.
pub fn simulated(shrunk: &Shrunk, saved: &Saved, target: Target, style: Style) -> String {
    let mut out = table(&shrunk.before, &shrunk.after, style);
    let end = match shrunk.end {
        End::Smallest => "nothing more can be left out",
        End::Spent => "the budget of simulations is spent; shrink the result again to go on",
        End::Interrupted => "interrupted: the smallest so far",
    };
    let _ = writeln!(out, "  {} simulations: {end}\n", grouped(shrunk.tried));
    out + &told(saved, target)
}

/// What came of shrinking a live run, for people.
pub fn live(shrunk: &LiveShrunk, target: Target, style: Style) -> String {
    let mut out = table(&shrunk.before, &shrunk.after, style);
    let end = match shrunk.end {
        End::Smallest => "nothing more can be left out",
        End::Spent => "the time is over; give it more with --budget",
        End::Interrupted => "interrupted: the smallest so far",
    };
    let _ = writeln!(out, "  {} runs: {end}", grouped(shrunk.tried));
    let _ = writeln!(
        out,
        "  shown in {} of {} runs of what is left: {}\n",
        shrunk.rate.seen, shrunk.rate.of, shrunk.rate
    );
    out + &told(&shrunk.saved, target)
}

/// The anomaly, and where everything is.
fn told(saved: &Saved, target: Target) -> String {
    let mut out = String::new();
    let row = target.shown_by(&saved.verdict);
    if let Some(explanation) = row.and_then(|row| row.explanations.first()) {
        let _ = writeln!(out, "{}", indented(&explanation.render()));
    }
    let path = &saved.path;
    if let Some(why) = &saved.undrawn {
        let _ = writeln!(out, "  not every anomaly has a spacetime diagram: {why}");
    }
    let _ = writeln!(out, "  story  {path}/STORY.md");
    let _ = writeln!(out, "  again  quorate run {path}/plan.json");
    out
}
