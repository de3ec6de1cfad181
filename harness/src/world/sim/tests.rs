//! One small cluster, poked by hand: what clients learn while nodes die, stand still and are cut off.

use quorate_checkers::history::{Nanos, Value};
use quorate_node::config::SyncPolicy;

use super::cluster::Cluster;
use super::queue::{Happening, later};
use super::weather::Weather;
use crate::fault::{Cut, Effect, Fault, Link};
use crate::plan::{Plan, PlanSpec};
use crate::world::{ClientOp, OpKind, Outcome};

const SECOND: u64 = 1_000_000_000;

/// Three nodes that all hold every key, connected and idle.
fn cluster(r: u16, w: u16, sync: SyncPolicy) -> Cluster {
    cluster_with("", r, w, sync)
}

/// The same, with more settings of the store, as a file says them.
fn cluster_with(settings: &str, r: u16, w: u16, sync: SyncPolicy) -> Cluster {
    let settings = PlanSpec::from_toml(&format!("[store]\n{settings}"), "settings");
    let spec = PlanSpec {
        nodes: Some(3),
        n: Some(3),
        r: Some(r),
        w: Some(w),
        read_repair: Some("none".to_owned()),
        ..PlanSpec::default()
    };
    let spec = settings.expect("settings").over(spec);
    let mut plan: Plan = spec.plan(7).expect("a plan");
    plan.store.sync = sync;
    let mut cluster = Cluster::new(&plan, Weather::default());
    assert_eq!(pass(&mut cluster, SECOND), []);
    assert!(cluster.is_ready());
    cluster
}

/// Lets time pass; returns what clients learned meanwhile.
fn pass(cluster: &mut Cluster, for_ns: u64) -> Vec<Outcome> {
    let until: Nanos = later(cluster.queue.now(), for_ns);
    let mut learned = Vec::new();
    while let Some(happening) = cluster.queue.next(until) {
        match happening {
            Happening::Answered {
                client,
                op,
                outcome,
            } => {
                if cluster.clients.finish(client, op) {
                    learned.push(outcome);
                }
            }
            Happening::GaveUp { client, op } => {
                learned.extend(cluster.clients.overdue(client, op));
                cluster.clients.finish(client, op);
            }
            inside => cluster.happen(&inside),
        }
    }
    learned
}

/// The first client asks; returns what it learned within two seconds.
fn ask(cluster: &mut Cluster, node: u16, f: OpKind) -> Outcome {
    begin(cluster, node, f);
    let mut learned = pass(cluster, 2 * SECOND);
    assert_eq!(learned.len(), 1, "{learned:?}");
    learned.remove(0)
}

fn begin(cluster: &mut Cluster, node: u16, f: OpKind) {
    let op = ClientOp::new(f, "k", None);
    cluster.invoke(0, node, op);
}

fn value(outcome: &Outcome) -> Option<&Value> {
    match outcome {
        Outcome::Ok { value, .. } => Some(value),
        Outcome::Fail { .. } | Outcome::Info { .. } => None,
    }
}

fn error(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Ok { .. } => "",
        Outcome::Fail { error, .. } | Outcome::Info { error, .. } => error,
    }
}

fn kill(nodes: &[u16]) -> Fault {
    Fault::Kill {
        nodes: nodes.to_vec(),
    }
}

#[test]
fn what_was_written_is_read_and_every_replica_holds_it() {
    let mut cluster = cluster(2, 2, SyncPolicy::EachWrite);
    let written = ask(&mut cluster, 1, OpKind::Write(5));
    assert_eq!(value(&written), Some(&Value::Int(5)));
    assert_eq!(
        value(&ask(&mut cluster, 2, OpKind::Read)),
        Some(&Value::Int(5))
    );
    for node in 1..=3 {
        assert_eq!(
            value(&ask(&mut cluster, node, OpKind::Census)),
            Some(&Value::Int(5))
        );
    }
    assert!(cluster.is_at_rest());
}

#[test]
fn a_dead_node_refuses_and_an_operation_that_it_took_with_it_is_unknown() {
    let mut cluster = cluster(2, 2, SyncPolicy::EachWrite);
    begin(&mut cluster, 1, OpKind::Write(5));
    // Long enough for the request to arrive, and too short for an answer to be under way.
    pass(&mut cluster, 500_000);
    assert_eq!(cluster.strike(0, &kill(&[1])), Effect::Installed);
    let learned = pass(&mut cluster, SECOND);
    assert!(
        matches!(&learned[..], [Outcome::Info { .. }]),
        "{learned:?}"
    );
    let refused = ask(&mut cluster, 1, OpKind::Write(6));
    assert!(matches!(refused, Outcome::Fail { .. }), "{refused:?}");
    assert!(
        error(&refused).starts_with("cannot connect to n1"),
        "{refused:?}"
    );
    assert_eq!(
        cluster.strike(1, &kill(&[1])),
        Effect::Skipped("n1 is down".to_owned())
    );
    assert_eq!(cluster.lift(0, &kill(&[1])).0, Effect::Installed);
    pass(&mut cluster, SECOND);
    assert!(cluster.is_ready());
    assert_eq!(
        value(&ask(&mut cluster, 1, OpKind::Write(7))),
        Some(&Value::Int(7))
    );
}

#[test]
fn a_kill_takes_back_only_what_was_not_synced() {
    for (sync, left) in [
        (SyncPolicy::EachWrite, Value::Int(5)),
        (SyncPolicy::EveryMs(60_000), Value::Nil),
    ] {
        let mut cluster = cluster(1, 3, sync);
        let written = ask(&mut cluster, 1, OpKind::Write(5));
        assert_eq!(value(&written), Some(&Value::Int(5)));
        cluster.strike(0, &kill(&[1, 2, 3]));
        cluster.lift(0, &kill(&[1, 2, 3]));
        pass(&mut cluster, SECOND);
        assert_eq!(value(&ask(&mut cluster, 2, OpKind::Read)), Some(&left));
    }
}

#[test]
fn a_node_that_stands_still_answers_when_it_runs_again() {
    let mut cluster = cluster(2, 2, SyncPolicy::EachWrite);
    let pause = Fault::Pause { nodes: vec![1] };
    assert_eq!(cluster.strike(0, &pause), Effect::Installed);
    begin(&mut cluster, 1, OpKind::Write(5));
    assert_eq!(pass(&mut cluster, SECOND / 2), []);
    assert_eq!(cluster.lift(0, &pause), (Effect::Installed, 0));
    let learned = pass(&mut cluster, SECOND / 4);
    assert_eq!(value(&learned[0]), Some(&Value::Int(5)));

    cluster.strike(1, &pause);
    let overdue = ask(&mut cluster, 1, OpKind::Write(6));
    assert!(matches!(overdue, Outcome::Info { .. }), "{overdue:?}");
    assert_eq!(error(&overdue), "no reply within 1000 ms");
}

#[test]
fn a_cut_off_coordinator_has_no_quorum_until_the_heal() {
    let links: Vec<Link> = [2, 3].map(|to| Link { from: 1, to }).to_vec();
    let partition = |cut| Fault::Partition {
        shape: "one-way".to_owned(),
        cut,
        links: links.clone(),
    };
    let mut cluster = cluster(2, 2, SyncPolicy::EachWrite);
    cluster.strike(0, &partition(Cut::Hold));
    let held = ask(&mut cluster, 1, OpKind::Write(5));
    assert!(matches!(held, Outcome::Info { .. }), "{held:?}");
    cluster.lift(0, &partition(Cut::Hold));
    pass(&mut cluster, SECOND);
    let late = ask(&mut cluster, 3, OpKind::Census);
    assert_eq!(
        value(&late),
        Some(&Value::Int(5)),
        "what is held arrives in the end"
    );

    cluster.strike(1, &partition(Cut::Reset));
    pass(&mut cluster, SECOND);
    let refused = ask(&mut cluster, 1, OpKind::Write(6));
    assert_eq!(error(&refused), "1 of 3 replicas reachable, W = 2");
    cluster.lift_all();
    pass(&mut cluster, SECOND);
    assert_eq!(
        value(&ask(&mut cluster, 1, OpKind::Write(7))),
        Some(&Value::Int(7))
    );
}

#[test]
fn a_slow_clock_lets_the_later_write_lose() {
    let mut cluster = cluster(2, 2, SyncPolicy::EachWrite);
    let clock = Fault::Clock {
        offsets_ms: vec![(2, -60_000)],
    };
    cluster.strike(0, &clock);
    ask(&mut cluster, 1, OpKind::Write(5));
    ask(&mut cluster, 2, OpKind::Write(6));
    assert_eq!(
        value(&ask(&mut cluster, 3, OpKind::Read)),
        Some(&Value::Int(5))
    );
    cluster.lift(0, &clock);
    ask(&mut cluster, 2, OpKind::Write(7));
    assert_eq!(
        value(&ask(&mut cluster, 3, OpKind::Read)),
        Some(&Value::Int(7))
    );
}

#[test]
fn stamps_of_clients_do_not_care_for_the_clocks_of_nodes() {
    let mut cluster = cluster_with("stamps = \"client\"", 2, 2, SyncPolicy::EachWrite);
    cluster.strike(
        0,
        &Fault::Clock {
            offsets_ms: vec![(2, -60_000)],
        },
    );
    ask(&mut cluster, 1, OpKind::Write(5));
    ask(&mut cluster, 2, OpKind::Write(6));
    assert_eq!(
        value(&ask(&mut cluster, 3, OpKind::Read)),
        Some(&Value::Int(6))
    );
    ask(&mut cluster, 2, OpKind::Delete);
    assert_eq!(
        value(&ask(&mut cluster, 3, OpKind::Read)),
        Some(&Value::Nil)
    );
}
