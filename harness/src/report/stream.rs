//! A stream for people: the first anomaly in one line, and what it all came to.

use std::fmt::Write;

use quorate_checkers::Guarantee;
use quorate_checkers::history::Nanos;
use quorate_checkers::register::Kind;
use quorate_checkers::stream::{Alarm, Read};
use quorate_checkers::verdict::Verdict;

use super::remarks::decided;
use super::style::{Style, Tone};
use super::text::{grouped, judgement};

/// One line about an anomaly: `0:03.4 stale read on k7: 41 was returned in line 1,234 (promised: yes)`.
pub fn alarm(alarm: &Alarm, is_promised: bool) -> String {
    let found = alarm
        .value
        .map_or_else(|| "nothing".to_owned(), |value| value.to_string());
    format!(
        "{} {} on {}: {found} was returned in line {} (promised: {})",
        clock(alarm.at),
        kind(alarm.kind),
        alarm.key,
        grouped(alarm.line()),
        if is_promised { "yes" } else { "no" }
    )
}

/// A kind in words.
fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Phantom => "phantom",
        Kind::FailedWrite => "visible failed write",
        Kind::Future => "read from the future",
        Kind::StaleRead => "stale read",
        Kind::Inversion => "inversion",
        Kind::DoubleSuccess | Kind::Circle | Kind::Chain | Kind::FalseFailure | Kind::NoOrder => {
            "not linearizable"
        }
    }
}

/// Minutes, seconds and tenths.
fn clock(at: Nanos) -> String {
    let tenths = at.0 / 100_000_000;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

/// The report of a streamed history.
pub fn check(reference: &str, read: &Read, verdict: &Verdict, style: Style) -> String {
    let streamed = &read.streamed;
    let mut out = String::new();
    let title = style.paint(Tone::Strong, &format!("check --stream {reference}"));
    let _ = writeln!(
        out,
        "{title}  {} ops, {} keys  {}",
        grouped(streamed.operations),
        grouped(streamed.keys),
        read.header.workload
    );
    if read.is_torn {
        let _ = writeln!(
            out,
            "  the last line is torn: the history ends where its writer died"
        );
    }
    let _ = writeln!(out);
    let _ = writeln!(out, "  linearizable  {}", linearizable(read));
    // Where the row is told, it tells these as well.
    if verdict.row(Guarantee::Linearizability).is_none() {
        if streamed.decided.keys > 0 {
            let _ = writeln!(out, "  decided by    {}", decided(&streamed.decided));
        }
        if let Some(words) = streamed.not_decided() {
            let _ = writeln!(out, "  undecided     {words}");
        }
    }
    let _ = writeln!(
        out,
        "  memory        {} kB for the keys, {} events held back at most",
        grouped(streamed.state_bytes as u64 / 1_000),
        grouped(streamed.held_most as u64)
    );
    let titles = |rows: &mut dyn Iterator<Item = Guarantee>| -> String {
        let titles: Vec<&str> = rows.map(Guarantee::title).collect();
        titles.join(", ")
    };
    let _ = writeln!(
        out,
        "  judged        {}: the exit code is about these alone",
        titles(&mut verdict.rows.iter().map(|row| row.promise.guarantee))
    );
    let rest = read.not_streamed();
    if !rest.is_empty() || streamed.census > 0 {
        let _ = writeln!(
            out,
            "  not judged    {}{}: nothing is said of these; `quorate check` judges the whole of a saved history",
            titles(&mut rest.into_iter()),
            match streamed.census {
                0 => String::new(),
                census => format!(" ({} answers of the census)", grouped(census)),
            }
        );
    }
    let _ = writeln!(out);
    out.push_str(&judgement(verdict, style));
    out
}

/// How many keys are linearizable, and why nobody knows of others.
fn linearizable(read: &Read) -> String {
    let streamed = &read.streamed;
    let mut words = format!("{} keys", grouped(streamed.linearizable));
    if streamed.violated > 0 {
        let _ = write!(words, ", {} are not", grouped(streamed.violated));
    }
    for undecided in &streamed.undecided {
        let _ = write!(
            words,
            ", {} undecided: {}",
            grouped(undecided.count),
            undecided.why
        );
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_one_line() {
        let told = alarm(
            &Alarm {
                kind: Kind::StaleRead,
                key: "k7".to_owned(),
                value: Some(41),
                at: Nanos(63_450_000_000),
                events: (1_000, 1_232),
                older: true,
                flip: false,
                convicts: true,
            },
            true,
        );
        assert_eq!(
            told,
            "1:03.4 stale read on k7: 41 was returned in line 1,234 (promised: yes)"
        );
    }
}
