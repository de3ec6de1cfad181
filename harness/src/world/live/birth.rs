//! From a spawned process to a node that can be reached: the seat file before, the ready line after.
//!
//! The ready line is read from the file that the node's stdout goes to. Only files are looked at here; processes are
//! the supervisor's.

use std::fs;
use std::path::{Path, PathBuf};

use quorate_node::config::Seat;
use quorate_node::wire::Ready;

use super::error::WorldError;
use super::process::Recipe;
use super::roster::{Entry, Incarnation};

/// How much of the end of a node's stderr is shown when it fails, lines.
const LAST_WORDS_LINES: usize = 10;

/// Writes the seat file that the node is to read at its next start.
pub(super) fn write_seat(recipe: &Recipe, seat: &Seat) -> Result<(), WorldError> {
    let node = recipe.node;
    let path = recipe.seat_path();
    let json =
        serde_json::to_vec_pretty(seat).map_err(|source| WorldError::Seat { node, source })?;
    fs::write(&path, json).map_err(|source| WorldError::File {
        action: "write",
        path,
        source,
    })
}

/// The entry of a node that has printed its ready line; none if it has not yet.
pub(super) fn read_ready(
    recipe: &Recipe,
    incarnation: Incarnation,
) -> Result<Option<Entry>, WorldError> {
    let ready = read_ready_line(recipe, incarnation)?;
    Ok(ready.map(|ready| Entry {
        incarnation,
        client_port: ready.client_port,
        peer_port: ready.peer_port,
    }))
}

/// What a node has said of itself when it became ready; none if it has not yet.
pub(super) fn read_ready_line(
    recipe: &Recipe,
    incarnation: Incarnation,
) -> Result<Option<Ready>, WorldError> {
    let path = recipe.stdout_path(incarnation);
    let printed = read(&path)?;
    let Some((line, _)) = printed.split_once('\n') else {
        return Ok(None);
    };
    match serde_json::from_str::<Ready>(line) {
        Ok(ready) if ready.node.0 == recipe.node => Ok(Some(ready)),
        _ => Err(WorldError::BadReadyLine {
            node: recipe.node,
            line: line.to_owned(),
        }),
    }
}

/// The last lines of a node's stderr, for people.
pub(super) fn last_words(recipe: &Recipe) -> String {
    let text = read(&recipe.stderr_path()).unwrap_or_else(|error| error.to_string());
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return "(none)".to_owned();
    }
    let first = lines.len().saturating_sub(LAST_WORDS_LINES);
    lines[first..].join("\n")
}

fn read(path: &Path) -> Result<String, WorldError> {
    let failed = |source| WorldError::File {
        action: "read",
        path: PathBuf::from(path),
        source,
    };
    let bytes = fs::read(path).map_err(failed)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
