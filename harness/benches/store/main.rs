//! What the store serves: one node against `redis-server` on the same connections, five nodes with W = R = 2, and a start with a million keys.
//!
//! Both servers are measured in turn, slice by slice, so that a busy machine slows both, and medians are printed. Clients and servers share the cores of this
//! machine; the time that each side had a core is printed beside the rates, for that tells which side a rate is bounded by. Run it with
//! `cargo bench --bench store`; a number after `--` sets the slices per figure (default 7), and `throughput`, `five` or `restart` choose a part.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]

mod load;
mod quorate;
mod redis;
mod restart;

use std::path::Path;
use std::time::Duration;

use nix::sys::time::TimeSpec;

use load::{Mix, Requests, Tally, Target, load, load_for};

/// Slices per figure, unless told otherwise, and how long each lasts.
const SLICES: usize = 7;
const SLICE: Duration = Duration::from_millis(400);
/// Keys of the table.
const KEYS: usize = 10_000;
const CONNECTIONS: usize = 50;
/// Requests under way on each connection.
const DEPTHS: [usize; 2] = [1, 16];
const VALUE_BYTES: [usize; 3] = [10, 100, 1_000];
const MIXES: [Mix; 3] = [
    Mix {
        name: "GET",
        reads_percent: 100,
    },
    Mix {
        name: "SET",
        reads_percent: 0,
    },
    Mix {
        name: "50/50",
        reads_percent: 50,
    },
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let slices = words.iter().find_map(|word| word.parse().ok());
    let slices = slices.unwrap_or(SLICES);
    let parts = ["throughput", "five", "restart"];
    let chosen = |part| {
        let any = words.iter().any(|word| parts.contains(&word.as_str()));
        !any || words.iter().any(|word| word == part)
    };
    quorate::check_kinds();
    let version = redis::Redis::version();
    match &version {
        Some(version) => println!("baseline: redis-server {version}, appendfsync everysec"),
        None => println!(
            "NO BASELINE: there is no redis-server on this machine (apt-get install redis-server); only quorate is measured"
        ),
    }
    let root = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let with_redis = version.is_some();
    if chosen("throughput") {
        runtime.block_on(throughput(root.path(), slices, with_redis));
    }
    if chosen("five") {
        runtime.block_on(five(root.path(), slices));
    }
    if chosen("restart") {
        runtime.block_on(restart::restarts(root.path(), with_redis));
    }
}

/// Every key of the table has a value before it is read.
async fn prefill(target: &Target<'_>, requests: &Requests) {
    let sets = std::cell::RefCell::new(requests.all_sets());
    load(target, 1, 64, |_, out| {
        let set = sets.borrow_mut().next();
        out.extend_from_slice(set.unwrap_or_default());
        set.is_some()
    })
    .await;
}

/// One node against redis.
async fn throughput(root: &Path, slices: usize, with_redis: bool) {
    let node = quorate::Node::start(&root.join("quorate"));
    let redis = with_redis.then(|| redis::Redis::start(&root.join("redis")));
    let mut targets = vec![node.target()];
    targets.extend(redis.as_ref().map(redis::Redis::target));
    println!(
        "\none node, {CONNECTIONS} connections, {KEYS} keys of 16 bytes, sync every 1s; {slices} slices of {SLICE:?} each, in turn\n\
         us = microseconds of a core per request: server, client\n"
    );
    for value_bytes in VALUE_BYTES {
        let mut requests = Vec::new();
        for target in &targets {
            let encoded = Requests::encode(target.dialect, KEYS, value_bytes);
            prefill(target, &encoded).await;
            requests.push(encoded);
        }
        for depth in DEPTHS {
            for mix in MIXES {
                let mut tallies = vec![Vec::new(); targets.len()];
                for slice in 0..slices {
                    for turn in 0..targets.len() {
                        // Whoever goes first meets what the other left behind, so they take turns at that too.
                        let who = (turn + slice) % targets.len();
                        let manner = (CONNECTIONS, depth);
                        let tally =
                            load_for(&targets[who], &requests[who], mix, manner, SLICE).await;
                        tallies[who].push(tally);
                    }
                }
                let figures: Vec<Tally> = tallies.iter().map(|each| medians(each)).collect();
                print(mix, value_bytes, depth, &figures);
            }
        }
    }
    node.stop();
    if let Some(redis) = redis {
        redis.stop();
    }
}

fn print(mix: Mix, value_bytes: usize, depth: usize, figures: &[Tally]) {
    let side = |tally: &Tally| {
        format!(
            "{:7.0} /s ({:5.2} + {:5.2} us)",
            tally.per_s, tally.server_us, tally.client_us
        )
    };
    let name = mix.name;
    let row = format!("{name:5} {value_bytes:4} B  depth {depth:2}");
    match figures {
        [ours, theirs] => println!(
            "{row}   redis {}   quorate {}   ratio {:.2} of its rate, {:.2} of its core",
            side(theirs),
            side(ours),
            ours.per_s / theirs.per_s,
            ours.server_us / theirs.server_us,
        ),
        _ => println!(
            "{row}   quorate {}",
            figures.iter().map(side).collect::<String>()
        ),
    }
}

/// Five nodes, W = R = 2, against one by itself, in turn.
async fn five(root: &Path, slices: usize) {
    let one = quorate::Node::start(&root.join("one"));
    let five = quorate::Five::start(&root.join("five")).await;
    let one_target = one.target();
    let targets = [&one_target, five.target()];
    let value_bytes = 100;
    let requests = Requests::encode(&quorate::Frames, KEYS, value_bytes);
    for target in targets {
        prefill(target, &requests).await;
    }
    println!(
        "\nfive nodes, N = 3, W = R = 2, links through the harness's proxies, {CONNECTIONS} connections, values of {value_bytes} bytes"
    );
    for depth in DEPTHS {
        for mix in [MIXES[0], MIXES[1]] {
            let mut tallies = [Vec::new(), Vec::new()];
            for _ in 0..slices {
                for (who, target) in targets.iter().enumerate() {
                    let manner = (CONNECTIONS, depth);
                    tallies[who].push(load_for(target, &requests, mix, manner, SLICE).await);
                }
            }
            let [one, five] = tallies.map(|each| medians(&each));
            let implied = frames(mix) / 2.0;
            let cost = five.server_us / one.server_us;
            println!(
                "{:5} {value_bytes:4} B  depth {depth:2}   five {:7.0} /s ({:5.2} us)   one {:7.0} /s ({:5.2} us)   {:.1} times the core of one node; its messages imply {implied:.1}",
                mix.name, five.per_s, five.server_us, one.per_s, one.server_us, cost,
            );
        }
    }
    one.stop();
    five.stop().await;
}

/// Frames sent and frames received by all five nodes for one request, on average.
///
/// Two of them are the client's. The coordinator is one of the key's three replicas for three keys in five. A read
/// asks R = 2 replicas, itself first if it is one; a write tells all three. Each is asked and answers.
fn frames(mix: Mix) -> f64 {
    let others = if mix.reads_percent == 100 {
        0.6 * 1.0 + 0.4 * 2.0
    } else {
        0.6 * 2.0 + 0.4 * 3.0
    };
    // Each of the client's frames meets one node, each of the nodes' own meets two.
    2.0 + others * 2.0 * 2.0
}

fn medians(tallies: &[Tally]) -> Tally {
    let of = |field: fn(&Tally) -> f64| median(tallies.iter().map(field).collect());
    Tally {
        per_s: of(|tally| tally.per_s),
        client_us: of(|tally| tally.client_us),
        server_us: of(|tally| tally.server_us),
        longest_ms: of(|tally| tally.longest_ms),
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

fn seconds(time: TimeSpec) -> f64 {
    time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9
}
