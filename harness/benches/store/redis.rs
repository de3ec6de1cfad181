//! `redis-server`, the baseline: one process with an append-only file, synced every second.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::load::{Dialect, Target};

/// How long it may take to load its file.
const LIMIT: Duration = Duration::from_secs(60);

/// The redis protocol, version 2.
pub(super) struct Resp;

impl Dialect for Resp {
    fn get(&self, key: &str) -> Vec<u8> {
        format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len()).into_bytes()
    }

    fn set(&self, key: &str, value: &[u8]) -> Vec<u8> {
        let (key_bytes, value_bytes) = (key.len(), value.len());
        let head = format!("*3\r\n$3\r\nSET\r\n${key_bytes}\r\n{key}\r\n${value_bytes}\r\n");
        [head.as_bytes(), value, b"\r\n"].concat()
    }

    fn reply(&self, bytes: &[u8]) -> Option<usize> {
        let line = bytes.iter().position(|byte| *byte == b'\n')? + 1;
        match bytes[0] {
            b'+' => Some(line),
            b'$' if bytes[1] != b'-' => {
                let digits = bytes[1..line - 2].iter();
                let value = digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
                let whole = line + value + 2;
                (bytes.len() >= whole).then_some(whole)
            }
            _ => panic!("redis: {}", String::from_utf8_lossy(&bytes[..line])),
        }
    }
}

/// A running `redis-server`; it is killed when this is dropped.
pub(super) struct Redis {
    process: Child,
    address: SocketAddr,
    /// From its start until it answered, s.
    pub(super) ready_s: f64,
}

impl Redis {
    /// Its version, if there is one on this machine.
    pub(super) fn version() -> Option<String> {
        let said = Command::new("redis-server")
            .arg("--version")
            .output()
            .ok()?;
        let said = String::from_utf8(said.stdout).ok()?;
        said.split_whitespace()
            .find_map(|word| word.strip_prefix("v="))
            .map(str::to_owned)
    }

    /// Starts it on this directory, and waits until it answers.
    pub(super) fn start(dir: &Path) -> Redis {
        fs::create_dir_all(dir).expect("a directory");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = free.local_addr().expect("its address");
        drop(free);
        let began = Instant::now();
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
            .args([
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec",
            ])
            .arg("--dir")
            .arg(dir)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server");
        let mut redis = Redis {
            process,
            address,
            ready_s: 0.0,
        };
        while !redis.answers() {
            assert!(began.elapsed() < LIMIT, "redis-server does not answer");
            sleep(Duration::from_millis(2));
        }
        redis.ready_s = began.elapsed().as_secs_f64();
        redis
    }

    /// While it loads its file it answers every command but with `-LOADING`.
    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address) else {
            return false;
        };
        let mut reply = [0; 64];
        let asked = stream.write_all(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
        let read = asked.and_then(|()| stream.read(&mut reply));
        read.is_ok_and(|read| read > 0 && reply[0] == b'$')
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn target(&self) -> Target<'static> {
        Target {
            dialect: &Resp,
            addresses: vec![self.address],
            pids: vec![self.pid()],
        }
    }

    /// Has it end as an operator would, with everything synced.
    pub(super) fn stop(mut self) {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        let asked = stream.write_all(b"*1\r\n$8\r\nSHUTDOWN\r\n");
        asked.expect("to be heard");
        self.process.wait().expect("an end");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
