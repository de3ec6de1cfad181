//! What it costs a request to find the owners of its key: looked up in a table per range, against a walk around the ring in the same run;
//! and what making the table costs, once per change of the ring.
//!
//! Run it with `cargo bench -p quorate-node --bench placement`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark measures time; the crate itself does not"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use quorate_node::config::NodeId;
use quorate_node::protocol::Ring;
use quorate_node::protocol::membership::{Command, Pending, RingState, RingView};
use quorate_node::protocol::placement::{Placement, Replication};

/// Virtual nodes per node, as Cassandra has them.
const TOKENS: u32 = 16;
/// Keys asked for.
const KEYS: usize = 100_000;
/// How often each figure is taken; the best counts.
const ROUNDS: usize = 5;

fn main() {
    let keys: Vec<_> = (0..KEYS).map(|key| format!("key-{key}")).collect();
    println!(
        "ns per key, {TOKENS} tokens per node, N = 3, and two data centres of 3 replicas each"
    );
    println!(
        "  nodes  walk (baseline)  table         two centres   owners, quiet  owners, joining  table made"
    );
    for nodes in [5, 64, 1_000] {
        report(nodes, &keys);
    }
}

fn report(nodes: u16, keys: &[String]) {
    let ring = Ring::new(nodes, TOKENS);
    let simple = Replication::Simple { n: 3 };
    let centres = ["east", "west"].map(str::to_owned);
    let labels: BTreeMap<_, _> = (1..=nodes)
        .map(|node| (NodeId(node), centres[usize::from(node % 2)].clone()))
        .collect();
    let per_centre = Replication::PerDataCentre(centres.map(|centre| (centre, 3)).into());

    let began = Instant::now();
    let table = Placement::new(ring.clone(), &simple, &labels);
    let made_ms = began.elapsed().as_secs_f64() * 1e3;
    let two = Placement::new(ring.clone(), &per_centre, &labels);

    let mut state = RingState::initial(labels);
    let quiet = RingView::new(&state, TOKENS, &simple, Pending::Counted);
    let node = NodeId(nodes + 1);
    let join = Command::Join {
        node,
        data_centre: String::new(),
        replaces: None,
    };
    state.command(NodeId(1), join).expect("a new node");
    let joining = RingView::new(&state, TOKENS, &simple, Pending::Counted);

    let walk = ns_per_key(keys, |key| ring.preference_list(key, 3).len());
    let figure = |ns: f64| format!("{ns:6.1} ({:4.2}x)", ns / walk);
    println!(
        "  {nodes:>5}  {walk:>15.1}  {}  {}  {}  {}  {made_ms:6.2} ms",
        figure(ns_per_key(keys, |key| table.replicas(key).len())),
        figure(ns_per_key(keys, |key| two.replicas(key).len())),
        figure(ns_per_key(keys, |key| quiet.owners(key).reads.len())),
        figure(ns_per_key(keys, |key| joining.owners(key).block_for(2))),
    );
}

fn ns_per_key(keys: &[String], find: impl Fn(&str) -> usize) -> f64 {
    let round = |_| {
        let began = Instant::now();
        let found: usize = keys.iter().map(|key| find(black_box(key))).sum();
        black_box(found);
        began.elapsed().as_secs_f64() * 1e9 / keys.len() as f64
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}
