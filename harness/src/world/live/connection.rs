//! One connection to the client port of a node: requests out, replies in, matched by tag.
//!
//! It knows no time limits and no outcomes: whoever drops a pending request has to drop the connection too.

use std::io;
use std::net::SocketAddr;

use futures_util::{FutureExt, SinkExt, StreamExt};
use quorate_node::wire::{self, ClientFrame, Request, Response, ServerFrame};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

/// Why there was no reply.
#[derive(Debug, Error)]
pub(crate) enum Broken {
    /// The request cannot be put into words; nothing was sent.
    #[error("the request cannot be encoded: {0}")]
    Request(postcard::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Connection(io::Error),
    /// The node closed it.
    #[error("the node closed the connection")]
    Closed,
    /// The node sent something that is no reply.
    #[error("the node broke the protocol: {0}")]
    Protocol(postcard::Error),
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    frames: Framed<TcpStream, LengthDelimitedCodec>,
    /// The tag of the latest request.
    tag: u64,
}

impl Connection {
    pub(crate) async fn dial(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        // The port was given up a moment ago, and the kernel connected the socket to itself.
        if stream.local_addr()? == address {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        stream.set_nodelay(true)?;
        Ok(Connection {
            frames: Framed::new(stream, wire::codec()),
            tag: 0,
        })
    }

    /// Whether the other side has not hung up, as far as is known without asking. Late replies are thrown away.
    pub(super) fn is_alive(&mut self) -> bool {
        loop {
            match self.frames.next().now_or_never() {
                None => return true,
                Some(Some(Ok(_late_reply))) => {}
                Some(Some(Err(_)) | None) => return false,
            }
        }
    }

    /// Asks, and waits for the reply to just this request.
    pub(crate) async fn ask(&mut self, request: Request) -> Result<Response, Broken> {
        self.tag += 1;
        let frame = ClientFrame {
            tag: self.tag,
            request,
        };
        let frame = wire::encode(&frame).map_err(Broken::Request)?;
        self.frames
            .send(frame.as_slice())
            .await
            .map_err(Broken::Connection)?;
        loop {
            let frame = self.frames.next().await.ok_or(Broken::Closed)?;
            let frame = frame.map_err(Broken::Connection)?;
            let reply: ServerFrame = wire::decode(&frame).map_err(Broken::Protocol)?;
            if reply.tag == self.tag {
                return Ok(reply.response);
            }
        }
    }
}
