//! Archives that are whole, damaged, or made to mislead.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use super::{Packing, is_archive, is_of_run, member, pack};
use crate::input;

/// A run's directory with a history of that many bytes.
fn run(bytes: usize) -> TempDir {
    let run = tempfile::tempdir().expect("a directory");
    let write = |name: &str, content: &[u8]| {
        let path = run.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, content).expect("a file");
    };
    write("witness/history.jsonl", b"not this one");
    write("nodes/n1/stderr.log", b"said something");
    write("nodes/n1/data/log", &[7; 5_000]);
    write("plan.json", b"{}");
    let history: Vec<u8> = (0..)
        .flat_map(|n: u32| format!("{n}\n").into_bytes())
        .take(bytes)
        .collect();
    write("history.jsonl", &history);
    std::os::unix::fs::symlink("/etc/passwd", run.path().join("verdict.json")).expect("a link");
    run
}

/// An archive in memory with one member of this path and type.
fn forged(path: &str, kind: EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    // Written by hand: the library refuses to write paths that lead out.
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_cksum();
    let mut builder = Builder::new(Vec::new());
    builder.append(&header, content).expect("memory");
    builder.into_inner().expect("memory")
}

fn read_member(bytes: &[u8], name: &str) -> io::Result<Option<Vec<u8>>> {
    let Some(mut member) = member(bytes, name)? else {
        return Ok(None);
    };
    let mut content = Vec::new();
    member.read_to_end(&mut content)?;
    Ok(Some(content))
}

#[test]
fn what_is_packed_is_read_back_by_every_packing() {
    let run = run(200_000);
    let history = fs::read(run.path().join("history.jsonl")).expect("a history");
    for name in ["a.tar", "a.tar.gz", "a.tgz", "a.tar.zst"] {
        let out = tempfile::tempdir().expect("a directory");
        let archive = out.path().join(name);
        let packed = pack(run.path(), "20260101-000000-abcd", &archive).expect("an archive");
        // Neither the data of nodes nor what a link leads to.
        assert_eq!(packed.files, 4, "{name}");
        let again = out.path().join(format!("again-{name}"));
        pack(run.path(), "20260101-000000-abcd", &again).expect("an archive");
        let bytes = fs::read(&archive).expect("bytes");
        assert_eq!(bytes, fs::read(&again).expect("bytes"), "{name}");
        assert_eq!(packed.archive_bytes, bytes.len() as u64, "{name}");
        // Whoever reads a history reads it out of its archive.
        assert_eq!(input::read(&archive).expect("a history"), history, "{name}");
        let plan = input::member(&archive, "plan.json").expect("an archive");
        assert_eq!(plan.as_deref(), Some(&b"{}"[..]), "{name}");
        let none = input::member(&archive, "verdict.json").expect("an archive");
        assert_eq!(none, None, "{name}");
    }
}

#[test]
fn a_name_must_tell_the_format() {
    let run = run(10);
    for name in ["a.zip", "a", "tar.gz.txt"] {
        let refusal = pack(run.path(), "x", Path::new(name)).expect_err("no format");
        assert!(refusal.to_string().contains(".tar.zst"), "{refusal}");
        assert!(!Path::new(name).exists(), "{name} was made");
    }
    assert_eq!(
        Packing::of(Path::new("dir/RUN.TAR.GZ")),
        Some(Packing::Gzip)
    );
}

#[test]
fn no_path_leads_out_of_an_archive_or_to_another_file_of_the_run() {
    for path in [
        "history.jsonl",
        "./history.jsonl",
        "x/history.jsonl",
        "./x/history.jsonl",
    ] {
        assert!(is_of_run(Path::new(path), "history.jsonl"), "{path}");
    }
    let others = [
        "../history.jsonl",
        "/history.jsonl",
        "x/../history.jsonl",
        "x/y/history.jsonl",
        "witness/history.jsonl",
        "./shrunk/history.jsonl",
        "history.jsonl/x",
        "",
    ];
    for path in others {
        assert!(!is_of_run(Path::new(path), "history.jsonl"), "{path}");
        let archive = forged(path, EntryType::Regular, b"evil");
        // Refused or passed over, never read.
        let read = read_member(&archive, "history.jsonl");
        assert!(!matches!(read, Ok(Some(_))), "{path}: {read:?}");
    }
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
    ] {
        let archive = forged("history.jsonl", kind, b"");
        let read = read_member(&archive, "history.jsonl").expect("an archive");
        assert_eq!(read, None, "{kind:?}");
    }
}

#[test]
fn a_damaged_archive_is_an_error_and_never_a_shorter_history() {
    let whole = forged("history.jsonl", EntryType::Regular, &[b'x'; 3_000]);
    assert!(is_archive(&whole) && !is_archive(b"{\"format\":1}"));
    let read = read_member(&whole, "history.jsonl").expect("whole");
    assert_eq!(read.map(|content| content.len()), Some(3_000));
    for end in (1..512 + 3_000).step_by(97) {
        let read = read_member(&whole[..end], "history.jsonl");
        assert!(read.is_err(), "cut at {end}: {read:?}");
    }
}
