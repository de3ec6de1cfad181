//! The simulated world: a whole cluster, its disks, its network and its clients in one thread and in virtual time.
//!
//! The replicas and the conductor are the very ones of the live world; what is around them is modelled. So a run takes
//! milliseconds, and is a function of its plan: the same plan makes the same history, byte for byte. It is not a
//! model of performance: its delays are drawn from ranges ([`Weather`]) and say nothing about real machines.

mod clients;
mod cluster;
mod disk;
mod drive;
mod faults;
mod inbox;
mod network;
mod node;
mod queue;
mod rings;
#[cfg(test)]
mod tests;
pub mod trace;
mod weather;

use quorate_checkers::history::Event;
use thiserror::Error;

pub use drive::Simulation;
pub(crate) use weather::MILLION;
pub use weather::{Span, Weather};

use crate::plan::{Plan, PlanError};
use trace::Step;

/// Why a plan could not be carried out in the simulated world.
#[derive(Debug, Error)]
pub enum SimError {
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Nodes did not find each other although no fault is in force: a bug of the simulator.
    #[error(
        "nodes were not connected after {waited_ms} ms of virtual time: give a weather in which they can be"
    )]
    NotConnected {
        /// How long they had, ms of virtual time.
        waited_ms: u64,
    },
    /// It went on and on.
    #[error("more than {limit} things happened and no end came: give a shorter plan")]
    Endless {
        /// How many may happen.
        limit: u64,
    },
}

/// Carries out a plan; returns the events of its history, without the header. Deterministic in its arguments.
///
/// # Errors
/// When the plan cannot be carried out, or comes to no end.
pub fn run(plan: &Plan, weather: &Weather) -> Result<Vec<Event>, SimError> {
    plan.validate()?;
    finish(&mut Simulation::new(plan, *weather)?)
}

/// The same, and every step that was taken inside the cluster.
///
/// # Errors
/// As [`run`].
pub fn traced(plan: &Plan, weather: &Weather) -> Result<(Vec<Event>, Vec<Step>), SimError> {
    plan.validate()?;
    let mut simulation = Simulation::new(plan, *weather)?.traced();
    let events = finish(&mut simulation)?;
    Ok((events, simulation.take_steps()))
}

/// Goes on to the end.
fn finish(simulation: &mut Simulation) -> Result<Vec<Event>, SimError> {
    let mut events = Vec::new();
    while simulation.advance()? {
        events.extend(simulation.drain_events());
    }
    events.extend(simulation.drain_events());
    Ok(events)
}
