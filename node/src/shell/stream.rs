//! Frames over TCP, many at a time. What they mean is for `link.rs`, `peers.rs` and `clients.rs`.

use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};
use tracing::error;

use crate::wire;

use super::outbox::{Bulk, Outgoing};

/// What is read from a socket at once, bytes.
const READ_BUFFER_BYTES: usize = 64 << 10;

/// Most frames that are written at once.
const WRITE_FRAMES_MAX: usize = 256;

/// A write buffer that grew larger than this is given back, bytes.
const WRITE_BUFFER_BYTES_MAX: usize = 1 << 20;

/// The reading half of a connection, as frames.
pub(super) struct Frames(FramedRead<OwnedReadHalf, LengthDelimitedCodec>);

impl Frames {
    pub(super) fn new(reader: OwnedReadHalf) -> Frames {
        Frames(FramedRead::with_capacity(
            reader,
            wire::codec(),
            READ_BUFFER_BYTES,
        ))
    }

    /// The next frame, and its bytes; none at the end of the stream. An error is final: nothing after it can be understood.
    ///
    /// It must be there, whole, after so long: half a frame that never ends is no better than silence.
    pub(super) async fn next_within<T: DeserializeOwned>(
        &mut self,
        limit: Duration,
    ) -> io::Result<Option<(T, usize)>> {
        timeout(limit, self.next()).await.unwrap_or_else(|_| {
            let why = format!("it said nothing whole for {limit:?}");
            Err(io::Error::new(io::ErrorKind::TimedOut, why))
        })
    }

    async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<(T, usize)>> {
        match self.0.next().await {
            None => Ok(None),
            Some(frame) => {
                let frame = frame?;
                match wire::decode(&frame) {
                    Ok(value) => Ok(Some((value, frame.len()))),
                    Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
                }
            }
        }
    }

    /// The connection without its framing; what was read ahead is lost.
    pub(super) fn into_reader(self) -> OwnedReadHalf {
        self.0.into_inner()
    }

    /// The next frame, which must come.
    pub(super) async fn expect<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        match self.next().await? {
            Some((value, _)) => Ok(value),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Writes whatever comes out of a queue, each time everything that is there. Ends well when the queue is closed.
pub(super) async fn pump<T: Serialize + Bulk>(
    writer: &mut OwnedWriteHalf,
    mut outgoing: Outgoing<T>,
) -> io::Result<()> {
    let mut batch = Vec::with_capacity(WRITE_FRAMES_MAX);
    let mut buffer = Vec::new();
    while outgoing.queue.recv_many(&mut batch, WRITE_FRAMES_MAX).await > 0 {
        let mut bulk = 0;
        for value in batch.drain(..) {
            bulk += value.bulk();
            if let Err(error) = wire::append_frame(&value, &mut buffer) {
                error!(%error, "a message that fits no frame is not sent");
            }
            drop(value);
            if buffer.len() > WRITE_BUFFER_BYTES_MAX {
                writer.write_all(&buffer).await?;
                buffer.clear();
            }
        }
        writer.write_all(&buffer).await?;
        outgoing.gone(bulk);
        buffer.clear();
        if buffer.capacity() > WRITE_BUFFER_BYTES_MAX {
            buffer = Vec::new();
        }
    }
    Ok(())
}

/// Writes one frame.
pub(super) async fn send<T: Serialize>(writer: &mut OwnedWriteHalf, value: &T) -> io::Result<()> {
    let mut buffer = Vec::new();
    wire::append_frame(value, &mut buffer).map_err(io::Error::other)?;
    writer.write_all(&buffer).await
}
