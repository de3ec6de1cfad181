//! The peers' links *to* this node: read only, but for one greeting.

use std::io;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::link::{GREETING_TIMEOUT, Hello, Welcome};
use super::node::Event;
use super::serve::Tasks;
use super::stream::{Frames, send};

/// Accepts peers for ever.
pub(super) async fn accept(
    listener: TcpListener,
    welcome: Welcome,
    nodes: u16,
    events: Sender<Event>,
    tasks: Tasks,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let hearing = hear(stream, welcome, nodes, events.clone());
                tasks.spawn(async move {
                    match hearing.await {
                        Ok(()) => debug!("a peer's link ended"),
                        Err(error) => warn!(%error, "a peer's link is dropped"),
                    }
                });
            }
            Err(error) => super::serve::pause_accepting(&error).await,
        }
    }
}

/// Reads one peer's link to its end.
async fn hear(
    stream: TcpStream,
    welcome: Welcome,
    nodes: u16,
    events: Sender<Event>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut frames = Frames::new(reader);
    let Hello { from, to, epoch } = timeout(GREETING_TIMEOUT, frames.expect()).await??;
    let known = (1..=nodes).contains(&from.0);
    if to != welcome.node || from == to || !known {
        return Err(io::Error::other(format!("{from} wanted {to}")));
    }
    send(&mut writer, &welcome).await?;
    debug!(peer = %from, epoch, "a peer's link began");
    while let Some(message) = frames.next().await? {
        if events.send(Event::Peer { from, message }).await.is_err() {
            break;
        }
    }
    Ok(())
}
