//! Lines of Jepsen's own log to a log: process, type, f and value between tabs, behind whatever the logger puts before ` - `.
//!
//! Porcupine's test data and Jepsen's `history.txt` have this form. Other lines of a log are passed over; there are no times and no
//! indexes, so positions stand for both. `decode` is here too: every format begins as UTF-8.

use super::detect::InputFormat;
use super::edn;
use super::error::{LogError, Place, Problem};
use super::event::{Draft, Words};
use super::{Datum, Log};

/// The text of a file, and whether its last character is torn.
pub(super) fn decode(bytes: &[u8]) -> Result<(&str, bool), LogError> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok((text, false)),
        Err(error) => error,
    };
    let valid = error.valid_up_to();
    let Ok(text) = std::str::from_utf8(&bytes[..valid]) else {
        return Ok(("", true));
    };
    if error.error_len().is_some() {
        let what = "this byte is not UTF-8: restore the file, or decompress it";
        return Err(LogError::syntax(Place::of(bytes, valid), what));
    }
    Ok((text, true))
}

/// Whether some line looks like an event.
pub(super) fn is_log(bytes: &[u8]) -> bool {
    bytes
        .split(|&byte| byte == b'\n')
        .any(|line| std::str::from_utf8(line).is_ok_and(|line| fields(line).is_some()))
}

/// Reads a whole log. A last line without a newline that is no event is torn.
pub(super) fn read(bytes: &[u8]) -> Result<Log, LogError> {
    let (text, torn) = decode(bytes)?;
    let mut log = Log::new(InputFormat::JepsenLog);
    let mut words = Words::default();
    for (number, line) in (1_u64..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let Some((column, fields)) = fields(line) else {
            continue;
        };
        let place = Place {
            line: number,
            column,
        };
        let draft = event(&fields, &mut words);
        let event = draft.and_then(|draft| draft.finish(&mut words));
        match event {
            Ok(event) => log.push(event, place),
            Err(_) if place_is_last(text, line) => log.torn_tail = true,
            Err(problem) => return Err(LogError::new(place, problem)),
        }
    }
    log.torn_tail |= torn;
    Ok(log)
}

/// Whether a line is the last of a text, without a newline.
fn place_is_last(text: &str, line: &str) -> bool {
    !text.ends_with('\n') && text.ends_with(line) && !line.is_empty()
}

/// The column where the process stands, and the fields between tabs; none if the line is no event.
fn fields(line: &str) -> Option<(u64, Vec<&str>)> {
    // The type is the first field that is a keyword; what stands before the process is the logger's.
    let begin = line
        .rfind(" - ")
        .filter(|at| line[..*at].find('\t').is_none())
        .map_or(0, |at| at + 3);
    let fields: Vec<&str> = line[begin..].split('\t').map(str::trim).collect();
    let [process, kind, f, ..] = fields.as_slice() else {
        return None;
    };
    let is_process = process.parse::<i64>().is_ok()
        || process
            .strip_prefix(':')
            .is_some_and(|name| !name.is_empty());
    let column = line[..begin].chars().count() as u64 + 1;
    (is_process && kind.starts_with(':') && f.starts_with(':')).then_some((column, fields))
}

fn event(fields: &[&str], words: &mut Words) -> Result<Draft, Problem> {
    let mut draft = Draft::default();
    for (name, field) in ["process", "type", "f"].into_iter().zip(fields) {
        match field.parse() {
            Ok(number) => draft.take(name, Datum::Int(number), words)?,
            Err(_) => drop(draft.take_word(name, field, words)?),
        }
    }
    for (name, field) in ["value", "error"].into_iter().zip(fields.iter().skip(3)) {
        if !field.is_empty() {
            draft.take(name, edn::form(field)?, words)?;
        }
    }
    Ok(draft)
}
