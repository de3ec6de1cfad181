//! What clients and nodes say to each other, in the words of both: an operation as a request, a response as an outcome.
//!
//! Shared by all worlds, so that a history means the same wherever it was made. How the words travel is each world's business.

use quorate_checkers::history::{Answer, Evidence, Stamp, Value};
use quorate_node::config::NodeId;
use quorate_node::wire::{self, Quorum, Request, Response};

use super::{ClientOp, OpKind, Outcome, node_name};

/// What to ask a node for `op`.
pub(super) fn request(op: &ClientOp) -> Request {
    let key = op.key.clone();
    let quorum = Quorum {
        level: op.level,
        ..Quorum::default()
    };
    match op.f {
        OpKind::Read => Request::get(key, quorum),
        OpKind::Write(value) => Request::put(key, value.to_string(), quorum),
        OpKind::Delete => Request::delete(key, quorum),
        OpKind::Census => Request::Inspect { key },
    }
}

/// What a node's answer means to a client that asked for `f`.
pub(super) fn outcome(f: OpKind, response: Response) -> Outcome {
    match (f, response) {
        (
            OpKind::Read | OpKind::Census,
            Response::Value {
                values, evidence, ..
            },
        ) => Outcome::Ok {
            value: told(&values),
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

/// What a read returned: nothing, a value, or siblings.
fn told(values: &[Vec<u8>]) -> Value {
    match values {
        [] => Value::Nil,
        [value] => value_of(value),
        siblings => {
            let mut siblings: Vec<Value> = siblings.iter().map(|bytes| value_of(bytes)).collect();
            siblings.sort_by_key(|value| match value {
                Value::Int(value) => (false, *value),
                _ => (true, 0),
            });
            let json = siblings.into_iter().map(|value| match value {
                Value::Int(value) => serde_json::Value::from(value),
                Value::Json(json) => *json,
                Value::Nil => serde_json::Value::Null,
            });
            Value::Json(Box::new(json.collect()))
        }
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
        extra: stood_in(&evidence.fallbacks, &evidence.hinted),
    })
}

/// Who stood in for replicas, and for whom hints are kept; nothing in most histories.
fn stood_in(
    fallbacks: &[NodeId],
    hinted: &[(NodeId, NodeId)],
) -> serde_json::Map<String, serde_json::Value> {
    let mut extra = serde_json::Map::new();
    if !fallbacks.is_empty() {
        extra.insert("fallbacks".to_owned(), names(fallbacks).into());
    }
    if !hinted.is_empty() {
        let hint = |(owner, holder): &(NodeId, NodeId)| serde_json::json!({ "for": owner.to_string(), "at": holder.to_string() });
        extra.insert("hinted".to_owned(), hinted.iter().map(hint).collect());
    }
    extra
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
