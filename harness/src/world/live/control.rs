//! Questions of the harness to single nodes: how busy are you, set your clock, change the ring.
//!
//! Each on a connection of its own: they are rare, and must not share the fate of any client's. They need the node's
//! test hooks.

use std::time::Duration;

use quorate_node::wire::{Request, Response, RingCommand, Status};
use tokio::time::timeout;

use super::connection::Connection;
use super::error::WorldError;
use super::roster::Roster;
use crate::world::node_name;

/// How long a node may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// How busy `node` is.
pub(super) async fn status(roster: &Roster, node: u16) -> Result<Status, WorldError> {
    let request = "tell its status";
    match ask(roster, node, Request::Status, request).await? {
        Response::Status(status) => Ok(*status),
        other => Err(refused(node, request, &other)),
    }
}

/// Has `node` decide a change of the ring; the reason if it refuses.
pub(super) async fn change_ring(
    roster: &Roster,
    node: u16,
    command: RingCommand,
) -> Result<Result<(), String>, WorldError> {
    let request = "change the ring";
    match ask(roster, node, Request::ChangeRing(command), request).await? {
        Response::Done => Ok(Ok(())),
        Response::Refused { why } => Ok(Err(why)),
        other => Err(refused(node, request, &other)),
    }
}

/// Sets the offset of `node`'s wall clock, ns; returns once the node says that it is so.
pub(super) async fn set_clock(
    roster: &Roster,
    node: u16,
    offset_ns: i64,
) -> Result<(), WorldError> {
    let request = "set its clock";
    match ask(roster, node, Request::SetClockOffset { offset_ns }, request).await? {
        Response::Done => Ok(()),
        other => Err(refused(node, request, &other)),
    }
}

async fn ask(
    roster: &Roster,
    node: u16,
    question: Request,
    request: &'static str,
) -> Result<Response, WorldError> {
    let failed = |why: String| WorldError::Control { node, request, why };
    let entry = roster.find(node);
    let entry = entry.ok_or_else(|| failed(format!("{} is down", node_name(node))))?;
    let conversation = async {
        let dialled = Connection::dial(entry.client_address()).await;
        let mut connection = dialled.map_err(|error| failed(error.to_string()))?;
        connection
            .ask(question)
            .await
            .map_err(|error| failed(error.to_string()))
    };
    let answer = timeout(ANSWER_LIMIT, conversation).await;
    answer.map_err(|_| failed(format!("no reply within {ANSWER_LIMIT:?}")))?
}

fn refused(node: u16, request: &'static str, answer: &Response) -> WorldError {
    WorldError::Control {
        node,
        request,
        why: format!("it answered {answer:?}"),
    }
}
