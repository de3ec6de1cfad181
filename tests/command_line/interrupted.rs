//! Histories that come slowly, and an interrupt while one is read: then nothing is judged.

use std::fs;
use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::bench::{Bench, Ended};
use crate::histories::{broken, file};

/// Longer than any process needs to begin.
const PATIENCE: Duration = Duration::from_secs(20);

/// The bit of the interrupt in the masks of signals that the kernel shows.
const INTERRUPT: u64 = 1 << 1;

/// A check of what comes through a pipe.
fn check(bench: &Bench) -> (Child, ChildStdin) {
    let mut command = bench.command(&["check", "/dev/stdin"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let stdin = child.stdin.take().expect("a pipe");
    (child, stdin)
}

fn ended(child: Child) -> Ended {
    Ended::from(child.wait_with_output().expect("it ends"))
}

/// Whether a process minds the interrupt itself.
fn catches_interrupts(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & INTERRUPT != 0)
}

#[test]
fn an_interrupted_check_judges_nothing_and_says_so() {
    let bench = Bench::new();
    let (child, mut stdin) = check(&bench);
    // A history whose end does not come.
    stdin
        .write_all(file(&broken()).as_bytes())
        .expect("it listens");
    let began = Instant::now();
    while !catches_interrupts(child.id()) {
        assert!(began.elapsed() < PATIENCE, "it never minded the interrupt");
        sleep(Duration::from_millis(5));
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    kill(pid, Signal::SIGINT).expect("it lives");
    let ended = ended(child)
        .with_code(130)
        .complaining("interrupted: nothing was judged");
    assert!(ended.stdout.is_empty(), "{ended}");
    drop(stdin);
}

#[test]
fn a_history_may_come_through_a_pipe_in_parts() {
    let bench = Bench::new();
    let (child, mut stdin) = check(&bench);
    let bytes = file(&broken()).into_bytes();
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    stdin.write_all(half).expect("it listens");
    stdin.flush().expect("it listens");
    stdin.write_all(rest).expect("it listens");
    drop(stdin);
    ended(child).with_code(1).telling("BROKEN");
}
