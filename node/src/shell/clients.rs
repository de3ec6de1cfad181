//! Client connections: requests in, replies out, in any order. What the requests mean is for `node.rs` and the protocol.

use std::io;

use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::mpsc::{Sender, channel};
use tracing::{debug, warn};

use crate::wire::ServerFrame;

use super::node::Event;
use super::serve::{Tasks, pause_accepting};
use super::stream::{Frames, pump};

/// Most replies that wait for one client; one that lets more pile up is dropped.
const REPLIES_MAX: usize = 4_096;

/// Accepts clients for ever.
pub(super) async fn accept(listener: TcpListener, events: Sender<Event>, tasks: Tasks) {
    let mut connection = 0;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connection += 1;
                let conversing = converse(connection, stream, events.clone());
                tasks.spawn(async move {
                    match conversing.await {
                        Ok(()) => debug!(connection, "a client left"),
                        Err(error) => warn!(connection, %error, "a client is dropped"),
                    }
                });
            }
            Err(error) => pause_accepting(&error).await,
        }
    }
}

async fn converse(connection: u64, stream: TcpStream, events: Sender<Event>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let (replies, outbox) = channel::<ServerFrame>(REPLIES_MAX);
    let listening = async {
        let mut frames = Frames::new(reader);
        while let Some(frame) = frames.next().await? {
            if events
                .send(Event::Client { connection, frame })
                .await
                .is_err()
            {
                break;
            }
        }
        Ok(())
    };
    if events
        .send(Event::ClientUp {
            connection,
            replies,
        })
        .await
        .is_err()
    {
        return Ok(());
    }
    let ended = select! {
        heard = listening => heard,
        written = pump(&mut writer, outbox) => written,
    };
    // A node that is stopping does not listen any more, and need not be told.
    let _ = events.send(Event::ClientDown { connection }).await;
    ended
}
