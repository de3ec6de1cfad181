//! A million keys: how long a start takes that has to read them, what a key takes of memory, and for how long the server stands still
//! while it shortens its log.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use super::load::{Dialect, Dice, Tally, Target, key, load};
use super::quorate::Node;
use super::redis::Redis;

/// Keys, and the bytes of each value.
const KEYS: usize = 1_000_000;
const VALUE_BYTES: usize = 100;
/// How the keys are written: connections and requests under way on each.
const CONNECTIONS: usize = 32;
const DEPTH: usize = 16;

/// What a server makes of a million keys.
struct Million {
    filled: Tally,
    /// Bytes of memory for each key, after they were written and after the restart.
    written_bytes: f64,
    read_bytes: f64,
    disk_bytes: f64,
    restart_s: f64,
}

impl Million {
    fn print(&self, who: &str) {
        println!(
            "  {who:8} ready after {:5.2} s   memory {:4.0} B per key when written, {:4.0} B when read back   disk {:4.0} B per key",
            self.restart_s, self.written_bytes, self.read_bytes, self.disk_bytes
        );
        println!(
            "  {:8} written twice at {:7.0} /s ({:.2} us of a core each), longest wait of a round of {DEPTH} {:.0} ms",
            "", self.filled.per_s, self.filled.server_us, self.filled.longest_ms
        );
    }
}

/// Measures both, one after the other; redis only if it is there.
pub(super) async fn restarts(root: &Path, with_redis: bool) {
    println!("\nrestart with {KEYS} keys, values of {VALUE_BYTES} bytes, each written twice");
    let ours = million(
        &root.join("million-quorate"),
        Node::start,
        |node| (node.target(), node.pid(), node.ready_s),
        Node::stop,
    )
    .await;
    if with_redis {
        let theirs = million(
            &root.join("million-redis"),
            Redis::start,
            |redis| (redis.target(), redis.pid(), redis.ready_s),
            Redis::stop,
        )
        .await;
        theirs.print("redis");
    }
    ours.print("quorate");
    println!("  goal: quorate ready in under 3 s");
}

async fn million<S>(
    dir: &Path,
    start: impl Fn(&Path) -> S,
    about: impl Fn(&S) -> (Target<'static>, u32, f64),
    stop: impl Fn(S),
) -> Million {
    let server = start(dir);
    let (target, pid, _) = about(&server);
    let empty = resident_bytes(pid);
    let filled = fill(&target).await;
    let per_key = |pid| (resident_bytes(pid) - empty) / KEYS as f64;
    let written_bytes = per_key(pid);
    stop(server);
    let disk_bytes = disk_bytes(dir) / KEYS as f64;
    let server = start(dir);
    let (_, pid, restart_s) = about(&server);
    let read_bytes = per_key(pid);
    stop(server);
    Million {
        filled,
        written_bytes,
        read_bytes,
        disk_bytes,
        restart_s,
    }
}

/// Writes every key twice, in an order that is not theirs.
async fn fill(target: &Target<'_>) -> Tally {
    let mut dice = Dice(11);
    let value: Vec<u8> = (0..VALUE_BYTES).map(|_| dice.byte()).collect();
    let dialect: &dyn Dialect = target.dialect;
    let written = Cell::new(0);
    load(target, CONNECTIONS, DEPTH, |_, out| {
        let number = written.get();
        let goes_on = number < 2 * KEYS;
        if goes_on {
            written.set(number + 1);
            // A step that shares no factor with the number of keys comes to each of them.
            let key = key(number * 611_953 % KEYS);
            out.extend_from_slice(&dialect.set(&key, &value));
        }
        goes_on
    })
    .await
}

/// What a process has in memory, bytes.
fn resident_bytes(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0.0) * 1024.0
}

/// What the files of a directory take, bytes.
fn disk_bytes(dir: &Path) -> f64 {
    let entries = fs::read_dir(dir).expect("a directory").flatten();
    let each = entries.map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            disk_bytes(&path)
        } else {
            entry.metadata().map_or(0.0, |data| data.len() as f64)
        }
    });
    each.sum()
}
