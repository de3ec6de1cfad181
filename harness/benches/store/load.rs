//! The clients of both servers: the same connections, the same rounds, the same keys and values; only the bytes differ.
//!
//! A client sends as many requests as its depth, waits for all their replies, and goes on. Requests are encoded beforehand and replies are
//! only cut apart and looked at for success, so that what a client library costs is in neither figure.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::seconds;

/// Room for replies that is made before each look at the socket, bytes.
const READ_BYTES: usize = 64 << 10;

/// How requests and replies look on the wire of one server.
pub(super) trait Dialect {
    /// A read.
    fn get(&self, key: &str) -> Vec<u8>;
    /// A write.
    fn set(&self, key: &str, value: &[u8]) -> Vec<u8>;
    /// The bytes of the first reply, once it is there whole. Ends the benchmark if it is no success.
    fn reply(&self, bytes: &[u8]) -> Option<usize>;
}

/// What the clients ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mix {
    pub(super) name: &'static str,
    pub(super) reads_percent: u64,
}

/// The requests of one cell of the table, encoded.
pub(super) struct Requests {
    gets: Vec<Vec<u8>>,
    sets: Vec<Vec<u8>>,
}

impl Requests {
    /// One read and one write of each key.
    pub(super) fn encode(dialect: &dyn Dialect, keys: usize, value_bytes: usize) -> Requests {
        let mut dice = Dice(7);
        let mut gets = Vec::new();
        let mut sets = Vec::new();
        for number in 0..keys {
            let key = key(number);
            let value: Vec<u8> = (0..value_bytes).map(|_| dice.byte()).collect();
            gets.push(dialect.get(&key));
            sets.push(dialect.set(&key, &value));
        }
        Requests { gets, sets }
    }

    pub(super) fn all_sets(&self) -> impl Iterator<Item = &[u8]> {
        self.sets.iter().map(Vec::as_slice)
    }

    fn draw(&self, mix: Mix, dice: &mut Dice) -> &[u8] {
        let requests = if dice.below(100) < mix.reads_percent {
            &self.gets
        } else {
            &self.sets
        };
        let place = dice.below(requests.len() as u64);
        &requests[usize::try_from(place).unwrap_or(0)]
    }
}

/// Sixteen bytes, as long as a name that a program makes up.
pub(super) fn key(number: usize) -> String {
    format!("key:{number:012}")
}

/// Numbers that look drawn, the same in every run (xorshift).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: u64) -> u64 {
        (self.next() >> 16) % most
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}

/// What came of one load.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) per_s: f64,
    /// Time on a core per request, of the clients' thread and of the server's processes, us.
    pub(super) client_us: f64,
    pub(super) server_us: f64,
    /// The longest wait for a round of replies, ms.
    pub(super) longest_ms: f64,
}

/// A server: how to talk to it, where, and which processes it is.
pub(super) struct Target<'a> {
    pub(super) dialect: &'a dyn Dialect,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) pids: Vec<u32>,
}

/// A load on so many connections, spread over all addresses. `next` appends the next request of a connection; there are no more if it
/// says so.
pub(super) async fn load(
    target: &Target<'_>,
    connections: usize,
    depth: usize,
    next: impl Fn(usize, &mut Vec<u8>) -> bool,
) -> Tally {
    let mut streams = Vec::new();
    for connection in 0..connections {
        let address = target.addresses[connection % target.addresses.len()];
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        streams.push(stream);
    }
    let (client_s, server_s) = (own_core_s(), core_s(&target.pids));
    let began = Instant::now();
    let next = &next;
    let talks = (0..).zip(streams).map(|(connection, stream)| {
        converse(stream, target.dialect, depth, move |out| {
            next(connection, out)
        })
    });
    let talks = join_all(talks).await;
    let took_s = began.elapsed().as_secs_f64();
    let requests: u32 = talks.iter().map(|(requests, _)| requests).sum();
    let requests = f64::from(requests.max(1));
    let longest = talks.iter().map(|(_, longest)| *longest).max();
    Tally {
        per_s: requests / took_s,
        client_us: (own_core_s() - client_s) / requests * 1e6,
        server_us: (core_s(&target.pids) - server_s) / requests * 1e6,
        longest_ms: longest.map_or(0.0, |longest| longest.as_secs_f64() * 1e3),
    }
}

/// A load of drawn requests for some time.
pub(super) async fn load_for(
    target: &Target<'_>,
    requests: &Requests,
    mix: Mix,
    (connections, depth): (usize, usize),
    lasts: Duration,
) -> Tally {
    let until = Instant::now() + lasts;
    let dice: Vec<_> = (1..=connections)
        .map(|seed| RefCell::new(Dice(seed as u64 * 0x9e37_79b9)))
        .collect();
    load(target, connections, depth, |connection, out| {
        let goes_on = Instant::now() < until;
        if goes_on {
            let dice = &mut dice[connection].borrow_mut();
            out.extend_from_slice(requests.draw(mix, dice));
        }
        goes_on
    })
    .await
}

/// Requests that were answered, and the longest wait.
async fn converse(
    mut stream: TcpStream,
    dialect: &dyn Dialect,
    depth: usize,
    next: impl Fn(&mut Vec<u8>) -> bool,
) -> (u32, Duration) {
    let (mut out, mut input) = (Vec::new(), Vec::new());
    let (mut requests, mut longest) = (0, Duration::ZERO);
    loop {
        out.clear();
        let mut waiting = 0;
        while waiting < depth && next(&mut out) {
            waiting += 1;
            requests += 1;
        }
        if waiting == 0 {
            return (requests, longest);
        }
        let asked = Instant::now();
        stream.write_all(&out).await.expect("a server that reads");
        while waiting > 0 {
            input.reserve(READ_BYTES);
            let read = stream.read_buf(&mut input).await.expect("a reply");
            assert!(read > 0, "the server hung up");
            let mut used = 0;
            while let Some(bytes) = dialect.reply(&input[used..]) {
                used += bytes;
                waiting -= 1;
            }
            input.drain(..used);
        }
        longest = longest.max(asked.elapsed());
    }
}

/// For how long this thread has had a core, s.
fn own_core_s() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock of this thread");
    seconds(time)
}

/// For how long these processes have had a core, s.
fn core_s(pids: &[u32]) -> f64 {
    let each = pids.iter().map(|pid| {
        let pid = Pid::from_raw(i32::try_from(*pid).expect("a process id"));
        let clock = ClockId::pid_cpu_clock_id(pid).expect("a clock of the server");
        seconds(clock_gettime(clock).expect("its time"))
    });
    each.sum()
}
