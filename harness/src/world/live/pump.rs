//! The forward half of one proxied connection: bytes from the dialling node to the dialled one, as its link's mode says.
//!
//! It loses nothing, reorders nothing and looks into nothing. Resets are not its business: `proxy.rs` drops the whole
//! connection for those.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::jitter::Jitter;
use super::rules::Mode;

/// How much is read at once, bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// How much a delayed connection keeps in flight, bytes; beyond that the sender has to wait, as in a full pipe.
const IN_FLIGHT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The pump of one connection.
///
/// Every await in it is one cancel-safe call, and all that was read but not yet written is kept in here. So it can be
/// interrupted at any await by a change of mode, and goes on where it was.
pub(super) struct Pump<'a> {
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
    /// What is read lands here; `unwritten` is the part of it that was not yet written. Oldest bytes of all.
    buffer: Box<[u8]>,
    unwritten: Range<usize>,
    /// What is in flight on a delayed link, oldest first.
    in_flight: VecDeque<Late>,
    in_flight_bytes: usize,
    /// When the newest of them is due; nothing overtakes it.
    last_due: Instant,
    jitter: Jitter,
    /// The sender has closed its side.
    ended: bool,
}

/// Bytes, or the end of the stream if there are none, that arrive later.
struct Late {
    due: Instant,
    bytes: Box<[u8]>,
}

impl<'a> Pump<'a> {
    pub(super) fn new(from: ReadHalf<'a>, to: WriteHalf<'a>, jitter: Jitter) -> Self {
        Pump {
            from,
            to,
            buffer: vec![0; CHUNK_BYTES].into_boxed_slice(),
            unwritten: 0..0,
            in_flight: VecDeque::new(),
            in_flight_bytes: 0,
            last_due: Instant::now(),
            jitter,
            ended: false,
        }
    }

    /// Forwards until the sender has closed its side and all was delivered; an error means that one side is broken.
    pub(super) async fn run(mut self, mut mode: watch::Receiver<Mode>) -> io::Result<()> {
        loop {
            let now = *mode.borrow_and_update();
            tokio::select! {
                biased;
                changed = mode.changed() => changed.map_err(|_| network_gone())?,
                done = self.forward(now) => return done,
            }
        }
    }

    /// Forwards in one mode, until the end.
    async fn forward(&mut self, mode: Mode) -> io::Result<()> {
        match mode {
            Mode::Pass => self.pass().await,
            Mode::Delay { delay, jitter } => self.delay(delay, jitter).await,
            // A held link is not even read: the bytes wait in the kernel, and so does news of the sender's end.
            Mode::Hold | Mode::Reset => std::future::pending().await,
        }
    }

    async fn pass(&mut self) -> io::Result<()> {
        self.write_buffer().await?;
        while !self.in_flight.is_empty() {
            self.land().await?;
        }
        while !self.ended {
            let length = self.from.read(&mut self.buffer).await?;
            self.unwritten = 0..length;
            self.ended = length == 0;
            self.write_buffer().await?;
        }
        self.to.shutdown().await
    }

    async fn delay(&mut self, delay: Duration, jitter: Duration) -> io::Result<()> {
        self.write_buffer().await?;
        loop {
            let front = self.in_flight.front().map(|late| late.due);
            if self.ended && front.is_none() {
                return self.to.shutdown().await;
            }
            let has_room = !self.ended && self.in_flight_bytes < IN_FLIGHT_BYTES_MAX;
            tokio::select! {
                biased;
                () = sleep_until(front.unwrap_or(self.last_due)), if front.is_some() => {
                    self.land().await?;
                }
                length = self.from.read(&mut self.buffer), if has_room => {
                    let late_by = delay + self.jitter.draw(jitter);
                    self.take_off(length?, late_by);
                }
            }
        }
    }

    /// What was just read into the buffer (nothing: the end) arrives after `late_by`, and after all that is older.
    fn take_off(&mut self, length: usize, late_by: Duration) {
        self.ended = length == 0;
        self.last_due = self.last_due.max(Instant::now() + late_by);
        self.in_flight_bytes += length;
        self.in_flight.push_back(Late {
            due: self.last_due,
            bytes: self.buffer[..length].into(),
        });
    }

    /// Writes the oldest bytes in flight.
    async fn land(&mut self) -> io::Result<()> {
        // Through the buffer, which is empty now, so that a write that is cut short by a change of mode goes on there.
        if let Some(late) = self.in_flight.pop_front() {
            self.in_flight_bytes -= late.bytes.len();
            self.unwritten = 0..late.bytes.len();
            self.buffer[..late.bytes.len()].copy_from_slice(&late.bytes);
        }
        self.write_buffer().await
    }

    async fn write_buffer(&mut self) -> io::Result<()> {
        while !self.unwritten.is_empty() {
            let length = self.to.write(&self.buffer[self.unwritten.clone()]).await?;
            if length == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.unwritten.start += length;
        }
        Ok(())
    }
}

fn network_gone() -> io::Error {
    io::Error::other("the network was taken down")
}
