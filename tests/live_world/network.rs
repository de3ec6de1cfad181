//! What the peers of one directed link see, in each mode. Waits are for conditions; the short ones prove a silence.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quorate::fault::Link;
use quorate::world::live::{Entry, Incarnation, Network, Roster, Rule};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const THERE: Link = Link { from: 1, to: 2 };
const BACK: Link = Link { from: 2, to: 1 };

/// No wait for something that must happen takes longer than this.
const LIMIT: Duration = Duration::from_secs(10);

/// How long nothing has to happen until we believe that it does not.
const SILENCE: Duration = Duration::from_millis(60);

/// Two nodes that are bare sockets, and the network between them.
struct Pair {
    network: Network,
    roster: Arc<Roster>,
    nodes: [TcpListener; 2],
}

impl Pair {
    async fn open() -> Pair {
        let roster = Arc::new(Roster::of(2));
        let network = Network::open(&roster, 7).unwrap();
        let nodes = [listen().await, listen().await];
        for (node, listener) in (1..).zip(&nodes) {
            let entry = Entry {
                incarnation: Incarnation(0),
                client_port: 0,
                peer_port: listener.local_addr().unwrap().port(),
            };
            roster.starting(node, entry.incarnation);
            assert!(roster.publish(node, entry));
        }
        Pair {
            network,
            roster,
            nodes,
        }
    }

    /// The sender's end of a new connection on `link`.
    async fn dial(&self, link: Link) -> TcpStream {
        TcpStream::connect(self.network.address(link).unwrap())
            .await
            .unwrap()
    }

    /// The receiver's end of a connection on `link`.
    async fn accept(&self, link: Link) -> TcpStream {
        let listener = &self.nodes[usize::from(link.to) - 1];
        timeout(LIMIT, listener.accept())
            .await
            .expect("a connection")
            .unwrap()
            .0
    }

    async fn connect(&self, link: Link) -> (TcpStream, TcpStream) {
        (self.dial(link).await, self.accept(link).await)
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// Bytes in which every loss, repetition and swap of a few shows.
fn pattern(length: usize) -> Vec<u8> {
    let words = (0_u32..).flat_map(u32::to_be_bytes);
    words.take(length).collect()
}

async fn expect_bytes(stream: &mut TcpStream, expected: &[u8]) {
    let mut received = vec![0; expected.len()];
    timeout(LIMIT, stream.read_exact(&mut received))
        .await
        .expect("bytes")
        .unwrap();
    assert!(
        received == expected,
        "the bytes that arrived are not those that were sent"
    );
}

async fn expect_silence(stream: &mut TcpStream) {
    let read = timeout(SILENCE, stream.read_u8()).await;
    assert!(read.is_err(), "expected silence, saw {read:?}");
}

async fn expect_end(stream: &mut TcpStream) {
    let read = timeout(LIMIT, stream.read(&mut [0])).await.expect("an end");
    assert_eq!(read.unwrap(), 0);
}

async fn expect_reset(stream: &mut TcpStream) {
    let read = timeout(LIMIT, stream.read(&mut [0]))
        .await
        .expect("a reset");
    assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// The reset may be there before the connect returns, or after.
async fn expect_no_connection(pair: &Pair, link: Link) {
    match TcpStream::connect(pair.network.address(link).unwrap()).await {
        Ok(mut stream) => expect_reset(&mut stream).await,
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

#[tokio::test]
async fn a_whole_link_carries_bytes_acknowledgements_and_the_end() {
    let pair = Pair::open().await;
    let (mut sender, mut receiver) = pair.connect(THERE).await;
    let sent = pattern(3_000_000);
    let (written, ()) = tokio::join!(sender.write_all(&sent), expect_bytes(&mut receiver, &sent));
    written.unwrap();
    receiver.write_all(b"ack").await.unwrap();
    expect_bytes(&mut sender, b"ack").await;
    sender.shutdown().await.unwrap();
    expect_end(&mut receiver).await;
    drop(receiver);
    expect_end(&mut sender).await;
}

#[tokio::test]
async fn a_held_link_delivers_everything_in_order_after_its_release() {
    let pair = Pair::open().await;
    let (mut sender, mut receiver) = pair.connect(THERE).await;
    let sent = pattern(2_000_000);
    sender.write_all(&sent[..1_000]).await.unwrap();
    expect_bytes(&mut receiver, &sent[..1_000]).await;

    pair.network.impose(&[THERE], Rule::Hold).await.unwrap();
    assert!(!pair.network.is_whole());
    sender.write_all(&sent[1_000..2_000]).await.unwrap();
    expect_silence(&mut receiver).await;
    receiver.write_all(b"ack").await.unwrap();
    expect_bytes(&mut sender, b"ack").await;

    let write_rest = async {
        sender.write_all(&sent[2_000..]).await.unwrap();
        sender.shutdown().await.unwrap();
    };
    let release = async {
        pair.network.lift(&[THERE], Rule::Hold).await.unwrap();
        expect_bytes(&mut receiver, &sent[1_000..]).await;
        expect_end(&mut receiver).await;
    };
    tokio::join!(write_rest, release);
    assert!(pair.network.is_whole());
}

#[tokio::test]
async fn a_new_connection_on_a_held_link_waits_for_the_release() {
    let pair = Pair::open().await;
    pair.network.impose(&[THERE], Rule::Hold).await.unwrap();
    let mut sender = pair.dial(THERE).await;
    sender.write_all(b"hello").await.unwrap();
    assert!(timeout(SILENCE, pair.nodes[1].accept()).await.is_err());
    pair.network.lift(&[THERE], Rule::Hold).await.unwrap();
    expect_bytes(&mut pair.accept(THERE).await, b"hello").await;
}

#[tokio::test]
async fn a_held_link_hides_the_death_of_the_receiver_until_its_release() {
    let pair = Pair::open().await;
    let (mut sender, receiver) = pair.connect(THERE).await;
    pair.network.impose(&[THERE], Rule::Hold).await.unwrap();
    drop(receiver);
    expect_silence(&mut sender).await;
    pair.network.lift(&[THERE], Rule::Hold).await.unwrap();
    expect_reset(&mut sender).await;
}

#[tokio::test]
async fn what_a_dead_sender_had_sent_into_a_held_link_still_arrives() {
    let pair = Pair::open().await;
    let (mut sender, mut receiver) = pair.connect(THERE).await;
    pair.network.impose(&[THERE], Rule::Hold).await.unwrap();
    sender.write_all(b"last words").await.unwrap();
    drop(sender);
    expect_silence(&mut receiver).await;
    pair.network.lift(&[THERE], Rule::Hold).await.unwrap();
    expect_bytes(&mut receiver, b"last words").await;
    expect_end(&mut receiver).await;
}

#[tokio::test]
async fn a_reset_link_resets_old_and_new_connections_until_it_is_healed() {
    let pair = Pair::open().await;
    let (mut sender, mut receiver) = pair.connect(THERE).await;
    sender.write_all(b"x").await.unwrap();
    expect_bytes(&mut receiver, b"x").await;

    pair.network.impose(&[THERE], Rule::Reset).await.unwrap();
    expect_reset(&mut sender).await;
    expect_reset(&mut receiver).await;
    expect_no_connection(&pair, THERE).await;
    assert!(timeout(SILENCE, pair.nodes[1].accept()).await.is_err());

    pair.network.lift(&[THERE], Rule::Reset).await.unwrap();
    let (mut sender, mut receiver) = pair.connect(THERE).await;
    sender.write_all(b"y").await.unwrap();
    expect_bytes(&mut receiver, b"y").await;
}

#[tokio::test]
async fn a_reset_link_resets_connections_that_were_held() {
    let pair = Pair::open().await;
    let (mut old, _receiver) = pair.connect(THERE).await;
    pair.network.impose(&[THERE], Rule::Hold).await.unwrap();
    let mut new = pair.dial(THERE).await;
    pair.network.impose(&[THERE], Rule::Reset).await.unwrap();
    expect_reset(&mut old).await;
    expect_reset(&mut new).await;

    // The other fault is still in force: nothing is let through yet.
    pair.network.lift(&[THERE], Rule::Reset).await.unwrap();
    let mut newest = pair.dial(THERE).await;
    expect_silence(&mut newest).await;
    assert!(timeout(SILENCE, pair.nodes[1].accept()).await.is_err());
    pair.network.lift_all().await.unwrap();
    pair.accept(THERE).await;
}

#[tokio::test]
async fn a_slow_link_is_slow_and_keeps_the_order() {
    let pair = Pair::open().await;
    let delay = Duration::from_millis(20);
    let jitter = Duration::from_millis(20);
    pair.network
        .impose(&[THERE], Rule::Delay { delay, jitter })
        .await
        .unwrap();
    let (mut sender, mut receiver) = pair.connect(THERE).await;
    sender.set_nodelay(true).unwrap();
    let sent = pattern(400);
    let began = Instant::now();
    let write = async {
        for message in sent.chunks(4) {
            sender.write_all(message).await.unwrap();
            tokio::task::yield_now().await;
        }
        sender.shutdown().await.unwrap();
    };
    let read = async {
        expect_bytes(&mut receiver, &sent).await;
        expect_end(&mut receiver).await;
    };
    tokio::join!(write, read);
    assert!(began.elapsed() >= delay);
}

#[tokio::test]
async fn a_slow_link_that_is_healed_delivers_what_is_in_flight_first() {
    let pair = Pair::open().await;
    let (mut sender, mut receiver) = pair.connect(THERE).await;
    let hour = Rule::Delay {
        delay: Duration::from_secs(3_600),
        jitter: Duration::ZERO,
    };
    pair.network.impose(&[THERE], hour).await.unwrap();
    sender.write_all(b"one ").await.unwrap();
    expect_silence(&mut receiver).await;
    sender.write_all(b"two ").await.unwrap();
    expect_silence(&mut receiver).await;
    pair.network.lift(&[THERE], hour).await.unwrap();
    sender.write_all(b"three").await.unwrap();
    expect_bytes(&mut receiver, b"one two three").await;
}

#[tokio::test]
async fn links_are_directed_and_rules_stay_on_theirs() {
    let pair = Pair::open().await;
    let (mut there, _there_end) = pair.connect(THERE).await;
    let (mut back, mut back_end) = pair.connect(BACK).await;
    pair.network.impose(&[THERE], Rule::Reset).await.unwrap();
    expect_reset(&mut there).await;
    back.write_all(b"still here").await.unwrap();
    expect_bytes(&mut back_end, b"still here").await;
    assert_eq!(pair.network.first_unknown(&[THERE, BACK]), None);
    let to_itself = Link { from: 1, to: 1 };
    assert_eq!(
        pair.network.first_unknown(&[THERE, to_itself]),
        Some(to_itself)
    );
}

#[tokio::test]
async fn connections_to_a_node_that_is_down_are_reset() {
    let pair = Pair::open().await;
    pair.roster.gone(2);
    expect_no_connection(&pair, THERE).await;
}

#[tokio::test]
async fn a_dropped_network_leaves_nothing_open() {
    let Pair {
        network,
        roster: _,
        nodes,
    } = Pair::open().await;
    let mut sender = TcpStream::connect(network.address(THERE).unwrap())
        .await
        .unwrap();
    let (mut receiver, _) = timeout(LIMIT, nodes[1].accept()).await.unwrap().unwrap();
    drop(network);
    for end in [&mut sender, &mut receiver] {
        let read = timeout(LIMIT, end.read(&mut [0])).await.expect("an end");
        assert!(matches!(read, Ok(0) | Err(_)));
    }
}
