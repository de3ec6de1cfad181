//! How scenarios are written: a [`Play`] takes down operations, faults and words one after the other and makes an [`Act`] of them.
//!
//! Everything waits for what was written before it, so that no story rests on how fast a machine is; what is to overlap says so
//! ([`Draft::meanwhile`]). Nothing here runs.

use crate::fault::{Cut, Fault, Link};
use crate::plan::{Ask, Cue, Plan, PlanError, PlanSpec, Scheduled, ScriptedOp, Until, healed_sign};
use crate::world::{Counter, node_name};
use quorate_checkers::Guarantee;
use quorate_node::config::Level;

use super::act::{Act, Answer, Beat, Count, Measured, Replicas, Step, Strike};

/// Longest that an act's script may take, ms. It ends with its last operation; this is for what never comes.
const ACT_MS_MAX: u64 = 60_000;

/// Longest that is waited for queues to drain after an act, ms.
const QUIET_MS_MAX: u64 = 3_000;

/// A store of strict quorums without read repair, whose coordinators and clients are patient with a slow machine.
pub(super) fn store(nodes: u16, [n, r, w]: [u16; 3]) -> PlanSpec {
    PlanSpec {
        nodes: Some(nodes),
        n: Some(n),
        r: Some(r),
        w: Some(w),
        read_repair: Some("none".to_owned()),
        request_timeout: Some("1s".to_owned()),
        op_timeout: Some("4s".to_owned()),
        faults: Some(vec!["none".to_owned()]),
        ..PlanSpec::default()
    }
}

/// The store of a profile with so many nodes, whose coordinators and clients are patient with a slow machine.
pub(super) fn known(profile: &str, nodes: u16) -> PlanSpec {
    PlanSpec {
        profile: Some(profile.to_owned()),
        nodes: Some(nodes),
        request_timeout: Some("1s".to_owned()),
        op_timeout: Some("4s".to_owned()),
        faults: Some(vec!["none".to_owned()]),
        ..PlanSpec::default()
    }
}

/// Every link between these two groups, both ways.
pub(super) fn between(one: &[u16], other: &[u16]) -> Vec<Link> {
    let mut links = towards(one, other);
    links.extend(towards(other, one));
    links
}

/// Every link from one of these to one of those.
pub(super) fn towards(from: &[u16], to: &[u16]) -> Vec<Link> {
    let link = |from: &u16| {
        let from = *from;
        to.iter().map(move |&to| Link { from, to })
    };
    from.iter().flat_map(link).collect()
}

/// An act while it is written.
pub(super) struct Play {
    title: String,
    plan: Plan,
    beats: Vec<Beat>,
    /// What the next thing waits for.
    last: Vec<String>,
    /// What goes on meanwhile.
    open: Vec<String>,
    /// Keys that are taken.
    keys: Vec<String>,
}

/// A fault that was written, to heal it later.
#[derive(Clone, Copy)]
pub(super) struct Struck(usize);

/// An operation while it is written.
pub(super) struct Draft<'a> {
    play: &'a mut Play,
    op: usize,
    beat: usize,
}

impl Play {
    /// An empty act on this store.
    pub(super) fn new(title: &str, spec: &PlanSpec) -> Result<Play, PlanError> {
        let mut plan = spec.plan(1)?;
        plan.phases.warm_ms = 0;
        plan.phases.storm_ms = ACT_MS_MAX;
        // A story has told what it waits for; what a store may still have to do after it is not waited for.
        plan.phases.quiet_ms_max = plan.phases.quiet_ms_max.min(QUIET_MS_MAX);
        plan.phases.quiet_ms_min = 0;
        plan.load.rate = 0;
        plan.load.clients = 1;
        Ok(Play {
            title: title.to_owned(),
            plan,
            beats: Vec::new(),
            last: Vec::new(),
            open: Vec::new(),
            keys: Vec::new(),
        })
    }

    /// With so many places on the ring for each node; to be said before any key is chosen.
    pub(super) fn tokens(&mut self, tokens_per_node: u32) {
        self.plan.store.tokens_per_node = tokens_per_node;
    }

    /// A key of this name, or with a number behind it, whose replicas are exactly these nodes. Each call gives another one.
    pub(super) fn key(&mut self, name: &str, replicas: &[u16]) -> String {
        let replicas_of = self.plan.replicas();
        let mut wanted = replicas.to_vec();
        wanted.sort_unstable();
        let is_one = |key: &String| {
            let mut nodes = replicas_of(key);
            nodes.sort_unstable();
            nodes == wanted && !self.keys.contains(key)
        };
        let names = (1_u32..=100_000).map(|number| match number {
            1 => name.to_owned(),
            more => format!("{name}{more}"),
        });
        // Among so many keys every set of nodes is met; if there is no such set, what is expected of the key says so.
        let key = { names }.find(is_one).unwrap_or_else(|| name.to_owned());
        self.keys.push(key.clone());
        key
    }

    /// Words of the author.
    pub(super) fn tell(&mut self, words: &str) {
        self.beats.push(Beat::Tell(words.to_owned()));
    }

    /// A write of `value`, at n1 by client 0 unless it says otherwise, that is to be acknowledged unless it says otherwise.
    pub(super) fn write(&mut self, key: &str, value: i64) -> Draft<'_> {
        self.ask(key, Ask::Write(value), Answer::Acknowledged)
    }

    /// A delete, likewise.
    pub(super) fn delete(&mut self, key: &str) -> Draft<'_> {
        self.ask(key, Ask::Delete, Answer::Acknowledged)
    }

    /// A read, likewise.
    pub(super) fn read(&mut self, key: &str) -> Draft<'_> {
        self.ask(key, Ask::Read, Answer::Any)
    }

    fn ask(&mut self, key: &str, op: Ask, answer: Answer) -> Draft<'_> {
        let name = self.script(key, op, 1, None);
        self.beats.push(Beat::Step(Step {
            name,
            answer,
            by: None,
            stood_in: None,
            repaired: None,
        }));
        Draft {
            op: self.plan.load.script.len() - 1,
            beat: self.beats.len() - 1,
            play: self,
        }
    }

    /// Writes an operation down that waits for what was before it; returns its name.
    fn script(&mut self, key: &str, op: Ask, node: u16, until: Option<Until>) -> String {
        let script = &mut self.plan.load.script;
        let letter = match op {
            Ask::Read => 'r',
            Ask::Write(_) => 'w',
            Ask::Delete => 'd',
            Ask::Inspect => 'i',
            Ask::Count(_) => 'n',
            Ask::Repair => 'a',
            Ask::FindLeader(_) => 'l',
        };
        let name = format!("{letter}{}", script.len() + 1);
        script.push(ScriptedOp {
            name: Some(name.clone()),
            at_ns: 0,
            after: std::mem::replace(&mut self.last, vec![name.clone()]),
            until,
            client: 0,
            node,
            op,
            key: key.to_owned(),
            level: None,
        });
        name
    }

    /// What these replicas are to hold at this moment; none = nothing.
    pub(super) fn holds(&mut self, key: &str, holds: &[(u16, Option<i64>)]) {
        self.inspect(key, holds, |_| None);
    }

    /// What these replicas are to hold sooner or later; the story goes on when they do.
    pub(super) fn comes_to_hold(&mut self, key: &str, holds: &[(u16, Option<i64>)]) {
        self.inspect(key, holds, |value| {
            Some(value.map_or(Until::Nothing, Until::Value))
        });
    }

    fn inspect(
        &mut self,
        key: &str,
        holds: &[(u16, Option<i64>)],
        until: impl Fn(Option<i64>) -> Option<Until>,
    ) {
        let inspections = holds.iter().map(|&(node, value)| {
            let name = self.script(key, Ask::Inspect, node, until(value));
            (node, name, value)
        });
        let holds = inspections.collect();
        let key = key.to_owned();
        self.beats.push(Beat::Replicas(Replicas { key, holds }));
    }

    /// What this node itself holds of a key.
    pub(super) fn inspect_at(&mut self, key: &str, node: u16) -> Draft<'_> {
        self.ask(key, Ask::Inspect, Answer::Any).at(node)
    }

    /// What this node has counted.
    pub(super) fn count(&mut self, node: u16, counter: Counter) -> Draft<'_> {
        self.ask("", Ask::Count(counter), Answer::Any).at(node)
    }

    /// Tells this node to compare itself with its peers.
    pub(super) fn repair(&mut self, node: u16) -> Draft<'_> {
        self.ask("", Ask::Repair, Answer::Acknowledged).at(node)
    }

    /// Goes on when a leader is found among the nodes from this number upwards, which then has this number.
    pub(super) fn find_leader(&mut self, number: u16) {
        let draft = self.ask("", Ask::FindLeader(number), Answer::Value(Some(1)));
        draft.at(number).op(|op| op.until = Some(Until::Value(1)));
    }

    /// Goes on when this node has connections to so many peers.
    pub(super) fn sees(&mut self, node: u16, peers: u16) {
        let until = Some(Until::Value(peers.into()));
        self.script("", Ask::Count(Counter::Peers), node, until);
    }

    /// Goes on when every node has a connection to every other, both ways.
    pub(super) fn whole(&mut self) {
        let nodes = self.plan.store.nodes;
        for node in 1..=nodes {
            self.sees(node, nodes - 1);
        }
    }

    /// Tells all operations that `write` writes in one line.
    pub(super) fn together(&mut self, words: &str, write: impl FnOnce(&mut Play)) {
        let before = self.beats.len();
        write(self);
        let mut steps = Vec::new();
        for beat in self.beats.split_off(before) {
            match beat {
                Beat::Step(step) => steps.push(step),
                other => self.beats.push(other),
            }
        }
        self.beats.push(Beat::Many(words.to_owned(), steps));
    }

    /// From here on everything waits for what went on meanwhile, too.
    pub(super) fn join(&mut self) {
        self.last.append(&mut self.open);
    }

    /// Cuts these links: traffic is held back until the heal, or lost.
    pub(super) fn cut(&mut self, words: &str, cut: Cut, links: Vec<Link>) -> Struck {
        let shape = words.to_owned();
        self.strike(words, Fault::Partition { shape, cut, links })
    }

    /// `kill -9` of these nodes.
    pub(super) fn kill(&mut self, nodes: &[u16]) -> Struck {
        let words = format!("kill -9 of {}", names(nodes));
        let nodes = nodes.to_vec();
        self.strike(&words, Fault::Kill { nodes })
    }

    /// Delays everything on these links.
    pub(super) fn slow(&mut self, words: &str, links: Vec<Link>, delay_ms: u64) -> Struck {
        let jitter_ms = 0;
        let fault = Fault::Slow {
            links,
            delay_ms,
            jitter_ms,
        };
        self.strike(words, fault)
    }

    /// Sets clocks off, ms each.
    pub(super) fn skew(&mut self, offsets_ms: &[(u16, i64)]) -> Struck {
        let off: Vec<String> = offsets_ms
            .iter()
            .map(|&(node, ms)| format!("the clock of {} is off by {ms} ms", node_name(node)))
            .collect();
        let offsets_ms = offsets_ms.to_vec();
        self.strike(&off.join(", "), Fault::Clock { offsets_ms })
    }

    fn strike(&mut self, words: &str, fault: Fault) -> Struck {
        let id = format!("f{}", self.plan.timeline.len() + 1);
        self.plan.timeline.push(Scheduled {
            id: id.clone(),
            at_ms: 0,
            for_ms: ACT_MS_MAX,
            fault,
            cue: Some(Cue {
                after: std::mem::replace(&mut self.last, vec![id.clone()]),
                until: Vec::new(),
            }),
        });
        let words = words.to_owned();
        self.beats.push(Beat::Begins(Strike { id, words }));
        Struck(self.plan.timeline.len() - 1)
    }

    /// Heals a fault that was done before.
    pub(super) fn heal(&mut self, struck: Struck, words: &str) {
        let Some(scheduled) = self.plan.timeline.get_mut(struck.0) else {
            return;
        };
        let id = scheduled.id.clone();
        let healed = vec![healed_sign(&id)];
        if let Some(cue) = &mut scheduled.cue {
            cue.until = std::mem::replace(&mut self.last, healed);
        }
        let words = words.to_owned();
        self.beats.push(Beat::Ends(Strike { id, words }));
    }

    /// What the final reads are to find.
    pub(super) fn finally(&mut self, key: &str, holds: &[(u16, Option<i64>)]) {
        self.beats.push(Beat::Finally {
            key: key.to_owned(),
            holds: holds.to_vec(),
        });
    }

    /// How many anomalies the checkers are to find.
    pub(super) fn found(&mut self, guarantee: Guarantee, count: Count) {
        self.beats.push(Beat::Found(guarantee, count));
    }

    /// Whether this is to be promised.
    pub(super) fn promised(&mut self, guarantee: Guarantee, promised: bool) {
        self.beats.push(Beat::Promise(guarantee, promised));
    }

    /// Something computed from the whole run.
    pub(super) fn measure(&mut self, measure: fn(&super::Seen) -> Measured) {
        self.beats.push(Beat::Measure(measure));
    }

    /// The act.
    pub(super) fn done(mut self) -> Act {
        let script = &self.plan.load.script;
        let last = script.iter().map(|op| op.client).max().unwrap_or(0);
        self.plan.load.clients = last + 1;
        Act {
            title: self.title,
            plan: self.plan,
            beats: self.beats,
        }
    }
}

impl Draft<'_> {
    fn op(self, change: impl FnOnce(&mut ScriptedOp)) -> Self {
        if let Some(op) = self.play.plan.load.script.get_mut(self.op) {
            change(op);
        }
        self
    }

    fn step(self, change: impl FnOnce(&mut Step)) -> Self {
        if let Some(Beat::Step(step)) = self.play.beats.get_mut(self.beat) {
            change(step);
        }
        self
    }

    /// Asked at this node.
    pub(super) fn at(self, node: u16) -> Self {
        self.op(|op| op.node = node)
    }

    /// Asked so long after what it waits for.
    pub(super) fn later_ms(self, ms: u64) -> Self {
        self.op(|op| op.at_ns = ms.saturating_mul(1_000_000))
    }

    /// Asked by this client.
    pub(super) fn by(self, client: u64) -> Self {
        self.op(|op| op.client = client)
    }

    /// With this R or W instead of the store's.
    pub(super) fn level(self, count: u16) -> Self {
        self.named(Level::Count(count))
    }

    /// At this level instead of R or W.
    pub(super) fn named(self, level: Level) -> Self {
        self.op(|op| op.level = Some(level))
    }

    /// What follows does not wait for it, until [`Play::join`].
    pub(super) fn meanwhile(self) -> Self {
        if let Some(op) = self.play.plan.load.script.get(self.op) {
            self.play.last.clone_from(&op.after);
            self.play.open.extend(op.name.clone());
        }
        self
    }

    /// Asked again until it returns this; none = nothing.
    pub(super) fn comes_to(self, value: impl Into<Option<i64>>) -> Self {
        let value = value.into();
        self.op(|op| op.until = Some(value.map_or(Until::Nothing, Until::Value)))
            .returns(value)
    }

    /// Asked again until it returns these siblings.
    pub(super) fn until_all(self, values: &[i64]) -> Self {
        self.op(|op| op.until = Some(Until::Values(values.to_vec())))
            .returns_all(values)
    }

    /// To return these siblings.
    pub(super) fn returns_all(self, values: &[i64]) -> Self {
        self.step(|step| step.answer = Answer::Siblings(values.to_vec()))
    }

    /// Exactly these are to stand in for replicas.
    pub(super) fn stood_in(self, nodes: &[u16]) -> Self {
        self.step(|step| step.stood_in = Some(nodes.to_vec()))
    }

    /// To be acknowledged by exactly these before the reply.
    pub(super) fn acked_by(self, nodes: &[u16]) -> Self {
        self.step(|step| {
            step.answer = Answer::Acknowledged;
            step.by = Some(nodes.to_vec());
        })
    }

    /// To return this; none = nothing.
    pub(super) fn returns(self, value: impl Into<Option<i64>>) -> Self {
        self.step(|step| step.answer = Answer::Value(value.into()))
    }

    /// Exactly these are to make the reply.
    pub(super) fn answered_by(self, nodes: &[u16]) -> Self {
        self.step(|step| step.by = Some(nodes.to_vec()))
    }

    /// Exactly these are to be repaired, before the reply or after it.
    pub(super) fn repairs(self, nodes: &[u16]) -> Self {
        self.step(|step| step.repaired = Some(nodes.to_vec()))
    }

    /// To fail: certainly without effect.
    pub(super) fn fails(self) -> Self {
        self.step(|step| step.answer = Answer::Failed)
    }

    /// To end with nobody knowing.
    pub(super) fn remains_unknown(self) -> Self {
        self.step(|step| step.answer = Answer::Unknown)
    }

    /// Not to be done, by whatever name.
    pub(super) fn stays_undone(self) -> Self {
        self.step(|step| step.answer = Answer::NotDone)
    }
}

/// `n1 and n3`, `n1, n2 and n3`.
pub(super) fn names(nodes: &[u16]) -> String {
    let names: Vec<String> = nodes.iter().map(|&node| node_name(node)).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
