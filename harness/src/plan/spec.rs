//! What a person says about a run: a TOML file, flags, or both. Everything is optional here.
//!
//! A spec is not a plan: it has no defaults filled in and its faults are not expanded. [`PlanSpec::plan`] does both.

use quorate_node::config::{
    ConfigError, HintHolder, Level, Options, ReadFanout, ReadRepair, Sabotage, StoreConfig,
    SyncPolicy,
};
use quorate_workloads::Kind;
use serde::Deserialize;
use thiserror::Error;

use super::texts::{parse_claim, parse_duration_ms, parse_sync};
use super::written::{Line, Moment};
use super::{
    FORMAT, Load, Phases, Plan, Scheduled, ScriptedOp, StoreSpec, World, is_cued, ring, schedule,
};
use crate::fault::FaultKind;
use crate::world::sim::Weather;

/// What the quiet lasts at most beyond what it lasts at least, ms: so long may nodes take to say that they are at rest.
const RESTING_MS_MAX: u64 = 1_000;

/// Virtual nodes per node on the ring.
const TOKENS_PER_NODE: u32 = 64;

/// How long a script lasts at most whose operations wait for things, ms, if nothing is said.
pub(crate) const CUED_MS_MAX: u64 = 60_000;

/// What may be wrong with a plan.
#[derive(Debug, Error)]
pub enum PlanError {
    /// A name that does not exist.
    #[error("unknown {what} `{name}`{hint}; there are: {known}")]
    Unknown {
        /// What kind of name.
        what: &'static str,
        /// The name.
        name: String,
        /// ", did you mean `x`?" or nothing.
        hint: String,
        /// All names there are.
        known: String,
    },
    /// A value out of range.
    #[error("{field} = {value} is not possible: {why}")]
    Range {
        /// The setting.
        field: &'static str,
        /// Its value.
        value: String,
        /// Why, and what would be.
        why: String,
    },
    /// Text that is no duration, quorum or policy.
    #[error("{field} `{text}` is not {expected}")]
    Malformed {
        /// The setting.
        field: &'static str,
        /// What was given.
        text: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// A store that no cluster can run.
    #[error("the store is not possible: {0}")]
    Store(#[from] ConfigError),
    /// A TOML file that cannot be understood.
    #[error("{origin}: {why}")]
    Toml {
        /// The file.
        origin: String,
        /// Where and why, with a suggestion if there is one.
        why: String,
    },
    /// A case of a gate file whose plan is wrong.
    #[error("{origin}: case `{case}`: {why}")]
    Case {
        /// The file.
        origin: String,
        /// The case.
        case: String,
        /// What is wrong with it.
        why: String,
    },
    /// A `plan.json` that cannot be understood.
    #[error("{origin} is not a plan: {why}")]
    NotAPlan {
        /// The file.
        origin: String,
        /// Why.
        why: String,
    },
}

/// A run as a person describes it. Times are texts such as `20s` or `500ms`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlanSpec {
    /// The known store whose settings count where nothing else is said.
    pub profile: Option<String>,
    /// Nodes of the cluster.
    pub nodes: Option<u16>,
    /// Replicas of each key.
    pub n: Option<u16>,
    /// Read quorum.
    pub r: Option<u16>,
    /// Write quorum.
    pub w: Option<u16>,
    /// `quorum` or `all`.
    pub read_fanout: Option<String>,
    /// `none`, `async` or `blocking`.
    pub read_repair: Option<String>,
    /// `each-write` or `every <duration>`.
    pub sync: Option<String>,
    /// How long a coordinator waits for replicas.
    pub request_timeout: Option<String>,
    /// How long a client waits for one operation.
    pub op_timeout: Option<String>,
    /// Defects to build in.
    pub sabotage: Option<Vec<String>>,
    /// Name of the workload.
    pub workload: Option<String>,
    /// Concurrent clients.
    pub clients: Option<u64>,
    /// Operations per second; 0 = as fast as they can.
    pub rate: Option<u64>,
    /// Number of keys.
    pub keys: Option<u64>,
    /// Share of reads, percent.
    pub reads: Option<u64>,
    /// Share of deletes, percent.
    pub deletes: Option<u64>,
    /// Whether writes say nothing of what their clients had read.
    pub blind: Option<bool>,
    /// How long the load lasts.
    #[serde(rename = "for")]
    pub lasts: Option<String>,
    /// Kinds of fault to generate a timeline from.
    pub faults: Option<Vec<String>>,
    /// A timeline written by hand, instead of `faults`.
    pub timeline: Option<Vec<Moment>>,
    /// Operations written by hand, instead of those that the workload would draw.
    pub script: Option<Vec<Line>>,
    /// Seed.
    pub seed: Option<u64>,
    /// Where to run: `live` or `sim`.
    pub world: Option<String>,
    /// How fast everything is in the simulated world.
    pub weather: Option<Weather>,
    /// `N/R/W` to judge by.
    pub claim: Option<String>,
    /// The level of reads, instead of R replicas.
    pub read_level: Option<Level>,
    /// The level of writes and deletes, instead of W replicas.
    pub write_level: Option<Level>,
    /// Settings of the store beyond N, R and W.
    pub store: Option<StoreSpec>,
}

impl PlanSpec {
    /// Reads a TOML file's text.
    pub fn from_toml(text: &str, origin: &str) -> Result<PlanSpec, PlanError> {
        toml::from_str(text).map_err(|error| toml_error(&error, origin))
    }

    /// These settings, and those of `base` where these say nothing.
    #[must_use]
    pub fn over(self, base: PlanSpec) -> PlanSpec {
        // A timeline and a list of kinds answer the same question, so the upper one hides both of the lower.
        let (faults, timeline) = if self.faults.is_some() || self.timeline.is_some() {
            (self.faults, self.timeline)
        } else {
            (base.faults, base.timeline)
        };
        PlanSpec {
            profile: self.profile.or(base.profile),
            nodes: self.nodes.or(base.nodes),
            n: self.n.or(base.n),
            r: self.r.or(base.r),
            w: self.w.or(base.w),
            read_fanout: self.read_fanout.or(base.read_fanout),
            read_repair: self.read_repair.or(base.read_repair),
            sync: self.sync.or(base.sync),
            request_timeout: self.request_timeout.or(base.request_timeout),
            op_timeout: self.op_timeout.or(base.op_timeout),
            sabotage: self.sabotage.or(base.sabotage),
            workload: self.workload.or(base.workload),
            clients: self.clients.or(base.clients),
            rate: self.rate.or(base.rate),
            keys: self.keys.or(base.keys),
            reads: self.reads.or(base.reads),
            deletes: self.deletes.or(base.deletes),
            blind: self.blind.or(base.blind),
            lasts: self.lasts.or(base.lasts),
            faults,
            timeline,
            script: self.script.or(base.script),
            seed: self.seed.or(base.seed),
            world: self.world.or(base.world),
            weather: self.weather.or(base.weather),
            claim: self.claim.or(base.claim),
            read_level: self.read_level.or(base.read_level),
            write_level: self.write_level.or(base.write_level),
            store: match (self.store, base.store) {
                (Some(store), Some(base)) => Some(store.over(base)),
                (store, base) => store.or(base),
            },
        }
    }

    /// The name of the first thing that is set, if anything is.
    pub(crate) fn first_setting(&self) -> Option<&'static str> {
        let settings = [
            (self.profile.is_some(), "--profile"),
            (self.nodes.is_some(), "--nodes"),
            (self.n.is_some(), "-N"),
            (self.r.is_some(), "-R"),
            (self.w.is_some(), "-W"),
            (self.read_fanout.is_some(), "--read-fanout"),
            (self.read_repair.is_some(), "--read-repair"),
            (self.sync.is_some(), "--sync"),
            (self.request_timeout.is_some(), "--request-timeout"),
            (self.op_timeout.is_some(), "--op-timeout"),
            (self.sabotage.is_some(), "--sabotage"),
            (self.workload.is_some(), "--workload"),
            (self.clients.is_some(), "--clients"),
            (self.rate.is_some(), "--rate"),
            (self.keys.is_some(), "--keys"),
            (self.reads.is_some(), "--reads"),
            (self.deletes.is_some(), "--deletes"),
            (self.blind.is_some(), "--blind"),
            (self.lasts.is_some(), "--for"),
            (self.faults.is_some(), "--faults"),
            (self.seed.is_some(), "--seed"),
            (self.world.is_some(), "--world"),
            (self.claim.is_some(), "--claim"),
            (self.read_level.is_some(), "--read-level"),
            (self.write_level.is_some(), "--write-level"),
            (
                self.store.as_ref().is_some_and(|store| !store.is_empty()),
                "what is said of the store",
            ),
        ];
        settings
            .into_iter()
            .find_map(|(set, flag)| set.then_some(flag))
    }

    /// The plan: defaults filled in, the timeline expanded from the seed (`fallback_seed` if none is given).
    pub fn plan(&self, fallback_seed: u64) -> Result<Plan, PlanError> {
        if self.profile.is_some() {
            return self.clone().with_profile()?.plan(fallback_seed);
        }
        let seed = self.seed.unwrap_or(fallback_seed);
        let store = self.store()?;
        let load = self.load()?;
        let lasts_ms = match (
            self.lasts.as_deref(),
            load.script.iter().max_by_key(|op| op.at_ns),
        ) {
            (Some(text), _) => parse_duration_ms("for", text)?,
            // It ends with its last operation, whenever that may be.
            (None, Some(_)) if is_cued(&load.script) => CUED_MS_MAX,
            (None, Some(last)) => last.at_ns / 1_000_000 + 1,
            (None, None) => 20_000,
        };
        // A short start without faults, so that the first fault meets a cluster that holds data. A script says when what is written.
        let warm_ms = if load.script.is_empty() {
            (lasts_ms / 10).min(1_000)
        } else {
            0
        };
        let (quiet_ms_min, quiet_ms_max) = quiet_ms(&store);
        let phases = Phases {
            warm_ms,
            storm_ms: lasts_ms - warm_ms,
            quiet_ms_max,
            quiet_ms_min,
        };
        let mut plan = Plan {
            format: FORMAT,
            seed,
            world: self.world()?,
            store,
            load,
            phases,
            timeline: Vec::new(),
            claim: self.claim.as_deref().map(parse_claim).transpose()?,
        };
        // Before its timeline is drawn, too: the storm must have a length that can be filled with faults.
        if self.timeline.is_none() {
            plan.validate()?;
        }
        plan.timeline = self.expanded(&plan.store, plan.phases.storm_ms, seed)?;
        plan.validate()?;
        Ok(plan)
    }

    fn world(&self) -> Result<World, PlanError> {
        match (self.world.as_deref().unwrap_or("live"), self.weather) {
            ("live", None) => Ok(World::Live),
            ("live", Some(_)) => Err(PlanError::Range {
                field: "weather",
                value: "given".to_owned(),
                why: "only the simulated world has one: add --world sim".to_owned(),
            }),
            ("sim", weather) => Ok(World::Sim(weather.unwrap_or_default())),
            (other, _) => Err(unknown("world", other, World::NAMES)),
        }
    }

    fn store(&self) -> Result<StoreConfig, PlanError> {
        let n = self.n.unwrap_or(3);
        // Quorums of more than half, unless told otherwise.
        let majority = n / 2 + 1;
        let sabotage = self
            .sabotage
            .iter()
            .flatten()
            .map(|name| parse_sabotage(name))
            .collect::<Result<_, _>>()?;
        let request_timeout_ms = self
            .request_timeout
            .as_deref()
            .map_or(Ok(500), |text| parse_duration_ms("request-timeout", text))?;
        let said = self.store.clone().unwrap_or_default();
        // A store with a leader is held by all of its nodes.
        let usual_nodes = if said.leader.is_some() { n } else { 5.max(n) };
        Ok(StoreConfig {
            nodes: self.nodes.unwrap_or(usual_nodes),
            tokens_per_node: TOKENS_PER_NODE,
            n,
            r: self.r.unwrap_or(majority),
            w: self.w.unwrap_or(majority),
            read_fanout: match self.read_fanout.as_deref().unwrap_or("quorum") {
                "quorum" => ReadFanout::Quorum,
                "all" => ReadFanout::All,
                other => return Err(unknown("read-fanout", other, ["quorum", "all"])),
            },
            read_repair: match self.read_repair.as_deref().unwrap_or("blocking") {
                "none" => ReadRepair::None,
                "async" => ReadRepair::Async,
                "blocking" => ReadRepair::Blocking,
                other => return Err(unknown("read-repair", other, ["none", "async", "blocking"])),
            },
            sync: self
                .sync
                .as_deref()
                .map_or(Ok(SyncPolicy::EachWrite), parse_sync)?,
            request_timeout_ms,
            sabotage,
            options: said.options(request_timeout_ms)?,
        })
    }

    fn load(&self) -> Result<Load, PlanError> {
        let name = self.workload.as_deref().unwrap_or("register");
        let kind = Kind::from_name(name)
            .ok_or_else(|| unknown("workload", name, Kind::ALL.map(Kind::name)))?;
        let (read_percent, delete_percent) = kind.default_shares();
        let script = self.scripted()?;
        let last_client = script.iter().map(|op| op.client).max();
        let clients = last_client.map_or(8, |last| last.saturating_add(1));
        Ok(Load {
            workload: kind.name().to_owned(),
            clients: self.clients.unwrap_or(clients),
            rate: self.rate.unwrap_or(500),
            keys: self.keys.unwrap_or_else(|| kind.default_keys()),
            read_percent: self.reads.unwrap_or(read_percent),
            delete_percent: self.deletes.unwrap_or(delete_percent),
            op_timeout_ms: self
                .op_timeout
                .as_deref()
                .map_or(Ok(1_000), |text| parse_duration_ms("op-timeout", text))?,
            blind: self.blind.unwrap_or(false),
            read_level: self.read_level,
            write_level: self.write_level,
            script,
        })
    }

    fn scripted(&self) -> Result<Vec<ScriptedOp>, PlanError> {
        let Some(lines) = &self.script else {
            return Ok(Vec::new());
        };
        let said = [
            (self.rate.is_some(), "rate"),
            (self.keys.is_some(), "keys"),
            (self.reads.is_some(), "reads"),
            (self.deletes.is_some(), "deletes"),
        ];
        if let Some((_, field)) = said.into_iter().find(|&(said, _)| said) {
            return Err(PlanError::Range {
                field,
                value: "given".to_owned(),
                why: "the script says what is asked: leave out one of the two".to_owned(),
            });
        }
        lines.iter().map(Line::scripted).collect()
    }

    /// The kinds of fault that may happen; `unsaid` if nothing is said of them.
    pub(crate) fn fault_kinds(&self, unsaid: &[FaultKind]) -> Result<Vec<FaultKind>, PlanError> {
        self.faults
            .as_ref()
            .map_or_else(|| Ok(unsaid.to_vec()), |names| fault_kinds(names))
    }

    fn expanded(
        &self,
        store: &StoreConfig,
        storm_ms: u64,
        seed: u64,
    ) -> Result<Vec<Scheduled>, PlanError> {
        let Some(moments) = &self.timeline else {
            let usual: &[FaultKind] = match &self.script {
                None => &[FaultKind::Kill, FaultKind::Pause, FaultKind::Partition],
                Some(_) => &[],
            };
            let kinds = self.fault_kinds(usual)?;
            let timeline = schedule::timeline(&kinds, store.nodes, storm_ms, seed);
            return ring::among(timeline, &kinds, store, storm_ms, seed);
        };
        let scheduled = (1..).zip(moments);
        let scheduled = scheduled.map(|(number, moment)| moment.scheduled(number, storm_ms));
        let mut timeline: Vec<Scheduled> = scheduled.collect::<Result<_, _>>()?;
        timeline.sort_by_key(|scheduled| scheduled.at_ms);
        Ok(timeline)
    }
}

/// How long the quiet lasts, at least and at most, ms.
///
/// So long may repairs and queues take to drain: hints are handed over some intervals after their owners are back, and each replica
/// must have compared with each other one after the last of that. A node that errs about itself would end it at once, and what it
/// should have done would then not be asked of it: so replicas get the time of one round of comparisons in any case.
fn quiet_ms(store: &StoreConfig) -> (u64, u64) {
    let Options {
        hints,
        anti_entropy,
        ..
    } = &store.options;
    let handoff_ms = match hints.holder {
        HintHolder::Nobody => 0,
        _ => hints
            .interval_ms
            .saturating_mul(4)
            .saturating_add(store.request_timeout_ms),
    };
    let comparing_ms = anti_entropy.interval_ms.map_or(0, |interval_ms| {
        interval_ms.saturating_mul(4 * u64::from(store.nodes))
    });
    let round_ms = anti_entropy.interval_ms.map_or(0, |interval_ms| {
        interval_ms
            .saturating_mul(u64::from(store.nodes))
            .saturating_add(store.request_timeout_ms)
    });
    let most_ms = 2_000_u64
        .saturating_add(handoff_ms)
        .saturating_add(comparing_ms);
    (
        round_ms,
        most_ms.max(round_ms.saturating_add(RESTING_MS_MAX)),
    )
}

fn fault_kinds(names: &[String]) -> Result<Vec<FaultKind>, PlanError> {
    names
        .iter()
        .filter(|name| name.as_str() != "none")
        .map(|name| {
            FaultKind::from_name(name).ok_or_else(|| {
                let known = FaultKind::ALL.map(FaultKind::name);
                unknown("fault", name, known.into_iter().chain(["none"]))
            })
        })
        .collect()
}

fn parse_sabotage(name: &str) -> Result<Sabotage, PlanError> {
    Sabotage::ALL
        .into_iter()
        .find(|sabotage| sabotage.name() == name)
        .ok_or_else(|| unknown("sabotage", name, Sabotage::ALL.map(Sabotage::name)))
}

/// The error for a name that does not exist, with the nearest that does.
pub(crate) fn unknown(
    what: &'static str,
    name: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> PlanError {
    let known: Vec<&str> = known.into_iter().collect();
    PlanError::Unknown {
        what,
        name: name.to_owned(),
        hint: nearest(name, &known)
            .map_or_else(String::new, |near| format!(", did you mean `{near}`?")),
        known: known.join(", "),
    }
}

/// The name most like `name`, if any is much like it.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|&candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|&(likeness, _)| likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// A TOML error with the file, the place, and for an unknown key the nearest known one.
pub(crate) fn toml_error(error: &toml::de::Error, origin: &str) -> PlanError {
    let mut why = error.to_string().trim_end().to_owned();
    let mut quoted = error.message().split('`').skip(1).step_by(2);
    if error.message().starts_with("unknown field")
        && let Some(name) = quoted.next()
    {
        let known: Vec<&str> = quoted.collect();
        if let Some(near) = nearest(name, &known) {
            why.push_str("\ndid you mean `");
            why.push_str(near);
            why.push_str("`?");
        }
    }
    PlanError::Toml {
        origin: origin.to_owned(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use quorate_node::config::{ReadRepair, SyncPolicy};

    use super::PlanSpec;
    use crate::fault::{Fault, FaultKind};
    use crate::plan::{Plan, StoreSpec};

    #[test]
    fn with_nothing_said_the_plan_is_five_nodes_and_majorities() {
        let plan = PlanSpec::default().plan(42).expect("defaults are a plan");
        assert_eq!(
            (plan.store.nodes, plan.store.n, plan.store.r, plan.store.w),
            (5, 3, 2, 2)
        );
        assert_eq!(plan.store.read_repair, ReadRepair::Blocking);
        assert_eq!(plan.store.sync, SyncPolicy::EachWrite);
        assert_eq!(plan.phases.warm_ms + plan.phases.storm_ms, 20_000);
        assert_eq!(plan.seed, 42);
        assert!(plan.timeline.len() > 5);
    }

    #[test]
    fn a_plan_survives_its_file() {
        let spec = PlanSpec {
            faults: Some(FaultKind::ALL.map(|kind| kind.name().to_owned()).to_vec()),
            nodes: Some(6),
            store: Some(StoreSpec {
                membership: Some("gossip".to_owned()),
                ring_members: Some("1,2,3,4,5".to_owned()),
                ..StoreSpec::default()
            }),
            ..PlanSpec::default()
        };
        let plan = spec.plan(3).expect("a plan");
        assert_eq!(
            Plan::from_json(&plan.to_json(), "plan.json").expect("read back"),
            plan
        );
    }

    #[test]
    fn flags_win_over_files() {
        let flags = PlanSpec {
            n: Some(5),
            faults: Some(vec!["clock".into()]),
            ..PlanSpec::default()
        };
        let file = PlanSpec::from_toml("n = 3\nr = 1\nfor = \"5s\"\n[[timeline]]\nat = \"1s\"\nfor = \"1s\"\nfault.kill.nodes = [1]\n", "x.toml")
            .expect("a file");
        let both = flags.over(file);
        assert_eq!(
            (both.n, both.r, both.lasts.as_deref()),
            (Some(5), Some(1), Some("5s"))
        );
        assert_eq!(
            both.timeline, None,
            "kinds on the command line replace a timeline in the file"
        );
    }

    #[test]
    fn a_timeline_by_hand_is_taken_as_it_is() {
        let text =
            "for = \"5s\"\n[[timeline]]\nat = \"2s\"\nfor = \"500ms\"\nfault.kill.nodes = [2, 3]\n";
        let plan = PlanSpec::from_toml(text, "x.toml")
            .expect("a file")
            .plan(1)
            .expect("a plan");
        assert_eq!(plan.timeline.len(), 1);
        assert_eq!(
            (plan.timeline[0].at_ms, plan.timeline[0].for_ms),
            (2_000, 500)
        );
        assert_eq!(plan.timeline[0].fault, Fault::Kill { nodes: vec![2, 3] });
    }

    #[test]
    fn unknown_keys_are_refused_with_place_and_suggestion() {
        let error = PlanSpec::from_toml("nodes = 3\nread-repiar = \"none\"\n", "bad.toml")
            .expect_err("a typo");
        let text = error.to_string();
        assert!(
            text.contains("bad.toml") && text.contains("line 2"),
            "{text}"
        );
        assert!(text.contains("did you mean `read-repair`?"), "{text}");
    }

    #[test]
    fn impossible_plans_are_refused_with_a_reason() {
        let refused = |spec: PlanSpec| spec.plan(1).expect_err("refused").to_string();
        let base = PlanSpec::default;
        assert!(
            refused(PlanSpec {
                r: Some(4),
                ..base()
            })
            .contains("R = 4")
        );
        assert!(
            refused(PlanSpec {
                nodes: Some(2),
                ..base()
            })
            .contains("N = 3")
        );
        assert!(
            refused(PlanSpec {
                workload: Some("registre".into()),
                ..base()
            })
            .contains("did you mean `register`?")
        );
        assert!(
            refused(PlanSpec {
                faults: Some(vec!["kil".into()]),
                ..base()
            })
            .contains("did you mean `kill`?")
        );
        assert!(
            refused(PlanSpec {
                sabotage: Some(vec!["ack-before-synk".into()]),
                ..base()
            })
            .contains("ack-before-sync")
        );
        assert!(
            refused(PlanSpec {
                lasts: Some("soon".into()),
                ..base()
            })
            .contains("duration")
        );
        assert!(
            refused(PlanSpec {
                reads: Some(90),
                deletes: Some(20),
                ..base()
            })
            .contains("100 percent")
        );
        let hasty = PlanSpec {
            op_timeout: Some("100ms".into()),
            ..base()
        };
        assert!(refused(hasty).contains("as long as coordinators"));
    }
}
