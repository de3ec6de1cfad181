//! `quorate doctor`: can this machine run it? Tries each thing rather than guessing from names and versions.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::thread::available_parallelism;
use std::time::{Duration, Instant, SystemTime};

use crate::exit::Exit;
use crate::report::style::{Style, Tone, print};

/// Files that a run of the default size needs open at once, with room to spare: links, clients, logs.
const FILES_MIN: u64 = 512;
/// Syncs to time.
const SYNCS: u32 = 20;
/// A sync slower than this makes each-write runs slow, ms.
const SYNC_MS_SLOW: f64 = 20.0;

/// One thing that was tried.
struct Finding {
    name: &'static str,
    tone: Tone,
    text: String,
}

pub(super) fn main(style: Style) -> Exit {
    let findings = [
        cores(),
        files(),
        loopback(),
        signals(),
        disk(),
        clock(),
        namespaces(),
    ];
    let mut out = String::new();
    for finding in &findings {
        let symbol = style.paint(finding.tone, &format!("{:<4}", style.symbol(finding.tone)));
        let _ = writeln!(out, "{symbol} {:<12} {}", finding.name, finding.text);
    }
    let ill = findings.iter().any(|finding| finding.tone == Tone::Bad);
    let _ = writeln!(
        out,
        "\n{}",
        if ill {
            "this machine cannot run quorate until the marked things are mended"
        } else {
            "this machine can run quorate"
        }
    );
    print(&out);
    if ill { Exit::NothingRan } else { Exit::Kept }
}

fn found(name: &'static str, tone: Tone, text: impl Into<String>) -> Finding {
    Finding {
        name,
        tone,
        text: text.into(),
    }
}

fn cores() -> Finding {
    match available_parallelism() {
        Ok(cores) if cores.get() >= 2 => found("cores", Tone::Good, format!("{cores}")),
        Ok(cores) => found(
            "cores",
            Tone::Unsure,
            format!("{cores}: runs will be slow; two or more are better"),
        ),
        Err(error) => found("cores", Tone::Unsure, format!("unknown: {error}")),
    }
}

fn files() -> Finding {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next());
    match soft.map(str::parse::<u64>) {
        Some(Ok(limit)) if limit < FILES_MIN => found(
            "open files",
            Tone::Bad,
            format!("limit {limit}; raise it: ulimit -n 4096"),
        ),
        Some(Ok(limit)) => found("open files", Tone::Good, format!("limit {limit}")),
        Some(Err(_)) => found("open files", Tone::Good, "no limit"),
        None => found(
            "open files",
            Tone::Unsure,
            "the limit cannot be read from /proc/self/limits",
        ),
    }
}

fn loopback() -> Finding {
    let tried = TcpListener::bind("127.0.0.1:0").and_then(|listener| {
        let began = Instant::now();
        TcpStream::connect_timeout(&listener.local_addr()?, Duration::from_secs(1))?;
        Ok(began.elapsed())
    });
    match tried {
        Ok(took) => found(
            "loopback",
            Tone::Good,
            format!("connects in {:.2} ms", took.as_secs_f64() * 1e3),
        ),
        Err(error) => found(
            "loopback",
            Tone::Bad,
            format!("127.0.0.1 cannot be used: {error}"),
        ),
    }
}

fn signals() -> Finding {
    match std::fs::read_to_string("/proc/self/stat") {
        Ok(_) => found(
            "processes",
            Tone::Good,
            "their state can be read, so a pause can be confirmed",
        ),
        Err(error) => found(
            "processes",
            Tone::Bad,
            format!("/proc/self/stat cannot be read: {error}; mount /proc"),
        ),
    }
}

fn disk() -> Finding {
    match sync_ms() {
        Ok(ms) if ms > SYNC_MS_SLOW => {
            let text = format!(
                "a sync takes {ms:.1} ms here: use --sync \"every 10ms\" or a faster disk for --results"
            );
            found("disk", Tone::Unsure, text)
        }
        Ok(ms) => found(
            "disk",
            Tone::Good,
            format!("a sync takes {ms:.1} ms in this directory"),
        ),
        Err(error) => found("disk", Tone::Bad, format!("cannot write here: {error}")),
    }
}

fn sync_ms() -> std::io::Result<f64> {
    let directory = tempfile::tempdir_in(".")?;
    let mut file = File::create(directory.path().join("sync"))?;
    let began = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[0; 128])?;
        file.sync_data()?;
    }
    Ok(began.elapsed().as_secs_f64() * 1e3 / f64::from(SYNCS))
}

fn clock() -> Finding {
    let first = SystemTime::now();
    let mut last = first;
    let mut smallest = Duration::MAX;
    for _ in 0..10_000 {
        let now = SystemTime::now();
        match now.duration_since(last) {
            Ok(Duration::ZERO) => {}
            Ok(step) => smallest = smallest.min(step),
            Err(back) => {
                let text = format!(
                    "the wall clock went back {:?} while it was looked at",
                    back.duration()
                );
                return found("clock", Tone::Unsure, text);
            }
        }
        last = now;
    }
    found(
        "clock",
        Tone::Good,
        format!("the wall clock ticks in steps of {smallest:?}"),
    )
}

/// Not needed: links are cut by proxies. Said for those who wonder.
fn namespaces() -> Finding {
    let there = std::path::Path::new("/proc/self/ns/net").exists();
    let text = if there {
        "there, not needed"
    } else {
        "none, not needed"
    };
    found("namespaces", Tone::Noted, text)
}
