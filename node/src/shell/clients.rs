//! Client connections: requests in, replies out, in any order. What the requests mean is for `node.rs` and the protocol.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use super::intake::Intake;
use super::node::Event;
use super::replies::Replies;
use super::serve::{Tasks, pause_accepting};
use super::stream::Frames;

/// Accepts clients for ever.
pub(super) async fn accept(listener: TcpListener, intake: Intake, tasks: Tasks) {
    let most = intake.limits.clients_max;
    let places = Arc::new(Semaphore::new(
        usize::try_from(most).unwrap_or(usize::MAX >> 3),
    ));
    let mut connection = 0;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let Ok(place) = places.clone().try_acquire_owned() else {
                    warn!(%address, most, "a client is dropped: there are too many");
                    continue;
                };
                connection += 1;
                let conversing = converse(connection, stream, intake.clone());
                tasks.spawn(async move {
                    match conversing.await {
                        Ok(()) => debug!(connection, "a client left"),
                        Err(error) => warn!(%address, %error, "a client is dropped"),
                    }
                    drop(place);
                });
            }
            Err(error) => pause_accepting(&error).await,
        }
    }
}

async fn converse(connection: u64, stream: TcpStream, intake: Intake) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    let replies = Arc::new(Replies::new(writer, intake.limits.outbox_bytes_max));
    let idle = Duration::from_millis(intake.limits.client_idle_ms);
    let listening = async {
        let mut stream = Frames::new(reader);
        while let Some((frames, bytes)) = stream.next_ones_within(idle).await? {
            let room = intake.room_for(bytes).await;
            let event = Event::Client {
                connection,
                frames,
                room,
            };
            if !intake.tell(event).await {
                break;
            }
        }
        Ok(())
    };
    let arrival = Event::ClientUp {
        connection,
        replies: replies.clone(),
    };
    if !intake.tell(arrival).await {
        return Ok(());
    }
    let ended = select! {
        heard = listening => heard,
        written = replies.drain() => written,
    };
    // A node that is stopping does not listen any more, and need not be told.
    intake.tell(Event::ClientDown { connection }).await;
    ended
}
