//! The simulated world under way: saves the history as it grows, shows how far it is, and minds the interrupt.
//!
//! The twin of `drive.rs`, which does it for the live world. Nothing here changes what happens in the simulation, except that it
//! may be stopped.

use std::time::{Duration, Instant};

use quorate_checkers::history::Nanos;

use super::RunError;
use super::drive::Load;
use super::following::{Following, stopped_at};
use super::interrupts::Interrupts;
use crate::conductor::Phase;
use crate::plan::Plan;
use crate::report::progress::{Glance, Progress};
use crate::results::HistoryFile;
use crate::world::sim::{Simulation, Weather};

/// How often, of real time, the interrupt is minded and progress is shown.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Simulates a plan. The history is on disk when this returns.
pub(super) async fn simulate(
    plan: &Plan,
    weather: Weather,
    mut file: HistoryFile,
    stop_on_first: bool,
    progress: &mut Progress,
) -> Result<Load, RunError> {
    let mut interrupts = Interrupts::new().map_err(RunError::Runtime)?;
    let mut following = Following::new(plan.header()?);
    let mut simulation = Simulation::new(plan, weather)?;
    let mut load = Load::default();
    let mut load_began: Option<Nanos> = None;
    let mut looked = Instant::now();
    let mut shown = None;
    loop {
        let goes_on = simulation.advance()?;
        for event in simulation.drain_events() {
            file.append(&event)?;
            following.push(&event);
        }
        if let Some(words) = following.heed(progress)
            && stop_on_first
            && simulation.conductor().phase() < Phase::Heal
        {
            simulation.stop(&stopped_at(&words));
            load.stopped = Some(words);
        }
        let (phase, now) = (simulation.conductor().phase(), simulation.now());
        if load_began.is_none() && phase >= Phase::Warm {
            load_began = Some(now);
        }
        if phase < Phase::Heal {
            load.load = Duration::from_nanos(now.since(load_began.unwrap_or(now)).0);
        }
        if shown.replace(phase) != Some(phase) || looked.elapsed() >= LOOK_EVERY {
            looked = Instant::now();
            show(&simulation, load.load, progress);
            if interrupts.has_come().await {
                if load.interrupted {
                    return Err(RunError::Killed);
                }
                load.interrupted = true;
                progress.say("interrupted: healing, saving and judging; once more to give up");
                simulation.stop("interrupted");
            }
        }
        if !goes_on {
            break;
        }
    }
    file.close()?;
    load.ops = simulation.conductor().completed_ops();
    Ok(load)
}

fn show(simulation: &Simulation, elapsed: Duration, progress: &mut Progress) {
    let faults = simulation.conductor().live_faults();
    progress.show(&Glance {
        phase: simulation.conductor().phase(),
        elapsed,
        ops: simulation.conductor().completed_ops(),
        faults: faults
            .map(|scheduled| scheduled.fault.to_string())
            .collect(),
    });
}
