//! What one client is told: encoded where it comes about, and written from there if the socket takes it.
//!
//! A reply so costs no task of its own. What the socket does not take at once waits here, and is written by the connection's task
//! ([`Replies::drain`]); only if too much piles up the client is let go. What replies say is for `node.rs`.

use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::tcp::OwnedWriteHalf;
use tokio::select;
use tokio::sync::Notify;
use tracing::error;

use crate::wire::{self, ServerFrame};

/// A buffer that grew larger than this is given back, bytes.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// The way to one client.
#[derive(Debug)]
pub(super) struct Replies {
    socket: OwnedWriteHalf,
    /// Most bytes that wait.
    bytes_max: u64,
    waiting: Mutex<Waiting>,
    /// There is something for the connection's task.
    stuck: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// How many of them are written.
    written: usize,
    end: Option<End>,
}

#[derive(Debug)]
enum End {
    /// The node is done with this client.
    LetGo,
    Broken(io::Error),
}

/// What became of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It waits alone: [`Replies::flush`] is due.
    First,
    /// It waits behind others.
    Behind,
    /// Too much waits, or nobody is there any more.
    Refused,
}

impl Replies {
    /// The way over this socket, where at most so many bytes wait. One reply may always wait, however large it is.
    pub(super) fn new(socket: OwnedWriteHalf, bytes_max: u64) -> Replies {
        Replies {
            socket,
            bytes_max,
            waiting: Mutex::default(),
            stuck: Notify::new(),
        }
    }

    /// Adds a reply to what waits.
    pub(super) fn add(&self, frame: &ServerFrame) -> Added {
        let mut waiting = self.waiting();
        let left = waiting.left();
        if waiting.end.is_some() {
            return Added::Refused;
        }
        if let Err(error) = wire::append_frame(frame, &mut waiting.bytes) {
            error!(%error, "a reply that fits no frame is not sent");
        }
        match left {
            0 => Added::First,
            _ if waiting.left() as u64 > self.bytes_max => Added::Refused,
            _ => Added::Behind,
        }
    }

    /// Writes what waits, as much of it as the socket takes now.
    pub(super) fn flush(&self) {
        if !self.flushed() {
            self.stuck.notify_one();
        }
    }

    /// Ends the connection without what still waits.
    pub(super) fn let_go(&self) {
        self.waiting().end.get_or_insert(End::LetGo);
        self.stuck.notify_one();
    }

    /// Writes what the socket did not take at once, for as long as the connection lasts.
    pub(super) async fn drain(&self) -> io::Result<()> {
        loop {
            self.stuck.notified().await;
            while !self.flushed() {
                match self.waiting().end.take() {
                    None => {}
                    Some(End::LetGo) => return Ok(()),
                    Some(End::Broken(error)) => return Err(error),
                }
                select! {
                    ready = self.socket.writable() => ready?,
                    () = self.stuck.notified() => {}
                }
            }
        }
    }

    /// Whether nothing is left to do for the connection's task, now that the socket was given what it takes.
    fn flushed(&self) -> bool {
        let mut waiting = self.waiting();
        let waiting = &mut *waiting;
        while waiting.end.is_none() && waiting.left() > 0 {
            match self.socket.try_write(&waiting.bytes[waiting.written..]) {
                Ok(bytes) => waiting.written += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => waiting.end = Some(End::Broken(error)),
            }
        }
        if waiting.end.is_some() {
            return false;
        }
        waiting.bytes.clear();
        waiting.bytes.shrink_to(KEPT_BYTES_MAX);
        waiting.written = 0;
        true
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here panics half-way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn left(&self) -> usize {
        self.bytes.len() - self.written
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::timeout;

    use crate::wire::Response;

    use super::*;

    /// No step of a test may take longer.
    const PATIENCE: Duration = Duration::from_secs(20);

    const BYTES_MAX: u64 = 24 << 20;

    async fn pair() -> (Replies, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).await.unwrap();
        let (_, writer) = listener.accept().await.unwrap().0.into_split();
        (Replies::new(writer, BYTES_MAX), client)
    }

    fn large(tag: u64) -> ServerFrame {
        let why = "x".repeat(1 << 19);
        ServerFrame {
            tag,
            response: Response::Refused { why },
        }
    }

    #[tokio::test]
    async fn what_the_socket_does_not_take_follows() {
        let (replies, mut client) = pair().await;
        let mut expected = Vec::new();
        for tag in 0..40 {
            let added = replies.add(&large(tag));
            assert_eq!(added == Added::First, tag == 0);
            wire::append_frame(&large(tag), &mut expected).unwrap();
        }
        replies.flush();
        let mut read = vec![0; expected.len()];
        let all = async {
            tokio::select! {
                ended = replies.drain() => panic!("{ended:?}"),
                read = client.read_exact(&mut read) => read.unwrap(),
            }
        };
        timeout(PATIENCE, all).await.expect("all of it");
        assert!(read == expected);
        assert_eq!(replies.add(&large(1)), Added::First);
    }

    #[tokio::test]
    async fn who_lets_too_much_pile_up_is_let_go() {
        let (replies, _client) = pair().await;
        let pile = async {
            let mut added = 0;
            while replies.add(&large(added)) != Added::Refused {
                replies.flush();
                added += 1;
                tokio::task::yield_now().await;
            }
            assert!(added >= BYTES_MAX >> 20);
            replies.let_go();
        };
        let both = async { tokio::join!(replies.drain(), pile).0 };
        let ended = timeout(PATIENCE, both).await.expect("an end");
        ended.expect("the node's own wish");
    }

    #[tokio::test]
    async fn a_client_that_is_gone_is_an_error() {
        let (replies, client) = pair().await;
        drop(client);
        let writing = async {
            // The first write may still find an open socket.
            for tag in 0.. {
                if replies.add(&large(tag)) == Added::Refused {
                    break;
                }
                replies.flush();
                tokio::task::yield_now().await;
            }
            replies.drain().await
        };
        let ended = timeout(PATIENCE, writing).await.expect("an end");
        ended.expect_err("it is gone");
    }
}
