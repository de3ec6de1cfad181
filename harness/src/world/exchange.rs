//! What clients and nodes say to each other, in the words of both: an operation as a request, a response as an outcome.
//!
//! Shared by all worlds, so that a history means the same wherever it was made. How the words travel is each world's business.

use quorate_checkers::history::{Answer, Evidence, Stamp, Value};
use quorate_node::config::NodeId;
use quorate_node::wire::{self, Context, Quorum, Request, Response};

use super::{ClientOp, OpKind, Outcome, Returned, Wanted, node_name};

/// What to ask a node for `op`, which is stamped by its client if there is a stamp.
pub(super) fn request(op: &ClientOp, stamp_ns: Option<i64>) -> Request {
    let key = op.key.clone();
    let quorum = Quorum {
        level: op.level,
        ..Quorum::default()
    };
    let context = op.context.clone();
    let put = |value: String| Request::Put {
        key: key.clone(),
        value: value.into_bytes(),
        quorum,
        context: context.clone(),
        stamp_ns,
    };
    match &op.f {
        OpKind::Read => Request::get(key, quorum),
        OpKind::Write(value) => put(value.to_string()),
        OpKind::WriteSet(set) => put(spelled(set)),
        OpKind::Delete => Request::Delete {
            key,
            quorum,
            context,
            stamp_ns,
        },
        OpKind::Census | OpKind::Inspect => Request::Inspect { key },
        OpKind::Count(_) | OpKind::FindLeader(_) => Request::Status,
        OpKind::Repair => Request::Repair,
    }
}

/// A set as it travels: `[1,2]`.
fn spelled(set: &[i64]) -> String {
    let elements: Vec<String> = set.iter().map(i64::to_string).collect();
    format!("[{}]", elements.join(","))
}

/// What a node's answer means to a client that asked for `op`.
pub(super) fn outcome(op: &ClientOp, response: Response) -> Outcome {
    match (&op.f, response) {
        (
            OpKind::Read | OpKind::Census | OpKind::Inspect,
            Response::Value {
                values,
                context,
                evidence,
            },
        ) => {
            let values = values.iter().map(|bytes| value_of(bytes)).collect();
            read(op.wanted, values, context, evidence)
        }
        (
            OpKind::Write(_) | OpKind::WriteSet(_) | OpKind::Delete,
            Response::Written { evidence },
        ) => Outcome::Ok {
            value: op.f.written(),
            returned: None,
            evidence: Some(evidence_of(evidence)),
        },
        (OpKind::Count(counter), Response::Status(status)) => Outcome::Ok {
            value: Value::Int(i64::try_from(counter.of(&status)).unwrap_or(i64::MAX)),
            returned: None,
            evidence: None,
        },
        (OpKind::FindLeader(_), Response::Status(status)) => Outcome::Ok {
            value: Value::Int(status.led.is_some_and(|led| led.leads).into()),
            returned: None,
            evidence: None,
        },
        (OpKind::Repair, Response::Done) => Outcome::Ok {
            value: Value::Nil,
            returned: None,
            evidence: None,
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
fn read(
    wanted: Wanted,
    mut values: Vec<Value>,
    context: Context,
    evidence: wire::Evidence,
) -> Outcome {
    // Sets have no order of their own that a history could show; any that is always the same will do.
    values.sort_by_cached_key(|value| match value {
        Value::Int(value) => (*value, String::new()),
        other => (i64::MAX, other.to_string()),
    });
    let value = match (wanted, values.as_slice()) {
        (Wanted::Value | Wanted::Context, []) => Value::Nil,
        (Wanted::Value | Wanted::Context, [value]) => value.clone(),
        (_, siblings) => listed(siblings),
    };
    Outcome::Ok {
        value,
        returned: (wanted != Wanted::Value).then(|| Box::new(Returned { values, context })),
        evidence: Some(evidence_of(evidence)),
    }
}

/// Siblings as one value.
fn listed(siblings: &[Value]) -> Value {
    let json = siblings.iter().map(|value| match value {
        Value::Int(value) => serde_json::Value::from(*value),
        Value::Json(json) => (**json).clone(),
        Value::Nil => serde_json::Value::Null,
    });
    Value::Json(Box::new(json.collect()))
}

/// Values travel as decimal digits, and sets as lists of such. Anything else was written by nobody, and is handed on as it is, for the checkers.
fn value_of(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    match text.parse::<i64>() {
        // Only the one spelling that we write: `+7` and `007` are not ours.
        Ok(value) if value.to_string() == text => Value::Int(value),
        _ => Value::Json(Box::new(
            set_of(&text).unwrap_or_else(|| serde_json::Value::String(text.into_owned())),
        )),
    }
}

/// A set in the one spelling that we write.
fn set_of(text: &str) -> Option<serde_json::Value> {
    if !text.starts_with('[') {
        return None;
    }
    let set: Vec<i64> = serde_json::from_str(text).ok()?;
    (spelled(&set) == text).then(|| set.into())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(values: &[&str], wanted: Wanted) -> Outcome {
        let op = ClientOp {
            wanted,
            ..ClientOp::new(OpKind::Read, "k", None)
        };
        let response = Response::Value {
            values: values
                .iter()
                .map(|value| value.as_bytes().to_vec())
                .collect(),
            context: Context(vec![9]),
            evidence: wire::Evidence::default(),
        };
        outcome(&op, response)
    }

    fn value(outcome: &Outcome) -> String {
        match outcome {
            Outcome::Ok { value, .. } => value.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn siblings_are_a_list_in_ascending_order_even_one_alone() {
        assert_eq!(value(&answer(&["10", "9"], Wanted::Siblings)), "[9,10]");
        assert_eq!(value(&answer(&["9"], Wanted::Siblings)), "[9]");
        assert_eq!(value(&answer(&[], Wanted::Siblings)), "[]");
        assert_eq!(value(&answer(&["[1,2]"], Wanted::Siblings)), "[[1,2]]");
    }

    #[test]
    fn a_register_is_one_value() {
        assert_eq!(value(&answer(&["9"], Wanted::Value)), "9");
        assert_eq!(value(&answer(&[], Wanted::Context)), "nothing");
        assert_eq!(value(&answer(&["[1,2]"], Wanted::Context)), "[1,2]");
    }

    #[test]
    fn what_is_no_set_of_ours_stays_a_text() {
        for text in ["[1, 2]", "[1,]", "[01]", "[1.5]", "["] {
            assert_eq!(value(&answer(&[text], Wanted::Value)), format!("{text:?}"));
        }
    }

    #[test]
    fn who_wants_a_context_gets_it_and_hands_it_back() {
        let Outcome::Ok {
            returned: Some(returned),
            ..
        } = answer(&["9"], Wanted::Context)
        else {
            panic!("nothing was returned");
        };
        assert_eq!(returned.values, [Value::Int(9)]);
        let write = ClientOp {
            context: Some(returned.context),
            ..ClientOp::new(OpKind::WriteSet([1, 2].into()), "k", None)
        };
        let expected = Request::Put {
            key: "k".to_owned(),
            value: b"[1,2]".to_vec(),
            quorum: Quorum::default(),
            context: Some(Context(vec![9])),
            stamp_ns: None,
        };
        assert_eq!(request(&write, None), expected);
    }
}
