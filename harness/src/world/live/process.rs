//! One node process, from spawn to reap, as the thread that spawned it sees it.
//!
//! Everything here blocks, briefly and with a bound. Only the supervisor thread may call it: it alone reaps, and so a
//! pid in its hands is never somebody else's.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use super::error::WorldError;
use super::roster::Incarnation;

/// How long a killed process may take to be gone, and a stopped one to be seen stopped.
const SIGNAL_LIMIT: Duration = Duration::from_secs(5);

/// Pause between two looks at a process whose state is about to change.
const GLANCE: Duration = Duration::from_micros(500);

/// How to start a node, again and again.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) node: u16,
    pub(super) program: PathBuf,
    /// The node's own directory: `seat.json`, its logs, its data.
    pub(super) dir: PathBuf,
}

impl Recipe {
    pub(super) fn seat_path(&self) -> PathBuf {
        self.dir.join("seat.json")
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub(super) fn stderr_path(&self) -> PathBuf {
        self.dir.join("stderr.log")
    }

    /// One file per start, so that its first line is that start's ready line.
    pub(super) fn stdout_path(&self, incarnation: Incarnation) -> PathBuf {
        self.dir.join(format!("stdout.{}.log", incarnation.0))
    }

    /// Starts the node. It has a process group of its own, so that Ctrl-C reaches only the harness.
    fn spawn(&self, incarnation: Incarnation) -> Result<Child, WorldError> {
        // Files rather than pipes: a pipe would block the node when nobody reads, and kill it when the harness ends.
        let stdout = create(self.stdout_path(incarnation))?;
        let stderr = append(self.stderr_path())?;
        Command::new(&self.program)
            .arg("node")
            .arg("--config")
            .arg(self.seat_path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .map_err(|source| WorldError::Spawn {
                node: self.node,
                program: self.program.clone(),
                source,
            })
    }
}

fn create(path: PathBuf) -> Result<File, WorldError> {
    File::create(&path).map_err(|source| WorldError::File {
        action: "create",
        path,
        source,
    })
}

fn append(path: PathBuf) -> Result<File, WorldError> {
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    opened.map_err(|source| WorldError::File {
        action: "open",
        path,
        source,
    })
}

/// A node process that was not yet reaped.
#[derive(Debug)]
pub(super) struct Process {
    node: u16,
    incarnation: Incarnation,
    /// Holds the write end of the node's stdin: the lifeline. The node ends when it is closed, however we end.
    child: Child,
    pid: Pid,
    /// How many pauses are in force; it is stopped while there is one.
    pauses: u32,
}

impl Process {
    pub(super) fn start(recipe: &Recipe, incarnation: Incarnation) -> Result<Process, WorldError> {
        let child = recipe.spawn(incarnation)?;
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
        Ok(Process {
            node: recipe.node,
            incarnation,
            child,
            pid,
            pauses: 0,
        })
    }

    pub(super) fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    pub(super) fn is_paused(&self) -> bool {
        self.pauses > 0
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has; it is reaped then.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        // An error would mean that somebody else has reaped our child, which nobody does.
        self.child.try_wait().ok().flatten()
    }

    /// SIGKILL, and waits until it is reaped. If that fails, the process is still there.
    pub(super) fn kill(&mut self) -> Result<ExitStatus, WorldError> {
        self.send(Signal::SIGKILL, "kill")?;
        self.ended_within(SIGNAL_LIMIT)
            .ok_or_else(|| self.failed("kill", format!("it is still there after {SIGNAL_LIMIT:?}")))
    }

    /// SIGTERM; a stopped process is continued, so that it can obey.
    pub(super) fn ask_to_end(&self) -> Result<(), WorldError> {
        self.send(Signal::SIGTERM, "end")?;
        self.send(Signal::SIGCONT, "continue")
    }

    /// SIGSTOP, and waits until the kernel says that it is stopped.
    pub(super) fn pause(&mut self) -> Result<(), WorldError> {
        // Counted first: if the stop is not seen in time it may still come, and the heal must continue the process.
        self.pauses += 1;
        self.send(Signal::SIGSTOP, "pause")?;
        self.seen_stopped(true, "pause")
    }

    /// Takes one pause away; SIGCONT with the last one, and waits until the kernel says that it is not stopped.
    pub(super) fn resume(&mut self) -> Result<(), WorldError> {
        self.pauses = self.pauses.saturating_sub(1);
        if self.pauses > 0 {
            return Ok(());
        }
        self.send(Signal::SIGCONT, "resume")?;
        self.seen_stopped(false, "resume")
    }

    /// Takes all pauses away.
    pub(super) fn resume_for_good(&mut self) -> Result<(), WorldError> {
        self.pauses = 0;
        self.resume()
    }

    fn send(&self, signal: Signal, action: &'static str) -> Result<(), WorldError> {
        signal::kill(self.pid, signal).map_err(|errno| self.failed(action, errno.to_string()))
    }

    fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() >= deadline {
                return ended;
            }
            sleep(GLANCE);
        }
    }

    fn seen_stopped(&self, wanted: bool, action: &'static str) -> Result<(), WorldError> {
        let deadline = Instant::now() + SIGNAL_LIMIT;
        loop {
            let state = self
                .state()
                .map_err(|error| self.failed(action, error.to_string()))?;
            if (state == 'T') == wanted {
                return Ok(());
            }
            if state == 'Z' {
                return Err(self.failed(action, "it has just ended".to_owned()));
            }
            if Instant::now() >= deadline {
                let why = format!("it is in state {state} after {SIGNAL_LIMIT:?}");
                return Err(self.failed(action, why));
            }
            sleep(GLANCE);
        }
    }

    /// The state letter of `/proc/<pid>/stat`: `T` is stopped.
    fn state(&self) -> io::Result<char> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The name before it is in brackets and may itself contain brackets.
        let after_name = stat.rsplit_once(") ").map(|(_, rest)| rest);
        after_name
            .and_then(|rest| rest.chars().next())
            .ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "no state in /proc/<pid>/stat")
            })
    }

    fn failed(&self, action: &'static str, why: String) -> WorldError {
        WorldError::Signal {
            action,
            node: self.node,
            why,
        }
    }
}

impl Drop for Process {
    /// A process that is let go of is killed: nothing outlives the supervisor.
    fn drop(&mut self) {
        if self.ended().is_none() && self.kill().is_err() {
            tracing::warn!(
                node = self.node,
                pid = self.pid(),
                "a node could not be killed"
            );
        }
    }
}

/// An exit status in words: `exit status: 1`, `killed by SIGSEGV`.
pub(super) fn in_words(status: ExitStatus) -> String {
    match status.signal().map(Signal::try_from) {
        Some(Ok(signal)) => format!("killed by {signal}"),
        Some(Err(_)) | None => status.to_string(),
    }
}
