//! A client of the live world: one connection at a time, one operation at a time.
//!
//! It says what it knows and no more. What was certainly never sent is `fail`; what was sent and not answered is
//! unknown. It does not retry: a second try would be a second operation.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, timeout_at};

use super::connection::{Broken, Connection};
use super::roster::{Incarnation, Roster};
use crate::world::client_clock::ClientClock;
use crate::world::exchange::{outcome, request};
use crate::world::{ClientOp, Outcome, node_name};

/// A client with at most one connection at a time.
#[derive(Debug)]
pub struct LiveClient {
    roster: Arc<Roster>,
    line: Option<Line>,
    /// Where it takes stamps from, if the store wants them.
    clock: Option<Arc<Mutex<ClientClock>>>,
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
        LiveClient {
            roster,
            line: None,
            clock: None,
        }
    }

    /// The same, and it stamps what it writes by this clock.
    pub(super) fn with_clock(self, clock: Option<Arc<Mutex<ClientClock>>>) -> LiveClient {
        LiveClient { clock, ..self }
    }

    fn stamp_ns(&self) -> Option<i64> {
        let clock = self.clock.as_ref()?;
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let wall_ns = since_epoch.map_or(0, |since| since.as_nanos());
        let mut clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
        Some(clock.stamp(i64::try_from(wall_ns).unwrap_or(i64::MAX)))
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
        let asked = timeout_at(deadline, line.connection.ask(request(op, self.stamp_ns()))).await;
        match asked {
            Ok(Ok(response)) => {
                self.line = Some(line);
                outcome(op, response)
            }
            Ok(Err(error @ Broken::Request(_))) => Outcome::Fail {
                error: error.to_string(),
                evidence: None,
            },
            Ok(Err(error)) => Outcome::unknown(&op.f, error.to_string(), None),
            Err(_) => Outcome::unknown(&op.f, format!("no reply within {limit:?}"), None),
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
