//! What a client makes of what a node does: scripted nodes, one reply at a time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use quorate::world::live::{Entry, Incarnation, LiveClient, Roster};
use quorate::world::{ClientOp, OpKind, Outcome};
use quorate_checkers::history::{Stamp, Value};
use quorate_node::config::{Level, NodeId};
use quorate_node::wire::{
    self, ClientFrame, Context, Evidence, Quorum, Request, Response, ServerFrame,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

/// For operations that are to be answered.
const LIMIT: Duration = Duration::from_secs(10);

/// For operations that are not.
const SHORT: Duration = Duration::from_millis(60);

type Line = Framed<TcpStream, LengthDelimitedCodec>;

/// One node that does what the test says.
struct Node {
    listener: TcpListener,
    roster: Arc<Roster>,
}

impl Node {
    async fn up() -> Node {
        let roster = Arc::new(Roster::of(1));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client_port = listener.local_addr().unwrap().port();
        let entry = Entry {
            incarnation: Incarnation(0),
            client_port,
            peer_port: 0,
        };
        roster.starting(1, entry.incarnation);
        assert!(roster.publish(1, entry));
        Node { listener, roster }
    }

    fn client(&self) -> LiveClient {
        LiveClient::new(Arc::clone(&self.roster))
    }

    async fn accept(&self) -> Line {
        Framed::new(self.listener.accept().await.unwrap().0, wire::codec())
    }
}

async fn next_request(line: &mut Line) -> ClientFrame {
    wire::decode(&line.next().await.unwrap().unwrap()).unwrap()
}

async fn reply(line: &mut Line, tag: u64, response: Response) {
    let frame = wire::encode(&ServerFrame { tag, response }).unwrap();
    line.send(frame.as_slice()).await.unwrap();
}

fn op(f: OpKind) -> ClientOp {
    ClientOp::new(f, "k", Some(Level::Count(2)))
}

/// What a client learns about `f` from a node that answers its request with `response`.
async fn answered(f: OpKind, response: Response) -> (Request, Outcome) {
    let node = Node::up().await;
    let mut client = node.client();
    let op = op(f);
    let answer = async {
        let mut line = node.accept().await;
        let frame = next_request(&mut line).await;
        reply(&mut line, frame.tag, response).await;
        frame.request
    };
    tokio::join!(answer, client.invoke(1, &op, LIMIT))
}

/// What a client learns about `f` from a node that takes the request, does `rest` with the connection, and no more.
async fn unanswered<F: Future>(f: OpKind, rest: impl FnOnce(Line) -> F) -> Outcome {
    let node = Node::up().await;
    let mut client = node.client();
    let op = op(f);
    let serve = async {
        let mut line = node.accept().await;
        next_request(&mut line).await;
        let _kept = rest(line).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = client.invoke(1, &op, SHORT) => outcome,
        () = serve => unreachable!("it never ends"),
    }
}

/// Returns after the runtime has looked at its sockets: a connection cannot be made otherwise.
async fn look_at_sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (dialled, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    dialled.and(accepted).unwrap();
}

fn is_info(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Info { .. })
}

fn is_fail(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Fail { .. })
}

#[tokio::test]
async fn a_read_returns_the_integer_and_the_claims() {
    let stamp = wire::Stamp {
        wall_ns: 9,
        node: 3,
    };
    let evidence = Evidence {
        coordinator: 1,
        epoch: 4,
        version: Some(stamp),
        answered_by: vec![(NodeId(3), Some(stamp)), (NodeId(2), None)],
        ..Evidence::default()
    };
    let response = Response::Value {
        values: vec![b"-42".to_vec()],
        context: Context::default(),
        evidence,
    };
    let (request, outcome) = answered(OpKind::Read, response).await;
    assert_eq!(request, Request::get("k".to_owned(), Quorum::count(2)));
    let Outcome::Ok {
        value,
        evidence: Some(evidence),
        ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(value, Value::Int(-42));
    assert_eq!(evidence.epoch, Some(4));
    assert_eq!(
        evidence.version,
        Some(Stamp {
            wall_ns: 9,
            node: "n3".to_owned()
        })
    );
    let answered_by: Vec<&str> = evidence
        .answered_by
        .iter()
        .map(|one| one.node.as_str())
        .collect();
    assert_eq!(answered_by, ["n3", "n2"]);
    assert_eq!(evidence.answered_by[1].version, None);
}

#[tokio::test]
async fn a_write_travels_as_digits() {
    let evidence = Evidence {
        acked_by: vec![NodeId(2), NodeId(1)],
        ..Evidence::default()
    };
    let response = Response::Written { evidence };
    let (request, outcome) = answered(OpKind::Write(7), response).await;
    let put = Request::put("k".to_owned(), b"7".to_vec(), Quorum::count(2));
    assert_eq!(request, put);
    let Outcome::Ok {
        value,
        evidence: Some(evidence),
        ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(value, Value::Int(7));
    assert_eq!(evidence.acked_by, ["n2", "n1"]);
}

#[tokio::test]
async fn a_census_asks_the_replica_itself() {
    let response = Response::Value {
        values: Vec::new(),
        context: Context::default(),
        evidence: Evidence::default(),
    };
    let (request, outcome) = answered(OpKind::Census, response).await;
    assert_eq!(
        request,
        Request::Inspect {
            key: "k".to_owned()
        }
    );
    assert!(
        matches!(
            outcome,
            Outcome::Ok {
                value: Value::Nil,
                ..
            }
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn what_nobody_wrote_is_handed_on_for_the_checkers() {
    for bytes in [
        &b"+7"[..],
        b"007",
        b"seven",
        b"",
        b"\xff",
        b"9223372036854775808",
    ] {
        let response = Response::Value {
            values: vec![bytes.to_vec()],
            context: Context::default(),
            evidence: Evidence::default(),
        };
        let (_, outcome) = answered(OpKind::Read, response).await;
        let Outcome::Ok {
            value: Value::Json(value),
            ..
        } = outcome
        else {
            panic!("{bytes:?} became {outcome:?}");
        };
        assert!(value.is_string());
    }
}

#[tokio::test]
async fn a_refusal_is_certain() {
    let refused = || Response::Refused {
        why: "too few replicas".to_owned(),
    };
    for f in [
        OpKind::Read,
        OpKind::Write(1),
        OpKind::Delete,
        OpKind::Census,
    ] {
        let (_, outcome) = answered(f, refused()).await;
        assert_eq!(
            outcome,
            Outcome::Fail {
                error: "too few replicas".to_owned(),
                evidence: None
            }
        );
    }
}

#[tokio::test]
async fn an_unknown_write_is_info_and_an_unknown_read_fails() {
    let unknown = || Response::Unknown {
        why: "1 of 2 acknowledged".to_owned(),
        evidence: Evidence {
            acked_by: vec![NodeId(1)],
            ..Evidence::default()
        },
    };
    let (_, write) = answered(OpKind::Write(1), unknown()).await;
    let Outcome::Info {
        error,
        evidence: Some(evidence),
    } = write
    else {
        panic!("{write:?}");
    };
    assert_eq!(error, "1 of 2 acknowledged");
    assert_eq!(evidence.acked_by, ["n1"]);
    assert!(is_info(&answered(OpKind::Delete, unknown()).await.1));
    assert!(is_fail(&answered(OpKind::Read, unknown()).await.1));
}

#[tokio::test]
async fn a_broken_or_silent_connection_leaves_writes_unknown() {
    let keep = |line| async move { line };
    let close = |line| async move { drop(line) };
    let babble = |mut line: Line| async move {
        line.send(&b"\xff\xff\xff"[..]).await.unwrap();
        line
    };
    assert!(is_info(&unanswered(OpKind::Write(1), keep).await));
    assert!(is_fail(&unanswered(OpKind::Read, keep).await));
    assert!(is_info(&unanswered(OpKind::Delete, close).await));
    assert!(is_fail(&unanswered(OpKind::Census, close).await));
    assert!(is_info(&unanswered(OpKind::Write(1), babble).await));
    assert!(is_fail(&unanswered(OpKind::Read, babble).await));
}

#[tokio::test]
async fn nothing_was_sent_to_a_node_that_is_down_or_refuses_connections() {
    let Node { listener, roster } = Node::up().await;
    let mut client = LiveClient::new(Arc::clone(&roster));
    roster.gone(1);
    let outcome = client.invoke(1, &op(OpKind::Write(1)), LIMIT).await;
    assert_eq!(
        outcome,
        Outcome::Fail {
            error: "n1 is down".to_owned(),
            evidence: None
        }
    );
    drop(listener);
    assert!(is_fail(
        &client.invoke(9, &op(OpKind::Write(1)), LIMIT).await
    ));
}

#[tokio::test]
async fn one_connection_serves_until_it_breaks_and_late_replies_are_ignored() {
    let node = Node::up().await;
    let mut client = node.client();
    let written = || Response::Written {
        evidence: Evidence::default(),
    };
    let (closed, is_closed) = oneshot::channel();
    let serve = async {
        let mut line = node.accept().await;
        let first = next_request(&mut line).await;
        reply(&mut line, first.tag, written()).await;
        let second = next_request(&mut line).await;
        // A reply to the first comes again, before and in the middle.
        reply(
            &mut line,
            first.tag,
            Response::Refused {
                why: "late".to_owned(),
            },
        )
        .await;
        reply(&mut line, second.tag, written()).await;
        drop(line);
        closed.send(()).unwrap();
        let mut line = node.accept().await;
        let third = next_request(&mut line).await;
        reply(&mut line, third.tag, written()).await;
        line
    };
    let invoke = async {
        assert!(writes(&mut client, 1).await);
        assert!(writes(&mut client, 2).await);
        is_closed.await.unwrap();
        look_at_sockets().await;
        assert!(writes(&mut client, 3).await);
    };
    tokio::join!(serve, invoke);
}

async fn writes(client: &mut LiveClient, value: i64) -> bool {
    let outcome = client.invoke(1, &op(OpKind::Write(value)), LIMIT).await;
    matches!(outcome, Outcome::Ok { value: Value::Int(wrote), .. } if wrote == value)
}
