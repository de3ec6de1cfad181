//! Frames over TCP, many at a time. What they mean is for `link.rs`, `peers.rs` and `clients.rs`.

use std::io;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use tracing::error;

use crate::wire;

use super::outbox::{Bulk, Outgoing};

/// What is read from a socket at once, bytes.
const READ_BUFFER_BYTES: usize = 64 << 10;

/// Most frames that are handed on at once.
const READ_FRAMES_MAX: usize = 32;

/// Most frames that are written at once.
const WRITE_FRAMES_MAX: usize = 256;

/// A write buffer that grew larger than this is given back, bytes.
const WRITE_BUFFER_BYTES_MAX: usize = 1 << 20;

/// The reading half of a connection, as frames.
pub(super) struct Frames {
    reader: OwnedReadHalf,
    buffer: Vec<u8>,
    /// Where in the buffer the next frame begins.
    start: usize,
}

impl Frames {
    pub(super) fn new(reader: OwnedReadHalf) -> Frames {
        Frames {
            reader,
            buffer: Vec::with_capacity(READ_BUFFER_BYTES),
            start: 0,
        }
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
        loop {
            let next = self.decode_next()?;
            if next.is_some() || !self.read_on().await? {
                return Ok(next);
            }
        }
    }

    /// The same, with the frames behind it that are there already; the bytes are those of all.
    pub(super) async fn next_ones_within<T: DeserializeOwned>(
        &mut self,
        limit: Duration,
    ) -> io::Result<Option<(Vec<T>, usize)>> {
        let Some((first, mut bytes)) = self.next_within(limit).await? else {
            return Ok(None);
        };
        let mut frames = vec![first];
        while frames.len() < READ_FRAMES_MAX && bytes < READ_BUFFER_BYTES {
            match self.decode_next() {
                Ok(Some((frame, more))) => {
                    frames.push(frame);
                    bytes += more;
                }
                // An error will be met again by whoever asks for the next frame.
                Ok(None) | Err(_) => break,
            }
        }
        Ok(Some((frames, bytes)))
    }

    /// The connection without its framing; what was read ahead is lost.
    pub(super) fn into_reader(self) -> OwnedReadHalf {
        self.reader
    }

    /// The next frame, which must come.
    pub(super) async fn expect<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        match self.next().await? {
            Some((value, _)) => Ok(value),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The next frame, and the bytes of its body, if all of it was read.
    fn decode_next<T: DeserializeOwned>(&mut self) -> io::Result<Option<(T, usize)>> {
        let rest = &self.buffer[self.start..];
        match wire::first_frame(rest).map_err(invalid)? {
            None => Ok(None),
            Some((body, bytes)) => {
                let value = wire::decode(body).map_err(invalid)?;
                self.start += bytes;
                Ok(Some((value, body.len())))
            }
        }
    }

    /// Reads more; false at an end between two frames.
    async fn read_on(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.start);
        self.start = 0;
        if self.buffer.is_empty() {
            // A frame that was large is no reason to keep so much for ever.
            self.buffer.shrink_to(READ_BUFFER_BYTES);
        }
        self.buffer.reserve(READ_BUFFER_BYTES);
        match self.reader.read_buf(&mut self.buffer).await? {
            0 if self.buffer.is_empty() => Ok(false),
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(true),
        }
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
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
