//! The proxy of one directed link: whoever connects to its listener is connected to the link's receiver.
//!
//! A proxied connection belongs to its link as one object. The forward half obeys the mode (`pump.rs`). The back half
//! carries only small acknowledgements and always passes, but while the link is held neither side learns of the
//! other's end. Rules and their composition are not known here, only the resulting mode.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::jitter::Jitter;
use super::pump::Pump;
use super::roster::Roster;
use super::rules::Mode;
use crate::fault::Link;

/// How long a receiver may take to complete a connection; only one that is stopped with a full backlog takes any time.
const DIAL_LIMIT: Duration = Duration::from_secs(2);

/// Pause after a failed accept, which is nearly always a lack of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(10);

/// How much of the back half is read at once, bytes.
const BACK_CHUNK_BYTES: usize = 4 * 1024;

/// One directed link.
#[derive(Debug)]
pub(super) struct Proxy {
    link: Link,
    /// Where the sender dials.
    pub(super) address: SocketAddr,
    /// What the link does. Connections follow it by themselves.
    pub(super) mode: watch::Sender<Mode>,
    /// Number of connections, those included that are about to be reset.
    pub(super) open: watch::Sender<usize>,
    roster: Arc<Roster>,
    seed: u64,
}

impl Proxy {
    pub(super) fn new(link: Link, address: SocketAddr, roster: Arc<Roster>, seed: u64) -> Proxy {
        Proxy {
            link,
            address,
            mode: watch::Sender::new(Mode::Pass),
            open: watch::Sender::new(0),
            roster,
            seed,
        }
    }

    /// Accepts for ever.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut lane = (u64::from(self.link.from) << 48) | (u64::from(self.link.to) << 32);
        loop {
            match listener.accept().await {
                Ok((accepted, _)) => {
                    lane += 1;
                    let jitter = Jitter::of(self.seed, lane);
                    tokio::spawn(Arc::clone(&self).carry(accepted, jitter));
                }
                Err(error) => {
                    let Link { from, to } = self.link;
                    warn!(from, to, %error, "a proxy cannot accept");
                    sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }

    /// One connection, from accept to close.
    async fn carry(self: Arc<Self>, mut accepted: TcpStream, jitter: Jitter) {
        // Counted before the mode is looked at: once a reset link counts none, none can slip through any more.
        let _counted = Counted::one_more(&self.open);
        let mode = self.mode.subscribe();
        let Some(mut dialled) = self.dial(mode.clone()).await else {
            reset_on_drop(&accepted);
            return;
        };
        let delivered = tokio::select! {
            biased;
            () = reached(mode.clone(), |mode| mode == Mode::Reset) => false,
            done = relay(&mut accepted, &mut dialled, mode.clone(), jitter) => done.is_ok(),
        };
        if !delivered {
            reset_on_drop(&accepted);
            reset_on_drop(&dialled);
        }
    }

    /// A connection to the link's receiver, as soon as the link lets one through; none if it does not or nobody is there.
    async fn dial(&self, mode: watch::Receiver<Mode>) -> Option<TcpStream> {
        reached(mode.clone(), |mode| mode != Mode::Hold).await;
        if *mode.borrow() == Mode::Reset {
            return None;
        }
        let address = self.roster.find(self.link.to)?.peer_address();
        let stream = timeout(DIAL_LIMIT, TcpStream::connect(address))
            .await
            .ok()?
            .ok()?;
        // Dialling a port that was just given up, the kernel may pick that very port for our own side and connect
        // the socket to itself.
        let dialled_itself = stream.local_addr().ok()? == address;
        (!dialled_itself && stream.set_nodelay(true).is_ok()).then_some(stream)
    }
}

/// Carries both halves until both have ended. An error: the connection has to be reset.
async fn relay(
    accepted: &mut TcpStream,
    dialled: &mut TcpStream,
    mode: watch::Receiver<Mode>,
    jitter: Jitter,
) -> io::Result<()> {
    accepted.set_nodelay(true)?;
    let (from, back_to) = accepted.split();
    let (back_from, to) = dialled.split();
    let forward = Pump::new(from, to, jitter).run(mode.clone());
    tokio::try_join!(forward, carry_back(back_from, back_to, mode))?;
    Ok(())
}

async fn carry_back(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mode: watch::Receiver<Mode>,
) -> io::Result<()> {
    let done = copy(&mut from, &mut to).await;
    if *mode.borrow() == Mode::Hold {
        // The receiver is gone, and what the link holds for it will never arrive. The sender must not know yet.
        reached(mode, |mode| mode != Mode::Hold).await;
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    done?;
    to.shutdown().await
}

async fn copy(from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>) -> io::Result<()> {
    let mut buffer = vec![0; BACK_CHUNK_BYTES];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..length]).await?;
    }
}

/// Returns once the mode is as wanted; never if the network is taken down, which ends all its tasks.
async fn reached(mut mode: watch::Receiver<Mode>, wanted: impl Fn(Mode) -> bool) {
    if mode.wait_for(|&mode| wanted(mode)).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Makes the peer see a reset (RST), not an end (FIN), when the stream is dropped.
fn reset_on_drop(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        warn!(%error, "a proxied connection is closed rather than reset");
    }
}

/// Counts a connection for as long as it lives.
struct Counted<'a>(&'a watch::Sender<usize>);

impl<'a> Counted<'a> {
    fn one_more(open: &'a watch::Sender<usize>) -> Self {
        open.send_modify(|open| *open += 1);
        Counted(open)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}
