//! What a history says of its plan, so that it alone is enough to make the plan again.
//!
//! The header has what no fault line has ([`Setup`]), the first line of each fault what the plan says of it ([`Planned`]). Judges
//! read neither.

use quorate_node::config::{Options, ReadFanout};
use serde::{Deserialize, Serialize};

use super::{Cue, Load, Phases, Plan, Scheduled, World};
use crate::fault::Fault;

/// What a plan sets up and judges need not know: `setup` in the header of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Where it is carried out.
    pub world: World,
    /// Virtual nodes per node on the ring.
    pub tokens_per_node: u32,
    /// Which replicas a read asks.
    pub read_fanout: ReadFanout,
    /// Settings of the store that are not in the header by themselves.
    #[serde(default, skip_serializing_if = "is_default")]
    pub options: Options,
    /// What the clients do.
    pub load: Load,
    /// How long the phases last.
    pub phases: Phases,
}

impl Setup {
    /// Of this plan.
    pub fn of(plan: &Plan) -> Setup {
        Setup {
            world: plan.world,
            tokens_per_node: plan.store.tokens_per_node,
            read_fanout: plan.store.read_fanout,
            options: plan.store.options.clone(),
            load: plan.load.clone(),
            phases: plan.phases,
        }
    }
}

fn is_default(options: &Options) -> bool {
    *options == Options::default()
}

/// What a plan says of a fault: `planned` in the line that injects it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// When, ms after the storm began.
    pub at_ms: u64,
    /// How long, ms.
    pub for_ms: u64,
    /// What.
    pub fault: Fault,
    /// What it waits for, instead of the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cue: Option<Cue>,
}

impl Planned {
    /// Of this fault of the timeline.
    pub fn of(scheduled: &Scheduled) -> Planned {
        Planned {
            at_ms: scheduled.at_ms,
            for_ms: scheduled.for_ms,
            fault: scheduled.fault.clone(),
            cue: scheduled.cue.clone(),
        }
    }

    /// The fault of the timeline, under this id.
    pub fn scheduled(self, id: &str) -> Scheduled {
        Scheduled {
            id: id.to_owned(),
            at_ms: self.at_ms,
            for_ms: self.for_ms,
            fault: self.fault,
            cue: self.cue,
        }
    }
}

#[cfg(test)]
mod tests {
    use quorate_checkers::history::{Event, F, Process, Value};

    use super::{Planned, Setup};
    use crate::plan::{PlanSpec, Scheduled, World};
    use crate::world::sim;

    #[test]
    fn a_history_says_what_was_set_up_and_what_was_planned() {
        let spec = PlanSpec {
            world: Some("sim".to_owned()),
            lasts: Some("4s".to_owned()),
            faults: Some(
                ["kill", "partition", "slow", "clock"]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            ..PlanSpec::default()
        };
        let plan = spec.plan(5).expect("a plan");
        let header = plan.header().expect("a header");
        let setup: Setup = serde_json::from_value(header.setup.expect("a setup")).expect("JSON");
        assert_eq!(setup, Setup::of(&plan));

        let World::Sim(weather) = plan.world else {
            panic!("{:?} is not simulated", plan.world);
        };
        let planned = |event: Event| -> Option<Scheduled> {
            let Value::Json(body) = event.value else {
                return None;
            };
            let planned = body.get("planned")?.clone();
            let planned: Planned = serde_json::from_value(planned).expect("a planned fault");
            Some(planned.scheduled(body.get("id")?.as_str()?))
        };
        let told: Vec<Scheduled> = sim::run(&plan, &weather)
            .expect("a run")
            .into_iter()
            .filter(|event| event.process == Process::Nemesis && event.f != F::Phase)
            .filter_map(planned)
            .collect();
        assert_eq!(told, plan.timeline);
    }
}
