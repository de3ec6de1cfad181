//! What reading costs: our own lines in MB/s on one core, against `serde_json` on the same bytes in the same run.
//!
//! Run it with `cargo bench -p quorate-checkers --bench reader`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the crate itself does not"
)]

use std::hint::black_box;
use std::time::Instant;

use quorate_checkers::history::{
    Answer, Event, EventType, Evidence, F, FORMAT, Header, History, Level, Nanos, Process, Quorum,
    ReadRepair, Settings, Stamp, Sync, Value, Values, Versions,
};

/// Operations of each made-up history; two lines each.
const OPERATIONS: u64 = 200_000;
/// Clients that work at once.
const CLIENTS: u64 = 100;
/// How often each way is tried; the best counts.
const ROUNDS: usize = 7;

fn main() {
    println!(
        "lines       bytes/line  way                     MB/s  against serde_json into values"
    );
    for (name, lean, evidence) in [
        ("bare", true, false),
        ("of a run", false, false),
        ("with evidence", false, true),
    ] {
        let bytes = made_up(lean, evidence);
        let mb = f64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX)) / 1e6;
        let lines = || bytes.split(|&byte| byte == b'\n').skip(1);
        let lines = || lines().filter(|line| !line.is_empty());
        let values = best(|| {
            lines()
                .filter(|line| serde_json::from_slice::<serde_json::Value>(line).is_ok())
                .count()
        });
        let events = best(|| {
            lines()
                .filter(|line| serde_json::from_slice::<Event>(line).is_ok())
                .count()
        });
        let history = best(|| {
            let history = History::parse(&bytes).expect("a history");
            black_box(&history);
            history.operations.len() * 2
        });
        let per_line = mb * 1e6 / 2.0 / f64::from(u32::try_from(OPERATIONS).unwrap_or(u32::MAX));
        for (way, seconds) in [
            ("serde_json into values", values),
            ("serde_json into events", events),
            ("into operations", history),
        ] {
            println!(
                "{name:<13} {per_line:>8.1}  {way:<22} {:>5.0}  {:.2}",
                mb / seconds,
                values / seconds
            );
        }
    }
}

/// The shortest of several times, s. All ways must count the same lines.
fn best(mut work: impl FnMut() -> usize) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        let lines = work();
        let seconds = began.elapsed().as_secs_f64();
        assert_eq!(lines as u64, OPERATIONS * 2, "a line was not read");
        seconds
    });
    times.fold(f64::INFINITY, f64::min)
}

/// Clients ask one after the other, and are answered in the same order.
fn made_up(lean: bool, evidence: bool) -> Vec<u8> {
    let mut out = Vec::new();
    header().to_line(&mut out);
    let mut index = 0;
    for round in 0..OPERATIONS / CLIENTS {
        for kind in [EventType::Invoke, EventType::Ok] {
            for client in 0..CLIENTS {
                let mut event = event(index, round, client, kind);
                if lean {
                    (event.node, event.level) = (None, None);
                }
                if evidence && kind == EventType::Ok {
                    event.evidence = Some(Box::new(claims(index, client)));
                }
                event.to_line(&mut out);
                index += 1;
            }
        }
    }
    out
}

fn event(index: u64, round: u64, client: u64, kind: EventType) -> Event {
    let writes = client.is_multiple_of(2);
    let value = i64::try_from(round * CLIENTS + client / 2 * 2).unwrap_or(0);
    Event {
        index,
        time: Nanos(index * 17_231),
        kind,
        process: Process::Client(client),
        f: if writes { F::Write } else { F::Read },
        key: Some("k0".to_owned()),
        value: if writes || kind == EventType::Ok {
            Value::Int(value)
        } else {
            Value::Nil
        },
        context: None,
        error: None,
        node: Some(format!("n{}", client % 5 + 1)),
        level: Some(Level::Count(2)),
        evidence: None,
        extra: serde_json::Map::new(),
    }
}

fn claims(index: u64, client: u64) -> Evidence {
    let node = |n: u64| format!("n{}", n % 5 + 1);
    let stamp = Stamp {
        wall_ns: 1_764_000_000_000_000_000 + i64::try_from(index).unwrap_or(0),
        node: node(client),
    };
    let pair = [node(client), node(client + 1)];
    let mut evidence = Evidence {
        version: Some(stamp.clone()),
        epoch: Some(1),
        ..Evidence::default()
    };
    if client.is_multiple_of(2) {
        evidence.acked_by = pair.to_vec();
    } else {
        let answer = |node| Answer {
            node,
            version: Some(stamp.clone()),
        };
        evidence.answered_by = pair.map(answer).to_vec();
    }
    evidence
}

fn header() -> Header {
    Header {
        format: FORMAT,
        plan: "made up".to_owned(),
        workload: "register".to_owned(),
        seed: 1,
        nodes: (1..=5).map(|node| format!("n{node}")).collect(),
        quorum: Quorum { n: 3, r: 2, w: 2 },
        claim: None,
        read_repair: ReadRepair::None,
        sync: Sync::EachWrite,
        request_timeout_ms: 500,
        concurrency: CLIENTS,
        versions: Versions::Lww,
        values: Values::Integers,
        settings: Settings::default(),
        judges: None,
        sabotage: Vec::new(),
        setup: None,
    }
}
