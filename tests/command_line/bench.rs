//! A bench: an empty directory to run the binary in, with an environment that says nothing. It is gone after the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A place to run the binary in.
pub(crate) struct Bench {
    dir: TempDir,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// None if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        Bench {
            dir: TempDir::new().expect("a directory"),
        }
    }

    /// The path of a file here.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("a file");
    }

    /// The binary with these arguments, to be run here. Nothing of the environment of the tests reaches it.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&mut self.command(args))
    }
}

impl Ended {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Ended {
        Ended::from(command.output().expect("the binary runs"))
    }

    /// The same, for chains: panics with all that was said if the code is another.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn complaining(self, words: &str) -> Ended {
        assert!(self.stderr.contains(words), "no {words:?} in\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn telling(self, words: &str) -> Ended {
        assert!(self.stdout.contains(words), "no {words:?} in\n{self}");
        self
    }

    /// A usage error: exit 2, these words on stderr, nothing on stdout.
    #[track_caller]
    pub(crate) fn refused(self, words: &str) {
        let ended = self.with_code(2).complaining(words);
        assert!(ended.stdout.is_empty(), "{ended}");
        assert!(!ended.stderr.contains("panicked"), "{ended}");
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Ended {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ended {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ended {
            code,
            stdout,
            stderr,
        } = self;
        write!(f, "exit {code:?}\nstdout:\n{stdout}\nstderr:\n{stderr}")
    }
}
