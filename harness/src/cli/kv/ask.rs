//! Asking nodes: which there are, and what they answer.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use quorate_node::wire::{Request, Response};
use tokio::time::timeout;

use super::args::{Kv, Which};
use crate::cli::args::Common;
use crate::cli::cluster::file::{ClusterFile, FindError};
use crate::cli::cluster::parent;
use crate::world::live::Connection;

/// A node that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// `n2`, or its address if that is all that is known.
    pub(super) name: String,
    pub(super) address: SocketAddr,
}

/// Why nobody was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("{0} is not up in this cluster: there are {1}")]
    NotUp(String, String),
    #[error("no node of this cluster is up")]
    NobodyUp,
    #[error("--node names an address, --cluster another cluster: leave one out")]
    Both,
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

/// What became of a question.
#[derive(Debug)]
pub(super) enum Answer {
    Said(Box<Response>),
    /// It was certainly not heard.
    NotAsked(String),
    /// It may have been.
    Silent(String),
}

/// The nodes that a command is about: the one that is named, or all that are up.
pub(super) fn nodes(kv: &Kv, common: &Common) -> Result<Vec<Node>, AskError> {
    if let Some(Which::At(address)) = kv.node {
        let name = address.to_string();
        return match kv.cluster {
            Some(_) => Err(AskError::Both),
            None => Ok(vec![Node { name, address }]),
        };
    }
    let cluster = match &kv.cluster {
        Some(directory) => ClusterFile::read(directory)?,
        None => ClusterFile::newest(&parent(common))?,
    };
    let up: Vec<Node> = cluster
        .nodes
        .iter()
        .map(|ready| Node {
            name: ready.node.to_string(),
            address: SocketAddr::from(([127, 0, 0, 1], ready.client_port)),
        })
        .collect();
    match kv.node {
        Some(Which::Named(node)) => {
            let name = node.to_string();
            let names: Vec<&str> = up.iter().map(|node| node.name.as_str()).collect();
            let names = names.join(" ");
            let wanted = up.into_iter().find(|node| node.name == name);
            Ok(vec![wanted.ok_or(AskError::NotUp(name, names))?])
        }
        _ if up.is_empty() => Err(AskError::NobodyUp),
        _ => Ok(up),
    }
}

/// Asks all of these at the same time.
pub(super) fn ask(
    nodes: &[Node],
    request: &Request,
    limit: Duration,
) -> Result<Vec<Answer>, AskError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let asking = nodes.iter().map(|node| ask_one(node, request, limit));
    Ok(runtime.block_on(join_all(asking)))
}

async fn ask_one(node: &Node, request: &Request, limit: Duration) -> Answer {
    let Node { name, address } = node;
    let dialled = timeout(limit, Connection::dial(*address)).await;
    let mut connection = match dialled {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Answer::NotAsked(format!("cannot connect to {name}: {error}")),
        Err(_) => return Answer::NotAsked(format!("cannot connect to {name} within {limit:?}")),
    };
    match timeout(limit, connection.ask(request.clone())).await {
        Ok(Ok(response)) => Answer::Said(Box::new(response)),
        Ok(Err(error)) => Answer::Silent(format!("{name} did not answer: {error}")),
        Err(_) => Answer::Silent(format!("{name} did not answer within {limit:?}")),
    }
}
