//! What anti-entropy costs, against sending the digests of all keys in the same run; and what it costs to keep the trees.
//!
//! Run it with `cargo bench -p quorate-node --bench merkle`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the protocol itself does not"
)]
#![expect(clippy::cast_precision_loss, reason = "figures to be read")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use quorate_node::protocol::Key;
use quorate_node::protocol::merkle::{
    Answer, Contents, Effort, Exchange, HashRange, Index, Question, Shape, Step, Tree, answer,
};
use quorate_node::wire::{decode, encode};

/// How often each is measured; the best counts.
const ROUNDS: usize = 3;
/// More questions than any of these exchanges needs.
const QUESTIONS_MAX: u32 = 100_000;

fn main() {
    println!("keeping a tree over the whole ring: best of {ROUNDS} rounds, ns and bytes per key");
    println!(
        "{:>9} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9}",
        "keys", "index", "+insert", "+update", "+remove", "build", "memory", "of 16 B"
    );
    for count in [1_000, 10_000, 100_000, 500_000, 1_000_000] {
        upkeep(count);
    }
    println!();
    println!("two replicas, one key in three held by mine, by theirs, by both; all = every digest");
    println!(
        "{:>9} {:>6} {:>9} {:>9} {:>7} {:>9} {:>5} {:>10} {:>10} {:>8} {:>9} {:>9} {:>8}",
        "n",
        "d",
        "compared",
        "dlog16",
        "x",
        "of n",
        "trips",
        "bytes",
        "all bytes",
        "x all",
        "us",
        "all us",
        "x all"
    );
    for count in [1_000, 10_000, 100_000, 1_000_000] {
        compare(count);
    }
}

fn key(number: usize) -> Key {
    Key::from(format!("key-{number:08}"))
}

/// `SplitMix64` of one number: a digest.
fn digest(number: usize, version: u64) -> u64 {
    let mut z = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ version;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A replica of one range, as an owner keeps it.
#[derive(Clone)]
struct Replica {
    index: Index,
    tree: Tree,
}

impl Replica {
    fn new() -> Replica {
        Replica {
            index: Index::default(),
            tree: Tree::new(HashRange::FULL, Shape::default()),
        }
    }

    fn set(&mut self, key: &Key, digest: Option<u64>) {
        let old = self.index.set(key, digest);
        let hash = self.index.hash(key.as_str());
        self.tree.set(hash, old, digest, &self.index);
    }
}

/// Seconds that each step takes: all keys inserted, updated, removed.
fn steps(keys: &[Key], mut set: impl FnMut(&Key, Option<u64>)) -> [Duration; 3] {
    let mut step = |version: Option<u64>| {
        let began = Instant::now();
        for (number, key) in keys.iter().enumerate() {
            set(key, version.map(|version| digest(number, version)));
        }
        began.elapsed()
    };
    [step(Some(1)), step(Some(2)), step(None)]
}

fn upkeep(count: usize) {
    let keys: Vec<Key> = (0..count).map(key).collect();
    let mut alone = [Duration::MAX; 3];
    let mut with_tree = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        let mut index = Index::default();
        let times = steps(&keys, |key, digest| {
            black_box(index.hash(key.as_str()));
            index.set(key, digest);
        });
        alone = shorter(alone, times);
        let mut replica = Replica::new();
        with_tree = shorter(
            with_tree,
            steps(&keys, |key, digest| replica.set(key, digest)),
        );
    }
    let mut replica = Replica::new();
    for (number, key) in keys.iter().enumerate() {
        replica.set(key, Some(digest(number, 1)));
    }
    let build = best(|| {
        let tree = Tree::build(HashRange::FULL, Shape::default(), &replica.index);
        assert_eq!(tree.root(), replica.tree.root());
    });
    let added = |step: usize| per(with_tree[step], count) - per(alone[step], count);
    let memory = replica.tree.memory_bytes() as f64 / count as f64;
    println!(
        "{count:>9} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {memory:>8.2} {:>8.0}%",
        per(alone[0], count),
        added(0),
        added(1),
        added(2),
        per(build, count),
        memory / 16.0 * 100.0,
    );
}

fn compare(count: usize) {
    let mut mine = Replica::new();
    for number in 0..count {
        mine.set(&key(number), Some(digest(number, 1)));
    }
    for differing in [0, 1, 10, 100, 1_000] {
        let mut mine = mine.clone();
        let mut theirs = mine.clone();
        for place in 0..differing {
            let number = place * count / differing;
            match place % 3 {
                0 => theirs.set(&key(number), Some(digest(number, 2))),
                1 => theirs.set(&key(number), None),
                _ => mine.set(&key(number), None),
            }
        }
        row(count, differing, &mine, &theirs);
    }
}

fn row(count: usize, differing: usize, mine: &Replica, theirs: &Replica) {
    let mut effort = Effort::default();
    let tree = best(|| {
        effort = exchange(mine, theirs);
    });
    assert_eq!(effort.keys_differing(), differing as u64);
    let mut bytes = 0;
    let all = best(|| {
        let (found, sent) = all_digests(&mine.index, &theirs.index);
        assert_eq!(found, differing);
        bytes = sent;
    });
    let compared = effort.nodes_compared as f64;
    let (n, d) = (count as f64, differing as f64);
    let expected = if differing == 0 {
        0.0
    } else {
        d * (n / d).log(16.0)
    };
    let factor = if expected > 0.0 {
        format!("{:.1}", compared / expected)
    } else {
        "-".to_owned()
    };
    println!(
        "{count:>9} {differing:>6} {:>9} {expected:>9.1} {factor:>7} {:>8.3}% {:>5} {:>10} {bytes:>10} {:>8.5} {:>9.1} {:>9.1} {:>8.5}",
        effort.nodes_compared,
        compared / n * 100.0,
        effort.messages / 2,
        effort.bytes,
        effort.bytes as f64 / bytes as f64,
        microseconds(tree),
        microseconds(all),
        microseconds(tree) / microseconds(all),
    );
}

/// An exchange whose messages are encoded and decoded as they would be.
fn exchange(mine: &Replica, theirs: &Replica) -> Effort {
    let mut exchange = Exchange::new(QUESTIONS_MAX, false);
    loop {
        match exchange.next(&mine.tree, &mine.index) {
            Step::Ask(question) => {
                let body = encode(&question).expect("plain data");
                let question: Question = decode(&body).expect("what was encoded");
                let said = answer(&question, &theirs.tree, &theirs.index);
                let body = encode(&said).expect("plain data");
                let said: Answer = decode(&body).expect("what was encoded");
                exchange.hear(said, &mine.tree, &mine.index);
            }
            Step::Found(found) => _ = black_box(found),
            Step::Finished => return exchange.effort(),
            Step::GivenUp => panic!("more than {QUESTIONS_MAX} questions"),
        }
    }
}

/// The baseline: the other side sends a hash and a digest, sixteen bytes, of every key. Returns how many differ and the bytes.
fn all_digests(mine: &Index, theirs: &Index) -> (usize, usize) {
    let mut body = Vec::new();
    for entry in theirs.entries(0..=u64::MAX) {
        body.extend_from_slice(&entry.hash.to_le_bytes());
        body.extend_from_slice(&entry.digest.to_le_bytes());
    }
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |n, byte| n << 8 | u64::from(*byte))
    };
    let mut theirs = body
        .chunks_exact(16)
        .map(|pair| (number(&pair[..8]), number(&pair[8..])))
        .peekable();
    let mut found = 0;
    for entry in mine.entries(0..=u64::MAX) {
        while theirs.next_if(|(hash, _)| *hash < entry.hash).is_some() {
            found += 1;
        }
        let same = theirs.next_if(|(hash, _)| *hash == entry.hash);
        found += usize::from(same.is_none_or(|(_, digest)| digest != entry.digest));
    }
    (found + theirs.count(), body.len())
}

fn shorter(a: [Duration; 3], b: [Duration; 3]) -> [Duration; 3] {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].min(b[2])]
}

fn best(mut work: impl FnMut()) -> Duration {
    let times = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        work();
        began.elapsed()
    });
    times.min().unwrap_or_default()
}

fn per(time: Duration, count: usize) -> f64 {
    time.as_nanos() as f64 / count as f64
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
