//! A client of the live world: one connection at a time, one operation at a time.
//!
//! It says what it knows and no more. What was certainly never sent is `fail`; what was sent and not answered is
//! unknown. It does not retry: a second try would be a second operation.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use quorate_checkers::history::{Answer, Evidence, Stamp, Value};
use quorate_node::config::NodeId;
use quorate_node::wire::{self, Request, Response};
use tokio::time::{Instant, timeout_at};

use super::connection::{Broken, Connection};
use super::roster::{Incarnation, Roster};
use crate::world::{ClientOp, OpKind, Outcome, node_name};

/// A client with at most one connection at a time.
#[derive(Debug)]
pub struct LiveClient {
    roster: Arc<Roster>,
    line: Option<Line>,
}

/// A connection, and the process at its other end.
#[derive(Debug)]
struct Line {
    node: u16,
    incarnation: Incarnation,
    connection: Connection,
}

impl LiveClient {
    /// A client that is not yet connected, and dials the nodes of `roster`.
    pub fn new(roster: Arc<Roster>) -> LiveClient {
        LiveClient { roster, line: None }
    }

    /// Asks `node` to do `op`; if that takes longer than `limit`, connecting included, nobody knows.
    pub async fn invoke(&mut self, node: u16, op: &ClientOp, limit: Duration) -> Outcome {
        let deadline = Instant::now() + limit;
        // Taken out, so that it is gone unless it is put back: an unfinished request spoils a connection.
        let mut line = match self.line_to(node, deadline).await {
            Ok(line) => line,
            Err(error) => {
                return Outcome::Fail {
                    error,
                    evidence: None,
                };
            }
        };
        let asked = timeout_at(deadline, line.connection.ask(request(op))).await;
        match asked {
            Ok(Ok(response)) => {
                self.line = Some(line);
                outcome(op.f, response)
            }
            Ok(Err(error @ Broken::Request(_))) => fail(error),
            Ok(Err(error)) => Outcome::unknown(op.f, error.to_string(), None),
            Err(_) => Outcome::unknown(op.f, format!("no reply within {limit:?}"), None),
        }
    }

    /// The connection that we have, if it still leads to the process that is `node` now, or else a new one.
    async fn line_to(&mut self, node: u16, deadline: Instant) -> Result<Line, String> {
        let kept = self.line.take();
        let down = || format!("{} is down", node_name(node));
        let entry = self.roster.find(node).ok_or_else(down)?;
        if let Some(mut line) = kept
            && line.node == node
            && line.incarnation == entry.incarnation
            && line.connection.is_alive()
        {
            return Ok(line);
        }
        let failed = |why: &dyn Display| format!("cannot connect to {}: {why}", node_name(node));
        let dialled = timeout_at(deadline, Connection::dial(entry.client_address())).await;
        let dialled = dialled.map_err(|_| failed(&"it takes too long"))?;
        let connection = dialled.map_err(|error| failed(&error))?;
        Ok(Line {
            node,
            incarnation: entry.incarnation,
            connection,
        })
    }
}

fn request(op: &ClientOp) -> Request {
    let key = op.key.clone();
    // A level beyond 65,535 is beyond every N: the node refuses it as it is.
    let level = op
        .level
        .map(|level| u16::try_from(level).unwrap_or(u16::MAX));
    match op.f {
        OpKind::Read => Request::Get { key, r: level },
        OpKind::Write(value) => {
            let value = value.to_string().into_bytes();
            Request::Put {
                key,
                value,
                w: level,
            }
        }
        OpKind::Delete => Request::Delete { key, w: level },
        OpKind::Census => Request::Inspect { key },
    }
}

fn outcome(f: OpKind, response: Response) -> Outcome {
    match (f, response) {
        (OpKind::Read | OpKind::Census, Response::Value { value, evidence }) => Outcome::Ok {
            value: value.map_or(Value::Nil, |bytes| value_of(&bytes)),
            evidence: Some(evidence_of(evidence)),
        },
        (OpKind::Write(value), Response::Written { evidence }) => Outcome::Ok {
            value: Value::Int(value),
            evidence: Some(evidence_of(evidence)),
        },
        (OpKind::Delete, Response::Written { evidence }) => Outcome::Ok {
            value: Value::Nil,
            evidence: Some(evidence_of(evidence)),
        },
        (_, Response::Refused { why }) => fail(why),
        (f, Response::Unknown { why, evidence }) => {
            Outcome::unknown(f, why, Some(evidence_of(evidence)))
        }
        (f, other) => Outcome::unknown(f, format!("the node answered {other:?}"), None),
    }
}

fn fail(error: impl Display) -> Outcome {
    Outcome::Fail {
        error: error.to_string(),
        evidence: None,
    }
}

/// Values travel as decimal digits. Anything else was written by nobody, and is handed on as it is, for the checkers.
fn value_of(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    match text.parse::<i64>() {
        // Only the one spelling that we write: `+7` and `007` are not ours.
        Ok(value) if value.to_string() == text => Value::Int(value),
        _ => Value::Json(Box::new(serde_json::Value::String(text.into_owned()))),
    }
}

fn evidence_of(evidence: wire::Evidence) -> Box<Evidence> {
    let answer = |(node, version): (NodeId, Option<wire::Stamp>)| Answer {
        node: node.to_string(),
        version: version.map(stamp_of),
    };
    Box::new(Evidence {
        version: evidence.version.map(stamp_of),
        epoch: Some(evidence.epoch),
        acked_by: names(&evidence.acked_by),
        answered_by: evidence.answered_by.into_iter().map(answer).collect(),
        repaired: names(&evidence.repaired),
        extra: serde_json::Map::new(),
    })
}

fn stamp_of(stamp: wire::Stamp) -> Stamp {
    Stamp {
        wall_ns: stamp.wall_ns,
        node: node_name(stamp.node),
    }
}

fn names(nodes: &[NodeId]) -> Vec<String> {
    nodes.iter().map(NodeId::to_string).collect()
}
