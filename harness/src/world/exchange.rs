//! What clients and nodes say to each other, in the words of both: an operation as a request, a response as an outcome.
//!
//! Shared by all worlds, so that a history means the same wherever it was made. How the words travel is each world's business.

use quorate_checkers::history::{Answer, Evidence, Stamp, Value};
use quorate_node::config::NodeId;
use quorate_node::wire::{self, Request, Response};

use super::{ClientOp, OpKind, Outcome, node_name};

/// What to ask a node for `op`.
pub(super) fn request(op: &ClientOp) -> Request {
    let key = op.key.clone();
    // A level beyond 65,535 is beyond every N: the node refuses it as it is.
    let level = op
        .level
        .map(|level| u16::try_from(level).unwrap_or(u16::MAX));
    match op.f {
        OpKind::Read => Request::Get {
            key,
            n: None,
            r: level,
        },
        OpKind::Write(value) => {
            let value = value.to_string().into_bytes();
            Request::Put {
                key,
                value,
                n: None,
                w: level,
            }
        }
        OpKind::Delete => Request::Delete {
            key,
            n: None,
            w: level,
        },
        OpKind::Census => Request::Inspect { key },
    }
}

/// What a node's answer means to a client that asked for `f`.
pub(super) fn outcome(f: OpKind, response: Response) -> Outcome {
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
        (_, Response::Refused { why }) => Outcome::Fail {
            error: why,
            evidence: None,
        },
        (f, Response::Unknown { why, evidence }) => {
            Outcome::unknown(f, why, Some(evidence_of(evidence)))
        }
        (f, other) => Outcome::unknown(f, format!("the node answered {other:?}"), None),
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
