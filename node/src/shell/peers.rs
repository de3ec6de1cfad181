//! The peers' links *to* this node: read only, but for one greeting.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::intake::Intake;
use super::link::{Hello, Welcome};
use super::node::Event;
use super::serve::{Tasks, pause_accepting};
use super::stream::{Frames, send};

/// Most links for each node of the cluster: what a peer has given up may not be noticed here at once.
const LINKS_PER_NODE_MAX: usize = 8;

/// Accepts peers for ever.
pub(super) async fn accept(
    listener: TcpListener,
    welcome: Welcome,
    nodes: u16,
    intake: Intake,
    tasks: Tasks,
) {
    let most = usize::from(nodes) * LINKS_PER_NODE_MAX;
    let places = Arc::new(Semaphore::new(most));
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let Ok(place) = places.clone().try_acquire_owned() else {
                    warn!(%address, most, "a peer's link is dropped: there are too many");
                    continue;
                };
                let hearing = hear(stream, welcome, nodes, intake.clone());
                tasks.spawn(async move {
                    match hearing.await {
                        Ok(()) => debug!("a peer's link ended"),
                        Err(error) => warn!(%address, %error, "a peer's link is dropped"),
                    }
                    drop(place);
                });
            }
            Err(error) => pause_accepting(&error).await,
        }
    }
}

/// Reads one peer's link to its end.
async fn hear(stream: TcpStream, welcome: Welcome, nodes: u16, intake: Intake) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut frames = Frames::new(reader);
    let greeting = Duration::from_millis(intake.limits.greeting_ms);
    let Hello { from, to, epoch } = timeout(greeting, frames.expect()).await??;
    let known = (1..=nodes).contains(&from.0);
    if to != welcome.node || from == to || !known {
        return Err(io::Error::other(format!("{from} wanted {to}")));
    }
    timeout(greeting, send(&mut writer, &welcome)).await??;
    debug!(peer = %from, epoch, "a peer's link began");
    let idle = Duration::from_millis(intake.limits.peer_idle_ms);
    while let Some((parcel, bytes)) = frames.next_within(idle).await? {
        let room = intake.room_for(bytes).await;
        if !intake.tell(Event::Peer { from, parcel, room }).await {
            break;
        }
    }
    Ok(())
}
