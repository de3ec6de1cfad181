//! A command of the binary that is under way with its nodes, seen from outside: its files, its signals, its processes.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Child, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{panicking, sleep};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value as Json;

use crate::bench::{Bench, Ended};
use crate::record::Record;

/// No wait for something that must happen takes longer than this.
const LIMIT: Duration = Duration::from_secs(30);

/// Pause between two looks at a condition.
const GLANCE: Duration = Duration::from_millis(10);

/// Held by whoever has a cluster: one at a time is load enough for a small machine.
static CLUSTER: Mutex<()> = Mutex::new(());

/// A command that may have nodes. If a test fails meanwhile, nothing of it survives.
pub(crate) struct Running<'a> {
    bench: &'a Bench,
    child: Child,
    _turn: MutexGuard<'static, ()>,
}

/// Waits for something that must come.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {LIMIT:?}");
        sleep(GLANCE);
    }
}

impl<'a> Running<'a> {
    /// Starts the binary with these arguments, its runs kept in `runs` on the bench.
    pub(crate) fn start(bench: &'a Bench, args: &[&str]) -> Running<'a> {
        Running::start_with(bench, args, &[])
    }

    /// The same, with this environment.
    pub(crate) fn start_with(
        bench: &'a Bench,
        args: &[&str],
        environment: &[(&str, &str)],
    ) -> Running<'a> {
        let turn = CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
        let file = |name| File::create(bench.path(name)).expect("a file");
        // Files, so that nobody has to read along. A group of its own, as a shell with job control gives it.
        let mut command = bench.command(args);
        command
            .args(["--results", "runs"])
            .envs(environment.iter().copied())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .process_group(0);
        Running {
            bench,
            child: command.spawn().expect("the binary starts"),
            _turn: turn,
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().expect("a pid"))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("a signal");
    }

    /// Waits until its history is as asked for.
    #[track_caller]
    pub(crate) fn until_recorded(&self, what: &str, mut is_so: impl FnMut(&Record) -> bool) {
        until(what, || {
            let record = Record::so_far(&self.bench.path("runs/latest/history.jsonl"))?;
            is_so(&record).then_some(())
        });
    }

    /// Waits until it has said this on stderr.
    #[track_caller]
    pub(crate) fn until_said(&self, words: &str) {
        self.until_said_times(words, 1);
    }

    /// Waits until it has said this so often on stderr.
    #[track_caller]
    pub(crate) fn until_said_times(&self, words: &str, times: usize) {
        until(words, || {
            let said = fs::read_to_string(self.bench.path("stderr")).ok()?;
            (said.matches(words).count() >= times).then_some(())
        });
    }

    /// The process of a node, by what it said of itself when it first started.
    pub(crate) fn node(&self, name: &str) -> Pid {
        let path = self
            .bench
            .path(format!("runs/latest/nodes/{name}/stdout.0.log"));
        let line = fs::read_to_string(path).expect("a ready line");
        let ready: Json = serde_json::from_str(&line).expect("JSON");
        let pid = ready["pid"].as_i64().expect("a pid");
        Pid::from_raw(pid.try_into().expect("a pid"))
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let status = until("the end of the command", || {
            self.child.try_wait().expect("a child")
        });
        let said = |name| fs::read(self.bench.path(name)).expect("a file");
        Ended::from(Output {
            status,
            stdout: said("stdout"),
            stderr: said("stderr"),
        })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // After its end there is nobody to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if panicking() {
            for node in nodes_of(self.bench) {
                let _ = kill(node, Signal::SIGKILL);
            }
        }
    }
}

/// The process of every node that runs for a command of this bench: its command line names its seat, which lies there. What has
/// ended and was not reaped yet has no command line.
pub(crate) fn nodes_of(bench: &Bench) -> Vec<Pid> {
    let Ok(here) = bench.path("runs").canonicalize() else {
        return Vec::new();
    };
    let here = here.to_string_lossy();
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter(|process| {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&*here)
        })
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .map(Pid::from_raw)
        .collect()
}

/// Fails if a node of this bench is still there, but lets it not survive that.
#[track_caller]
pub(crate) fn nobody_left(bench: &Bench) {
    let left = nodes_of(bench);
    for &node in &left {
        let _ = kill(node, Signal::SIGKILL);
    }
    assert!(left.is_empty(), "nodes are left: {left:?}");
}

/// Fails if a node of this bench does not end by itself, now that nobody is there to end it.
#[track_caller]
pub(crate) fn nobody_stays(bench: &Bench) {
    let deadline = Instant::now() + LIMIT;
    while !nodes_of(bench).is_empty() && Instant::now() < deadline {
        sleep(GLANCE);
    }
    nobody_left(bench);
}
