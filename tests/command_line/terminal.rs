//! Colour only where it is wanted, and quiet when nobody reads.

use std::process::Stdio;

use crate::bench::{Bench, Ended};
use crate::histories::{broken, file};

/// How every colour begins.
const ESCAPE: char = '\u{1b}';

/// Whether a verdict has colours, with these arguments and this environment. Its stdout is no terminal.
fn is_coloured(args: &[&str], environment: &[(&str, &str)]) -> bool {
    let bench = Bench::new();
    bench.write("history.jsonl", file(&broken()));
    let mut command = bench.command(&["check", "history.jsonl"]);
    let ended = Ended::of(command.args(args).envs(environment.iter().copied())).with_code(1);
    assert!(!ended.stderr.contains(ESCAPE), "{ended}");
    ended.stdout.contains(ESCAPE)
}

#[test]
fn a_file_has_no_colours_unless_somebody_wants_them() {
    assert!(!is_coloured(&[], &[]));
    assert!(!is_coloured(
        &["--color", "never"],
        &[("CLICOLOR_FORCE", "1")]
    ));
    assert!(is_coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!is_coloured(&[], &[("CLICOLOR_FORCE", "0")]));
    assert!(is_coloured(&["--color", "always"], &[]));
}

#[test]
fn no_color_is_respected_and_a_flag_beats_it() {
    assert!(!is_coloured(
        &[],
        &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]
    ));
    assert!(is_coloured(
        &[],
        &[("NO_COLOR", ""), ("CLICOLOR_FORCE", "1")]
    ));
    assert!(is_coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(is_coloured(&["--color", "always"], &[("TERM", "dumb")]));
}

#[test]
fn symbols_are_ascii_unless_the_locale_can_show_others() {
    let bench = Bench::new();
    bench.write("history.jsonl", file(&broken()));
    let check = |locale| {
        let mut command = bench.command(&["check", "history.jsonl"]);
        Ended::of(command.env("LANG", locale)).with_code(1)
    };
    check("C.UTF-8").telling("✗ BROKEN");
    let plain = check("C").telling("FAIL BROKEN");
    assert!(plain.stdout.is_ascii(), "{plain}");
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let bench = Bench::new();
    bench.write("history.jsonl", file(&broken()));
    for (args, code) in [
        (["list"].as_slice(), 0),
        (&["--help"], 0),
        (&["explain", "fresh-reads"], 0),
        (&["check", "history.jsonl"], 1),
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = bench.command(args);
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn();
        let ended = Ended::from(
            child
                .and_then(std::process::Child::wait_with_output)
                .expect("it runs"),
        );
        let ended = ended.with_code(code);
        assert!(ended.stderr.is_empty(), "{args:?}: {ended}");
    }
}
