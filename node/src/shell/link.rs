//! One node's link *to* one peer: dialled by the sender, and written by it only. Answers come over the peer's own link.
//!
//! A dial may succeed although nobody is there (a proxy accepts for a node that is down), so a link counts as up only once the peer has
//! greeted back. After that the peer says nothing: a byte or an end from there means that the link is broken, noticed without writing.
//! What was queued for a broken link is lost.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::select;
use tokio::time::{sleep, timeout};
use tracing::{debug, info};

use crate::config::NodeId;

use super::intake::Intake;
use super::links::Parcel;
use super::node::Event;
use super::outbox::{Outgoing, outbox};
use super::stream::{Frames, pump, send};

/// Most messages that wait for one peer; when there are more, the newest is lost.
pub const QUEUE_MESSAGES_MAX: usize = 1_024;

/// The pause after a failed dial is doubled, from the one to the other.
const BACKOFF_MIN: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_millis(200);

/// The dialling side's first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// Who dials.
    pub(super) from: NodeId,
    /// Whom it wants.
    pub(super) to: NodeId,
    /// The dialling node's start count.
    pub(super) epoch: u64,
}

/// The accepting side's only frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Welcome {
    /// Who accepted.
    pub(super) node: NodeId,
    /// Its start count.
    pub(super) epoch: u64,
}

/// Keeps a link up as well as it can, for as long as the node listens to its events.
pub(super) async fn keep(hello: Hello, address: SocketAddr, intake: Intake) {
    let peer = hello.to;
    let mut backoff = BACKOFF_MIN;
    let greeting = Duration::from_millis(intake.limits.greeting_ms);
    loop {
        match dial(hello, address, greeting).await {
            Ok((reader, writer)) => {
                backoff = BACKOFF_MIN;
                let (queue, messages) = outbox(QUEUE_MESSAGES_MAX, intake.limits.outbox_bytes_max);
                info!(%peer, "link up");
                if !intake.tell(Event::LinkUp { peer, queue }).await {
                    return;
                }
                let error = carry(reader, writer, messages).await;
                info!(%peer, %error, "link down");
                if !intake.tell(Event::LinkDown { peer }).await {
                    return;
                }
            }
            Err(error) => debug!(%peer, %error, "no link"),
        }
        sleep(backoff).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

async fn dial(
    hello: Hello,
    address: SocketAddr,
    greeting: Duration,
) -> io::Result<(OwnedReadHalf, OwnedWriteHalf)> {
    timeout(greeting, greet(hello, address)).await?
}

async fn greet(hello: Hello, address: SocketAddr) -> io::Result<(OwnedReadHalf, OwnedWriteHalf)> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    // The kernel may connect a dial to a free local port with itself.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    let (reader, mut writer) = stream.into_split();
    send(&mut writer, &hello).await?;
    let mut frames = Frames::new(reader);
    let Welcome { node, epoch } = frames.expect().await?;
    if node != hello.to {
        return Err(io::Error::other(format!(
            "{node} answered at the address of {}",
            hello.to
        )));
    }
    debug!(peer = %node, epoch, "greeted");
    Ok((frames.into_reader(), writer))
}

/// Carries messages until the link breaks, and tells why it did.
async fn carry(
    mut reader: OwnedReadHalf,
    mut writer: OwnedWriteHalf,
    messages: Outgoing<Parcel>,
) -> io::Error {
    let mut byte = [0];
    select! {
        read = reader.read(&mut byte) => match read {
            Ok(0) => io::ErrorKind::UnexpectedEof.into(),
            Ok(_) => io::Error::other("the peer spoke on a link that it may only read"),
            Err(error) => error,
        },
        pumped = pump(&mut writer, messages) => match pumped {
            Ok(()) => io::Error::other("the node closed it"),
            Err(error) => error,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::shell::links::Parcel;
    use crate::wire;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_decoding_a_link_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = wire::decode::<Hello>(&bytes);
            let _ = wire::decode::<Welcome>(&bytes);
            let _ = wire::decode::<Parcel>(&bytes);
        }
    }
}
