//! What nodes answered, for people and for programs.

use std::fmt::Write as _;

use quorate_node::config::NodeId;
use quorate_node::wire::{Evidence, Health, HintsKept, Response, RingView, Stamp};
use serde_json::{Value as Json, json};

use super::context::{bytes_as_hex, hex};
use crate::report::style::{Style, Tone};

/// An answer in words; with the name of its node where several were asked.
pub(super) fn text(name: Option<&str>, response: &Response, style: Style) -> String {
    let mut out = String::new();
    match response {
        Response::Value {
            values,
            context,
            evidence,
        } => {
            match values.as_slice() {
                [] => line(&mut out, name, "(nothing)"),
                [value] => line(&mut out, name, &shown(value)),
                siblings => {
                    line(&mut out, name, &format!("{} siblings:", siblings.len()));
                    for value in siblings {
                        let _ = writeln!(out, "  {}", shown(value));
                    }
                }
            }
            if name.is_none() {
                tell_evidence(&mut out, evidence, style);
                fact(&mut out, style, "context", &hex(context));
            } else if let Some(version) = evidence.version {
                fact(&mut out, style, "version", &stamp(version));
            }
        }
        Response::Written { evidence } => {
            line(&mut out, name, "written");
            tell_evidence(&mut out, evidence, style);
        }
        Response::Refused { why } => {
            line(&mut out, name, &format!("refused: {why}"));
        }
        Response::Unknown { why, evidence } => {
            line(&mut out, name, &format!("unknown: {why}"));
            tell_evidence(&mut out, evidence, style);
        }
        Response::Done => line(&mut out, name, "done"),
        Response::Status(status) => line(&mut out, name, &format!("{status:?}")),
        Response::Hints(kept) => tell_hints(&mut out, name, kept),
        Response::Ring(ring) => tell_ring(&mut out, ring, style),
        Response::Health(health) => tell_health(&mut out, health, style),
        Response::Metrics { text } => out.push_str(text),
    }
    out
}

fn line(out: &mut String, name: Option<&str>, text: &str) {
    let _ = match name {
        Some(name) => writeln!(out, "{name:<5} {text}"),
        None => writeln!(out, "{text}"),
    };
}

fn fact(out: &mut String, style: Style, what: &str, text: &str) {
    let what = style.paint(Tone::Faint, &format!("  {what:<12}"));
    let _ = writeln!(out, "{what} {text}");
}

/// A value as text, or as hex digits if it is none.
fn shown(value: &[u8]) -> String {
    match str::from_utf8(value) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => format!("0x{}", bytes_as_hex(value)),
    }
}

fn stamp(stamp: Stamp) -> String {
    let Stamp { wall_ns, node } = stamp;
    let time = jiff::Timestamp::from_nanosecond(wall_ns.into());
    let time = time.map_or_else(|_| format!("{wall_ns} ns"), |time| time.to_string());
    match node {
        0 => time,
        node => format!("{time} by {}", NodeId(node)),
    }
}

fn names<'a>(nodes: impl IntoIterator<Item = &'a NodeId>) -> String {
    let names: Vec<String> = nodes.into_iter().map(NodeId::to_string).collect();
    names.join(" ")
}

fn tell_evidence(out: &mut String, evidence: &Evidence, style: Style) {
    if let Some(version) = evidence.version {
        fact(out, style, "version", &stamp(version));
    }
    fact(
        out,
        style,
        "asked",
        &NodeId(evidence.coordinator).to_string(),
    );
    if !evidence.acked_by.is_empty() {
        fact(out, style, "acked by", &names(&evidence.acked_by));
    }
    for (node, version) in &evidence.answered_by {
        let held = version.map_or_else(|| "nothing".to_owned(), stamp);
        fact(out, style, "answered by", &format!("{node} with {held}"));
    }
    if !evidence.repaired.is_empty() {
        fact(out, style, "repaired", &names(&evidence.repaired));
    }
    if !evidence.fallbacks.is_empty() {
        fact(out, style, "stood in", &names(&evidence.fallbacks));
    }
    for (owner, holder) in &evidence.hinted {
        fact(out, style, "hint", &format!("for {owner} at {holder}"));
    }
}

fn tell_hints(out: &mut String, name: Option<&str>, kept: &[HintsKept]) {
    if kept.is_empty() {
        line(out, name, "no hints");
    }
    for HintsKept {
        owner,
        hints,
        bytes,
    } in kept
    {
        let noun = if *hints == 1 { "hint" } else { "hints" };
        let text = format!("{hints} {noun} for {owner}, {bytes} bytes");
        line(out, name, &text);
    }
}

fn tell_ring(out: &mut String, ring: &RingView, style: Style) {
    for share in &ring.nodes {
        let percent = f64::from(share.millionths) / 1e4;
        let centre = share.data_centre.as_deref().unwrap_or("");
        let row = format!("{:<5} {percent:5.1} %  {centre}", share.node.to_string());
        let _ = writeln!(out, "{}", row.trim_end());
    }
    if !ring.replicas.is_empty() {
        fact(out, style, "replicas", &names(&ring.replicas));
        let stand_ins = names(&ring.stand_ins);
        let stand_ins = if stand_ins.is_empty() {
            "nobody"
        } else {
            &stand_ins
        };
        fact(out, style, "stand in", stand_ins);
    }
}

fn tell_health(out: &mut String, health: &Health, style: Style) {
    let (tone, word) = if health.healthy {
        (Tone::Good, "well")
    } else {
        (Tone::Bad, "ill")
    };
    let symbol = style.paint(tone, style.symbol(tone));
    let _ = writeln!(out, "{symbol} {:<5} {word}", health.node.to_string());
    for check in &health.checks {
        let tone = if check.ok { Tone::Faint } else { Tone::Bad };
        let text = format!("    {:<8} {}", check.name, check.found);
        let _ = writeln!(out, "{}", style.paint(tone, &text));
    }
}

/// An answer as JSON, with the name of its node.
pub(super) fn json(name: &str, response: &Response) -> Json {
    let text = |value: &Vec<u8>| match str::from_utf8(value) {
        Ok(text) => json!(text),
        Err(_) => json!({ "hex": bytes_as_hex(value) }),
    };
    let answer = match response {
        Response::Value {
            values,
            context,
            evidence,
        } => json!({ "value": {
            "values": values.iter().map(text).collect::<Vec<_>>(),
            "context": hex(context),
            "evidence": evidence,
        }}),
        other => match serde_json::to_value(other) {
            // `Written`, `Refused`, ... as programs spell words.
            Ok(Json::Object(object)) => object
                .into_iter()
                .map(|(word, body)| (word.to_lowercase(), body))
                .collect(),
            Ok(Json::String(word)) => json!({ word.to_lowercase(): null }),
            _ => Json::Null,
        },
    };
    json!({ "node": name, "answer": answer })
}

#[cfg(test)]
mod tests {
    use quorate_node::wire::Context;

    use super::*;

    fn evidence() -> Evidence {
        Evidence {
            coordinator: 1,
            epoch: 1,
            version: Some(Stamp {
                wall_ns: 1_000_000_000,
                node: 2,
            }),
            answered_by: vec![(NodeId(1), None)],
            fallbacks: vec![NodeId(4)],
            hinted: vec![(NodeId(3), NodeId(4))],
            ..Evidence::default()
        }
    }

    #[test]
    fn siblings_are_shown_with_all_that_is_known_of_them() {
        let response = Response::Value {
            values: vec![b"a".to_vec(), vec![255]],
            context: Context(vec![1, 254]),
            evidence: evidence(),
        };
        let expected = "\
2 siblings:
  a
  0xff
  version      1970-01-01T00:00:01Z by n2
  asked        n1
  answered by  n1 with nothing
  stood in     n4
  hint         for n3 at n4
  context      01fe
";
        assert_eq!(text(None, &response, Style::plain()), expected);
        let json = json("n1", &response);
        assert_eq!(json["answer"]["value"]["context"], "01fe");
        assert_eq!(json["answer"]["value"]["values"][0], "a");
    }

    #[test]
    fn programs_are_told_in_one_word_what_became_of_it() {
        let done = json("n1", &Response::Done);
        assert_eq!(done["answer"], json!({ "done": null }));
        let why = "overloaded".to_owned();
        let refused = json("n1", &Response::Refused { why });
        assert_eq!(
            refused["answer"],
            json!({ "refused": { "why": "overloaded" } })
        );
    }
}
