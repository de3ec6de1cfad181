//! The state machine inside a node, whichever kind of store it belongs to: a leaderless [`Replica`], or one node of a store with a leader.
//!
//! It decides nothing: it hands everything on, in the words of the one or the other. Shells and simulators know only this.

use std::time::Duration;

use crate::config::{Level, NodeId, StoreConfig};
use crate::wire::{self, Context, Evidence, Led, Request, Response, Status};

use super::content::Content;
use super::histogram::Took;
use super::interface::{Input, Output};
use super::leader::{
    Ask, Change, Grounds, LeaderInput, LeaderNode, LeaderOutput, LeaderReply, Position, Reads, Role,
};
use super::message::PeerMessage;
use super::record::Record;
use super::replica::Replica;
use super::snapshot::Snapshot;
use super::time::{Nanos, Now};
use super::version::{Key, Version};

/// The state machine inside a node.
#[derive(Debug)]
pub struct Machine(Kind);

#[derive(Debug)]
enum Kind {
    Leaderless(Box<Replica>),
    Led(Box<LeaderNode>),
}

impl Machine {
    /// The state after a start: everything in the log, nothing under way, no peer connected. `epoch` must be larger than in every earlier
    /// life of this node, and `records` in the order in which they were persisted.
    pub fn recover(
        config: StoreConfig,
        me: NodeId,
        epoch: u64,
        records: impl IntoIterator<Item = Record>,
    ) -> Machine {
        let Some(leader) = config.options.leader else {
            let replica = Replica::recover(config, me, epoch, records);
            return Machine(Kind::Leaderless(Box::new(replica)));
        };
        let peers = (1..=config.nodes).map(NodeId);
        let records = records.into_iter().filter_map(|record| match record {
            Record::Led(record) => Some(record),
            _ => None,
        });
        let node = LeaderNode::recover(leader, me, peers, epoch, records);
        Machine(Kind::Led(Box::new(node)))
    }

    /// Takes one input; returns everything that must happen because of it, in order. Deterministic in (state, now, input).
    pub fn step(&mut self, now: Now, input: Input) -> Vec<Output> {
        match &mut self.0 {
            Kind::Leaderless(replica) => replica.step(now, input),
            Kind::Led(node) => led_step(node, now, input),
        }
    }

    /// When the next [`Input::Tick`] is due. Changes with every step.
    pub fn deadline(&self) -> Option<Nanos> {
        match &self.0 {
            Kind::Leaderless(replica) => replica.deadline(),
            Kind::Led(node) => node.deadline(),
        }
    }

    /// How busy the node is, and what it has done. Queues and clocks are the shell's to add.
    pub fn status(&self) -> Status {
        match &self.0 {
            Kind::Leaderless(replica) => replica.status(),
            Kind::Led(node) => led_status(node),
        }
    }

    /// How long what was coordinated here took, since the start; a store with a leader does not measure it.
    pub fn took(&self) -> Took {
        match &self.0 {
            Kind::Leaderless(replica) => replica.took().clone(),
            Kind::Led(_) => Took::default(),
        }
    }

    /// What 99 of 100 of the last 128 reads answered here did not exceed; none if there were too few to tell.
    pub fn read_p99(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Leaderless(replica) => replica.read_p99(),
            Kind::Led(_) => None,
        }
    }

    /// Keys held here and visible, tombstones included, and what they take of memory by the node's reckoning, bytes. Of a store with a leader,
    /// entries of the log and the bytes of their keys and values.
    pub fn held(&self) -> (u64, u64) {
        match &self.0 {
            Kind::Leaderless(replica) => (replica.keys_held(), replica.bytes_held()),
            Kind::Led(node) => {
                let bytes = |change: &Change| {
                    let value = change.value.as_ref().map_or(0, |value| value.len());
                    (change.key.as_str().len() + value) as u64
                };
                let changes = node.entries().filter_map(|entry| entry.change.as_ref());
                let held = changes.map(bytes);
                held.fold((0, 0), |(count, sum), bytes| (count + 1, sum + bytes))
            }
        }
    }

    /// Comparisons with a peer that have come to their end since the start.
    pub fn comparisons(&self) -> u64 {
        match &self.0 {
            Kind::Leaderless(replica) => replica.comparisons(),
            Kind::Led(_) => 0,
        }
    }

    /// What a read of this node alone sees of a key now; none if nothing.
    pub fn visible(&self, key: &str) -> Option<Content> {
        match &self.0 {
            Kind::Leaderless(replica) => replica.visible(key).cloned(),
            Kind::Led(node) => {
                let entry = node.visible(&key.into())?;
                let change = entry.change.as_ref()?;
                Some(Content::One(Version {
                    stamp: entry.position.stamp(),
                    value: change.value.clone(),
                }))
            }
        }
    }

    /// Begins a snapshot: what is persisted from now on belongs to the log after it.
    pub fn begin_snapshot(&self) -> Snapshot {
        match &self.0 {
            Kind::Leaderless(replica) => replica.begin_snapshot(),
            Kind::Led(_) => Snapshot::of_all(self.snapshot().collect()),
        }
    }

    /// The next piece of a snapshot that this node began; no records after the last.
    pub fn next_piece(&self, snapshot: &mut Snapshot) -> Vec<Record> {
        match &self.0 {
            Kind::Leaderless(replica) => replica.next_piece(snapshot),
            Kind::Led(_) => snapshot.next_of_rest(),
        }
    }

    /// Records that [`Machine::recover`] to what is held now, including what is on its way to the log.
    pub fn snapshot(&self) -> Box<dyn Iterator<Item = Record> + '_> {
        match &self.0 {
            Kind::Leaderless(replica) => Box::new(replica.snapshot()),
            Kind::Led(node) => Box::new(node.snapshot().map(Record::Led)),
        }
    }
}

fn led_status(node: &LeaderNode) -> Status {
    let status = node.status();
    Status {
        epoch: status.epoch,
        // A store with a leader is at rest when there is one, and everybody whom it reaches has all of its log.
        coordinating: status.pending + node.behind() + u64::from(status.leader.is_none()),
        unsynced: status.unsynced,
        connected: status.connected.clone(),
        led: Some(Box::new(Led {
            leads: status.role == Role::Leader,
            status,
            phases: node.phases().copied().collect(),
        })),
        ..Status::default()
    }
}

fn led_step(node: &mut LeaderNode, now: Now, input: Input) -> Vec<Output> {
    let input = match input {
        Input::Peer {
            from,
            message: PeerMessage::Led(message),
        } => LeaderInput::Peer { from, message },
        // From a node of another kind of store.
        Input::Peer { .. } => return Vec::new(),
        Input::PeerUp(peer) => LeaderInput::PeerUp(peer),
        Input::PeerDown(peer) => LeaderInput::PeerDown(peer),
        Input::Persisted(token) => LeaderInput::Persisted(token),
        Input::Tick => LeaderInput::Tick,
        Input::Client { tag, request } => match ask(node, request) {
            Ok(ask) => LeaderInput::Client { tag, ask },
            Err(response) => {
                let response = *response;
                return vec![Output::Reply { tag, response }];
            }
        },
    };
    let (me, epoch) = (node.id(), node.status().epoch);
    let told = |output| match output {
        LeaderOutput::Send { to, message } => {
            let message = PeerMessage::Led(message);
            Output::Send { to, message }
        }
        LeaderOutput::Persist { token, record } => {
            let record = Record::Led(record);
            Output::Persist { token, record }
        }
        LeaderOutput::Reply { tag, reply } => {
            let response = response(reply, me, epoch);
            Output::Reply { tag, response }
        }
    };
    node.step(now, input).into_iter().map(told).collect()
}

/// What a client's request asks of a node of a store with a leader, or the answer if it asks for nothing that such a store does.
fn ask(node: &LeaderNode, request: Request) -> Result<Ask, Box<Response>> {
    let refused = |why: String| Err(Box::new(Response::Refused { why }));
    let check = |key: &str, value: &[u8]| {
        let (keys, values) = (wire::KEY_BYTES_MAX, wire::VALUE_BYTES_MAX);
        if key.len() > keys {
            let bytes = key.len();
            return Err(format!("a key of {bytes} bytes: at most {keys} are held"));
        }
        if value.len() > values {
            let bytes = value.len();
            return Err(format!(
                "a value of {bytes} bytes: at most {values} are held"
            ));
        }
        Ok(Key::from(key))
    };
    let asked = match request {
        Request::Get { key, quorum } => check(&key, &[]).map(|key| Ask::Get {
            key,
            // One replica is enough: whichever was asked. Everything else is up to the leader.
            from: match quorum.level {
                Some(Level::One | Level::LocalOne) => Some(Reads::Any),
                Some(Level::Count(_)) | None => None,
                Some(_) => Some(Reads::Leader),
            },
        }),
        Request::Put { key, value, .. } => check(&key, &value).map(|key| Ask::Put {
            key,
            value: value.into(),
        }),
        Request::Delete { key, .. } => check(&key, &[]).map(|key| Ask::Delete { key }),
        Request::Inspect { key } => check(&key, &[]).map(|key| Ask::Inspect { key }),
        Request::Status => return Err(Box::new(Response::Status(Box::new(led_status(node))))),
        Request::Repair => {
            Err("a store with a leader has no anti-entropy: followers copy its log".to_owned())
        }
        Request::Hints => return Err(Box::new(Response::Hints(Vec::new()))),
        Request::Ring { .. } | Request::ChangeRing(_) => {
            Err("a store with a leader has no ring: every node holds every key".to_owned())
        }
        Request::Health | Request::Metrics | Request::SetClockOffset { .. } => {
            Err("a node has no clock: ask the process around it".to_owned())
        }
    };
    asked.or_else(refused)
}

/// What a node of a store with a leader says, in the words that clients know.
fn response(reply: LeaderReply, me: NodeId, epoch: u64) -> Response {
    let evidence = |position: Option<Position>| Evidence {
        coordinator: me.0,
        epoch,
        version: position.map(Position::stamp),
        ..Evidence::default()
    };
    match reply {
        LeaderReply::Value { value, grounds } => {
            let Grounds {
                served_by,
                position,
                ..
            } = grounds;
            let stamp = position.map(Position::stamp);
            Response::Value {
                values: value.iter().map(|value| value.to_vec()).collect(),
                context: Context::default(),
                evidence: Evidence {
                    answered_by: vec![(served_by, stamp)],
                    ..evidence(position)
                },
            }
        }
        LeaderReply::Written { grounds } => Response::Written {
            evidence: Evidence {
                acked_by: grounds.acked_by,
                ..evidence(grounds.position)
            },
        },
        LeaderReply::Refused { why } => Response::Refused { why },
        LeaderReply::Unknown { why, position } => Response::Unknown {
            why,
            evidence: evidence(position),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::leader::LeaderConfig;
    use crate::protocol::tests::cluster::config;
    use crate::protocol::{Tag, WallNanos};
    use crate::wire::Quorum;

    /// A node alone: it leads itself, and everything it wants is done at once.
    fn alone(epoch: u64, records: Vec<Record>) -> (Machine, Now) {
        let mut config = config(1, 1, 1);
        config.options.leader = Some(LeaderConfig::DYNAMODB.scaled_down(10));
        let mut machine = Machine::recover(config, NodeId(1), epoch, records);
        let mut now = Now::default();
        for _ in 0..20 {
            let due = machine.deadline().expect("it waits for leaders, or is one");
            now.monotonic = due.max(now.monotonic.after(Duration::from_millis(1)));
            drive(&mut machine, now, Input::Tick);
        }
        (machine, now)
    }

    fn drive(machine: &mut Machine, now: Now, input: Input) -> Vec<Response> {
        let mut replies = Vec::new();
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for output in machine.step(now, input) {
                match output {
                    Output::Reply { response, .. } => replies.push(response),
                    Output::Persist { token, .. } => inputs.push(Input::Persisted(token)),
                    Output::Send { .. } => panic!("it is alone"),
                }
            }
        }
        replies
    }

    fn call(machine: &mut Machine, now: Now, request: Request) -> Response {
        let tag = Tag {
            connection: 1,
            request: 1,
        };
        let mut replies = drive(machine, now, Input::Client { tag, request });
        assert_eq!(replies.len(), 1, "{replies:?}");
        replies.remove(0)
    }

    #[test]
    fn a_led_node_speaks_the_words_of_all_nodes() {
        let (mut machine, now) = alone(1, Vec::new());
        assert_eq!(now.wall, WallNanos(0), "it reads no wall clock");
        let written = call(&mut machine, now, Request::put("k", "1", Quorum::default()));
        assert!(
            matches!(&written, Response::Written { evidence } if evidence.acked_by == [NodeId(1)]),
            "{written:?}"
        );
        let read = call(&mut machine, now, Request::get("k", Quorum::default()));
        assert!(
            matches!(&read, Response::Value { values, .. } if *values == [b"1"]),
            "{read:?}"
        );
        assert_eq!(
            machine.visible("k").map(|held| held.values(true)),
            Some(vec![b"1".to_vec()])
        );
        let status = machine.status();
        assert!(status.led.is_some_and(|led| led.leads));
        assert_eq!(status.coordinating, 0);
        let refused = call(&mut machine, now, Request::Repair);
        assert!(matches!(refused, Response::Refused { .. }));
        let long = Request::get("k".repeat(2_000), Quorum::default());
        assert!(matches!(
            call(&mut machine, now, long),
            Response::Refused { .. }
        ));
    }

    #[test]
    fn a_led_node_recovers_from_its_own_records() {
        let (mut machine, now) = alone(1, Vec::new());
        call(&mut machine, now, Request::put("k", "1", Quorum::default()));
        let records: Vec<Record> = machine.snapshot().collect();
        assert!(
            records
                .iter()
                .all(|record| matches!(record, Record::Led(_)))
        );
        let (again, _) = alone(2, records);
        assert!(again.visible("k").is_some());
    }
}
