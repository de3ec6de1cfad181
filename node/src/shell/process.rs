//! What only a process has: its parent, its signals, its standard streams.
//!
//! A node must not outlive its harness, however that dies: the kernel kills it with its parent thread, and the end of its standard input
//! stops it too (which also covers the instant before the kernel was asked, and other systems than Linux).

use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::thread;

use nix::unistd::getppid;
use tokio::runtime::Builder;
use tokio::select;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing::info;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::config::Seat;
use crate::wire::Ready;

use super::error::NodeError;
use super::serve::serve;

/// Becomes a node: returns when it is told to stop, everything synced, or when it cannot go on.
///
/// Standard input must be a pipe that stays open for as long as the node shall live.
pub fn run(seat: Seat) -> Result<(), NodeError> {
    die_with_parent()?;
    log_to_stderr();
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(NodeError::process("start the runtime"))?;
    runtime.block_on(async {
        let shutdown = shutdown()?;
        serve(seat, shutdown, announce).await
    })
}

/// Asks the kernel for SIGKILL when the parent thread ends.
fn die_with_parent() -> Result<(), NodeError> {
    let parent = getppid();
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)
        .map_err(|errno| NodeError::process("ask to die with the parent")(errno.into()))?;
    if getppid() == parent {
        Ok(())
    } else {
        Err(NodeError::Orphaned)
    }
}

/// One JSON object per line; `RUST_LOG` chooses, and `info` is the default.
fn log_to_stderr() {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(io::stderr)
        .with_env_filter(filter.from_env_lossy());
    // Whoever runs a node inside a larger program may have chosen where logs go.
    let _ = subscriber.try_init();
}

/// Ends at SIGTERM, or when standard input does.
fn shutdown() -> Result<impl Future<Output = ()>, NodeError> {
    let terminate = signal(SignalKind::terminate());
    let mut terminate = terminate.map_err(NodeError::process("listen for SIGTERM"))?;
    let (cut, lifeline) = oneshot::channel();
    let watch = thread::Builder::new().name("lifeline".to_owned());
    let watch = watch.spawn(move || {
        wait_for_end(io::stdin().lock());
        // The node may have stopped already.
        let _ = cut.send(());
    });
    watch.map_err(NodeError::process(
        "start the thread that watches standard input",
    ))?;
    Ok(async move {
        select! {
            _ = terminate.recv() => info!("told to stop"),
            _ = lifeline => info!("standard input ended: whoever started this node is gone"),
        }
    })
}

fn wait_for_end(mut stream: impl Read) {
    let mut buffer = [0; 64];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Err(error) if error.kind() != ErrorKind::Interrupted => return,
            _ => {}
        }
    }
}

/// The one line on standard output.
fn announce(ready: &Ready) -> io::Result<()> {
    let mut line = serde_json::to_vec(ready)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}
