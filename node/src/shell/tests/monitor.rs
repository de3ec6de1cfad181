//! The two pages of a running node, and what drives each metric and each check above its threshold.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::config::{Health, HintHolder, Hints, ReadRepair, StoreConfig, SyncPolicy, Versions};
use crate::wire::{self, Quorum, Request, Response};

use super::{A, B, C, PATIENCE, Trio, connect, get, put, store, value, written};

/// Sends these bytes and reads to the end.
async fn say(port: u16, bytes: &[u8]) -> String {
    let mut stream = connect(port).await;
    // A peer that has answered already may reset what it does not want to read.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("an end");
    String::from_utf8(answer).expect("text")
}

/// A page: its status, its headers, its body.
async fn page(port: u16, path: &str) -> (u16, String, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: n\r\n\r\n");
    let answer = say(port, request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).expect("a status");
    (
        status.parse().expect("a number"),
        head.to_owned(),
        body.to_owned(),
    )
}

/// The value of a metric without labels of its own.
fn metric(text: &str, name: &str) -> String {
    let labelled = format!("quorate_{name}{{");
    let line = text.lines().find(|line| line.starts_with(&labelled));
    let line = line.unwrap_or_else(|| panic!("no {name} in:\n{text}"));
    line.rsplit(' ').next().unwrap().to_owned()
}

impl Trio {
    fn metrics_port(&self, id: crate::config::NodeId) -> u16 {
        self.nodes[&id].ready.metrics_port
    }

    async fn metric(&self, id: crate::config::NodeId, name: &str) -> String {
        let (status, _, text) = page(self.metrics_port(id), "/metrics").await;
        assert_eq!(status, 200);
        metric(&text, name)
    }

    async fn health(&self, id: crate::config::NodeId) -> (u16, wire::Health) {
        let (status, head, body) = page(self.metrics_port(id), "/health").await;
        assert!(head.contains("content-type: application/json"), "{head}");
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    /// Waits until the node says that it is well, or ill because of this check.
    async fn wait_for_health(&self, id: crate::config::NodeId, ill: Option<&str>) -> wire::Health {
        let waiting = async {
            loop {
                let (status, health) = self.health(id).await;
                assert_eq!(status, if health.healthy { 200 } else { 503 });
                let failed = health.checks.iter().find(|check| !check.ok);
                if failed.map(|check| check.name.as_str()) == ill {
                    return health;
                }
                sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("in time")
    }
}

#[tokio::test]
async fn metrics_are_served_and_grow() {
    let trio = Trio::start(store(SyncPolicy::EachWrite)).await;
    let (status, head, text) = page(trio.metrics_port(A), "/metrics").await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/plain; version=0.0.4"));
    assert_eq!(metric(&text, "reads_total"), "0");
    assert_eq!(metric(&text, "peers_connected"), "2");
    assert!(!text.contains("quorate_quorum_success_ratio"));
    written(trio.call(A, put("1", 3)).await);
    value(trio.call(A, get()).await);
    let text = page(trio.metrics_port(A), "/metrics").await.2;
    for (name, expected) in [
        ("reads_total", "1"),
        ("writes_acknowledged_total", "1"),
        ("read_seconds_count", "1"),
        ("write_seconds_count", "1"),
        ("quorum_success_ratio", "1.0"),
        ("keys", "1"),
    ] {
        assert_eq!(metric(&text, name), expected, "{name}");
    }
    assert_ne!(metric(&text, "log_bytes"), "0");
    match trio.call(A, Request::Metrics).await {
        Response::Metrics { text } => assert_eq!(metric(&text, "reads_total"), "1"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_request_for_a_page_is_refused_and_the_node_goes_on() {
    let trio = Trio::start(store(SyncPolicy::EachWrite)).await;
    let port = trio.metrics_port(A);
    assert_eq!(page(port, "/").await.0, 404);
    let posted = b"POST /metrics HTTP/1.1\r\nHost: n\r\nContent-Length: 0\r\n\r\n";
    assert!(say(port, posted).await.starts_with("HTTP/1.1 405 "));
    for garbage in [
        &b"\xff\xfe\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let answer = say(port, garbage).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer:?}");
    }
    let long = format!(
        "GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n",
        "x".repeat(1 << 20)
    );
    let answer = say(port, long.as_bytes()).await;
    assert!(!answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "X: x\r\n".repeat(200));
    assert!(
        !say(port, many.as_bytes())
            .await
            .starts_with("HTTP/1.1 200 ")
    );
    assert_eq!(page(port, "/health").await.0, 200);
    written(trio.call(A, put("1", 3)).await);
}

/// The first metric of 004-24: reads that find stale replicas.
#[tokio::test]
async fn the_read_repair_rate_rises_when_replicas_are_behind() {
    let mut trio = Trio::start(StoreConfig {
        r: 3,
        ..store(SyncPolicy::EachWrite)
    })
    .await;
    trio.kill(C).await;
    trio.wait_until(A, |status| status.connected == [B]).await;
    written(trio.call(A, put("1", 2)).await);
    trio.start_node(C).await;
    trio.wait_until(A, |status| status.connected.len() == 2)
        .await;
    assert_eq!(value(trio.call(A, get()).await).0.as_deref(), Some("1"));
    assert_eq!(trio.metric(A, "read_repair_ratio").await, "1.0");
    assert_eq!(trio.metric(A, "read_repair_versions_sent_total").await, "1");
}

/// The second of 004-24, and of 004-25: hints pile up while their owner is away, and the peer that is away is told.
#[tokio::test]
async fn hints_pile_up_while_their_owner_is_away() {
    let mut config = store(SyncPolicy::EachWrite);
    config.options.hints = Hints {
        holder: HintHolder::Coordinator,
        interval_ms: 5,
        ..Hints::default()
    };
    let health = Health {
        hints_max: 2,
        ..Health::default()
    };
    let mut trio = Trio::start_with(config, health).await;
    trio.wait_for_health(A, None).await;
    trio.kill(C).await;
    let ill = trio.wait_for_health(A, Some("peers")).await;
    assert_eq!(ill.checks[0].found, "n3 is not connected");
    for key in ["a", "b", "c"] {
        let request = Request::put(key, "v", Quorum::count(2));
        written(trio.call(A, request).await);
    }
    trio.wait_until(A, |status| status.counters.hints_pending == 3)
        .await;
    let (status, ill) = trio.health(A).await;
    assert_eq!((status, ill.checks[1].ok), (503, false));
    assert_eq!(trio.metric(A, "hints").await, "3");
    assert_eq!(trio.metric(A, "hint_bytes").await, "6");
    match trio.call(A, Request::Hints).await {
        Response::Hints(kept) => {
            assert_eq!((kept[0].owner, kept[0].hints, kept[0].bytes), (C, 3, 6));
        }
        other => panic!("{other:?}"),
    }
    trio.start_node(C).await;
    trio.wait_until(A, |status| status.counters.hints_delivered == 3)
        .await;
    trio.wait_for_health(A, None).await;
    assert_eq!(trio.metric(A, "hints").await, "0");
}

/// The third and fourth of 004-24: what cannot find its quorum lowers the rate, and the time that it took is counted.
#[tokio::test]
async fn a_quorum_that_is_not_there_lowers_the_success_rate() {
    let mut config = store(SyncPolicy::EachWrite);
    config.request_timeout_ms = 300;
    let mut trio = Trio::start(config).await;
    written(trio.call(A, put("1", 3)).await);
    trio.kill(C).await;
    trio.wait_until(A, |status| status.connected == [B]).await;
    assert!(matches!(
        trio.call(A, put("2", 3)).await,
        Response::Refused { .. }
    ));
    assert_eq!(trio.metric(A, "requests_refused_total").await, "1");
    assert_eq!(trio.metric(A, "quorum_success_ratio").await, "0.5");
    for _ in 0..20 {
        value(trio.call(A, get()).await);
    }
    let p99: f64 = trio.metric(A, "read_p99_seconds").await.parse().unwrap();
    assert!(p99 > 0.0);
    assert_eq!(trio.metric(A, "read_seconds_count").await, "20");
}

/// The fifth of 004-24: blind writes leave siblings.
#[tokio::test]
async fn version_conflicts_are_counted() {
    let mut config = store(SyncPolicy::EachWrite);
    config.options.versions = Versions::Dvv { siblings: true };
    config.read_repair = ReadRepair::None;
    let trio = Trio::start(config).await;
    for text in ["1", "2", "3"] {
        written(trio.call(A, put(text, 3)).await);
    }
    let conflicts = trio.metric(A, "conflicts_made_total").await;
    assert_eq!(conflicts, "2");
    match trio.call(A, get()).await {
        Response::Value { values, .. } => assert_eq!(values.len(), 3),
        other => panic!("{other:?}"),
    }
    assert_eq!(trio.metric(A, "conflicts_met_total").await, "1");
}

/// The third check of 004-25: nothing compares the replicas.
#[tokio::test]
async fn replicas_that_nobody_compares_make_a_node_ill() {
    let health = Health {
        repair_age_ms_max: Some(1),
        ..Health::default()
    };
    let trio = Trio::start_with(store(SyncPolicy::EachWrite), health).await;
    let ill = trio.wait_for_health(A, Some("repair")).await;
    assert!(ill.checks[0].ok && ill.checks[1].ok);
}

/// Peers that say nothing of the store are heard of all the same.
#[tokio::test]
async fn an_idle_cluster_is_heard_of() {
    let health = Health {
        ping_interval_ms: 5,
        ..Health::default()
    };
    let trio = Trio::start_with(store(SyncPolicy::EachWrite), health).await;
    let waiting = async {
        loop {
            let (_, health) = trio.health(B).await;
            if health.peers.iter().all(|peer| peer.heard_ms_ago.is_some()) {
                return;
            }
            sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("in time");
    match trio.call(B, Request::Health).await {
        Response::Health(health) => assert!(health.healthy, "{health:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_ring_says_who_holds_a_key() {
    let trio = Trio::start(store(SyncPolicy::EachWrite)).await;
    let key = Some("k".to_owned());
    match trio.call(A, Request::Ring { key }).await {
        Response::Ring(ring) => {
            assert_eq!(ring.nodes.len(), 3);
            let mut replicas = ring.replicas;
            replicas.sort_unstable();
            assert_eq!(replicas, [A, B, C]);
            assert!(ring.stand_ins.is_empty());
        }
        other => panic!("{other:?}"),
    }
}
