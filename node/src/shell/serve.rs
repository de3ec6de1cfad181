//! A node from its seat to its end, inside whatever runtime calls it.

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::config::Seat;
use crate::protocol::Machine;
use crate::wire::Ready;

use super::clock::Clock;
use super::error::NodeError;
use super::intake::Intake;
use super::link::{Hello, Welcome};
use super::log::{Log, SEGMENT_BYTES_MAX};
use super::node::{Duty, Node};
use super::{clients, link, monitor, peers};

/// How long a listener rests when it cannot accept (when files run out).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The node's tasks, which all end with it.
#[derive(Clone, Debug)]
pub(super) struct Tasks {
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Tasks {
    /// Starts a task that is dropped when the node ends.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }
}

/// Takes a seat: recovers the log, listens, tells that it is `ready`, and serves until `shutdown` or a failure of the log.
///
/// After a shutdown everything is synced. Dropping the future instead loses what is not, as `kill -9` does.
pub async fn serve(
    seat: Seat,
    shutdown: impl Future<Output = ()>,
    ready: impl FnOnce(&Ready) -> io::Result<()>,
) -> Result<(), NodeError> {
    seat.validate()?;
    let duty = Duty::of(&seat);
    let Seat { id, store, .. } = seat;
    let (nodes, limits) = (store.nodes, store.options.limits);
    let sync = store.sync_in_force();
    let mut opening = Log::open(&seat.data_dir)?;
    let epoch = opening.epoch();
    let replica = Machine::recover(store, id, epoch, opening.records());
    let (log, log_events, records) = opening.start(sync, SEGMENT_BYTES_MAX)?;
    info!(node = %id, epoch, records, "recovered");
    let (client_listener, client_port) = listen().await?;
    let (peer_listener, peer_port) = listen().await?;
    let (metrics_listener, metrics_port) = listen().await?;

    let tasks = Tasks {
        stop: CancellationToken::new(),
        tracker: TaskTracker::new(),
    };
    let _stop_when_dropped = tasks.stop.clone().drop_guard();
    let (intake, inbox) = Intake::new(limits);
    let welcome = Welcome { node: id, epoch };
    tasks.spawn(clients::accept(
        client_listener,
        intake.clone(),
        tasks.clone(),
    ));
    tasks.spawn(peers::accept(
        peer_listener,
        welcome,
        nodes,
        intake.clone(),
        tasks.clone(),
    ));
    tasks.spawn(monitor::accept(
        metrics_listener,
        seat.data_dir,
        intake.clone(),
        tasks.clone(),
    ));
    for (to, address) in seat.peers {
        let hello = Hello {
            from: id,
            to,
            epoch,
        };
        tasks.spawn(link::keep(hello, address, intake.clone()));
    }
    let announcement = Ready {
        node: id,
        pid: std::process::id(),
        epoch,
        client_port,
        peer_port,
        metrics_port,
    };
    ready(&announcement).map_err(NodeError::process("tell that the node is ready"))?;
    let node = Node::new(replica, log, Clock::new(seat.clock_offset_ns), duty);
    let ended = node.run(inbox, log_events, shutdown).await;
    tasks.stop.cancel();
    tasks.tracker.close();
    tasks.tracker.wait().await;
    ended
}

/// A listener on a port that the kernel chooses.
async fn listen() -> Result<(TcpListener, u16), NodeError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.map_err(NodeError::Listen)?;
    let address = listener.local_addr().map_err(NodeError::Listen)?;
    Ok((listener, address.port()))
}

/// An accept failed: most likely there are no file descriptors left, and trying again at once would only spin.
pub(super) async fn pause_accepting(error: &io::Error) {
    warn!(%error, "cannot accept a connection");
    sleep(ACCEPT_PAUSE).await;
}
