//! `quorate kv`: a running cluster, poked by hand. It asks and tells; nothing is recorded and nothing judged.

pub(super) mod args;
mod ask;
mod context;
mod tell;

use std::time::Duration;

use quorate_node::wire::{Quorum, Request, Response};

use self::args::{Kv, KvCommand, QuorumFlags, WriteFlags};
use self::ask::{Answer, AskError, Node};
use super::args::{Common, Format};
use crate::exit::Exit;
use crate::report::style::{Style, complain, print};

pub(super) fn main(kv: &Kv, common: &Common, style: Style) -> Exit {
    let request = match request(&kv.command) {
        Ok(request) => request,
        Err(why) => {
            complain(&why);
            return Exit::Usage;
        }
    };
    match answered(kv, common, &request) {
        Ok((nodes, answers)) => told(&nodes, &answers, common.format, style),
        Err(error @ AskError::Runtime(_)) => {
            complain(&error.to_string());
            Exit::HarnessFailure
        }
        Err(error @ AskError::Both) => {
            complain(&error.to_string());
            Exit::Usage
        }
        Err(error) => {
            complain(&error.to_string());
            Exit::NothingRan
        }
    }
}

fn answered(
    kv: &Kv,
    common: &Common,
    request: &Request,
) -> Result<(Vec<Node>, Vec<Answer>), AskError> {
    let mut nodes = ask::nodes(kv, common)?;
    if !is_for_everybody(&kv.command) {
        nodes.truncate(1);
    }
    let limit = Duration::from_millis(kv.timeout_ms);
    let answers = ask::ask(&nodes, request, limit)?;
    Ok((nodes, answers))
}

/// Whether each node answers for itself, so that all are asked.
fn is_for_everybody(command: &KvCommand) -> bool {
    matches!(
        command,
        KvCommand::Inspect { .. } | KvCommand::Repair | KvCommand::Hints | KvCommand::Health
    )
}

/// Prints what was answered; says with the exit code what that means.
fn told(nodes: &[Node], answers: &[Answer], format: Format, style: Style) -> Exit {
    let mut exit = Exit::Kept;
    let mut out = Vec::new();
    let is_value = |answer: &Answer| match answer {
        Answer::Said(response) => matches!(**response, Response::Value { .. }),
        _ => false,
    };
    let is_any_value = answers.iter().any(is_value);
    for (node, answer) in nodes.iter().zip(answers) {
        match answer {
            Answer::Said(response) => {
                exit = exit.worst(exit_of(response, is_any_value));
                match format {
                    Format::Json => out.push(tell::json(&node.name, response)),
                    Format::Text => {
                        let name = (nodes.len() > 1).then_some(node.name.as_str());
                        print(&tell::text(name, response, style));
                    }
                }
            }
            Answer::NotAsked(why) => {
                complain(why);
                exit = exit.worst(Exit::NothingRan);
            }
            Answer::Silent(why) => {
                complain(why);
                exit = exit.worst(Exit::Undecided);
            }
        }
    }
    if format == Format::Json {
        print(&format!("{:#}\n", serde_json::Value::Array(out)));
    }
    exit
}

/// Of nodes that are asked what they hold, those that are no replicas refuse: no harm if others did not.
fn exit_of(response: &Response, is_any_value: bool) -> Exit {
    match response {
        Response::Refused { .. } if is_any_value => Exit::Kept,
        Response::Refused { .. } => Exit::NothingRan,
        Response::Unknown { .. } => Exit::Undecided,
        Response::Health(health) if !health.healthy => Exit::Broken,
        _ => Exit::Kept,
    }
}

/// What to ask.
fn request(command: &KvCommand) -> Result<Request, String> {
    Ok(match command {
        KvCommand::Put { key, value, write } => Request::Put {
            key: key.clone(),
            value: value.clone().into_bytes(),
            quorum: quorum_of_write(write),
            context: write.context.as_deref().map(context::read).transpose()?,
            stamp_ns: write.stamp_ns,
        },
        KvCommand::Get { key, quorum, pr } => Request::get(
            key.clone(),
            Quorum {
                primaries: *pr,
                ..quorum_of(quorum)
            },
        ),
        KvCommand::Delete { key, write } => Request::Delete {
            key: key.clone(),
            quorum: quorum_of_write(write),
            context: write.context.as_deref().map(context::read).transpose()?,
            stamp_ns: write.stamp_ns,
        },
        KvCommand::Inspect { key } => Request::Inspect { key: key.clone() },
        KvCommand::Repair => Request::Repair,
        KvCommand::Ring { key } => Request::Ring { key: key.clone() },
        KvCommand::Hints => Request::Hints,
        KvCommand::Health => Request::Health,
        KvCommand::Metrics => Request::Metrics,
    })
}

fn quorum_of(flags: &QuorumFlags) -> Quorum {
    Quorum {
        n: flags.n,
        level: flags.level,
        sloppy: flags.sloppy,
        ..Quorum::default()
    }
}

fn quorum_of_write(write: &WriteFlags) -> Quorum {
    Quorum {
        primaries: write.pw,
        durable: write.dw,
        ..quorum_of(&write.quorum)
    }
}
