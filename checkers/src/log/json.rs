//! JSON to a log: an array of objects as `elle-cli` reads it, one object per line, and our own `history.jsonl`.
//!
//! The library `serde_json` reads JSON; this file keeps the order of keys and finds the places of events. What `type`, `f` and `process` say
//! are words, every other string is text; only the heads of micro-operations (`["r", 1, null]`) become keywords, as `elle-cli` has it.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::datum::Float;
use super::detect::InputFormat;
use super::error::{LogError, Place, Problem};
use super::event::{Draft, LogEvent, Words};
use super::text::decode;
use super::{Datum, Log};
use crate::history::Header;

/// Reads one array of objects.
pub(super) fn read_array(bytes: &[u8]) -> Result<Log, LogError> {
    let (text, _) = decode(bytes)?;
    let items: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| refusal(&error, Place::default()))?;
    let mut log = Log::new(InputFormat::ElleJson);
    let mut words = Words::default();
    let (mut placed, mut place) = (0, Place::default());
    for item in items {
        // Where the item stands in the text that it borrows from.
        let at = item
            .get()
            .as_ptr()
            .addr()
            .saturating_sub(text.as_ptr().addr());
        place = place.after(&bytes[placed..at]);
        placed = at;
        let event = event(item.get(), place, &mut words)?;
        log.push(event, place);
    }
    Ok(log)
}

/// Reads one object per line. A last line without a newline that is not whole is dropped and noted.
pub(super) fn read_lines(bytes: &[u8]) -> Result<Log, LogError> {
    lines(bytes, Log::new(InputFormat::Jsonl), false)
}

/// Reads our own format: a header, then one object per line.
pub(super) fn read_own(bytes: &[u8]) -> Result<Log, LogError> {
    lines(bytes, Log::new(InputFormat::Quorate), true)
}

fn lines(bytes: &[u8], mut log: Log, mut has_header: bool) -> Result<Log, LogError> {
    let (text, torn) = decode(bytes)?;
    let mut words = Words::default();
    for (number, line) in (1_u64..).zip(text.split_inclusive('\n')) {
        let place = Place {
            line: number,
            column: 1,
        };
        let terminated = line.ends_with('\n');
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if std::mem::take(&mut has_header) {
            // Its own message names the line.
            let header = Header::parse(line.as_bytes());
            header.map_err(|error| LogError::syntax(place, headless(&error.to_string())))?;
            continue;
        }
        match event(line, place, &mut words) {
            Ok(event) => log.push(event, place),
            Err(_) if !terminated && serde_json::from_str::<de::IgnoredAny>(line).is_err() => {
                log.torn_tail = true;
            }
            Err(error) => return Err(error),
        }
    }
    log.torn_tail |= torn;
    Ok(log)
}

/// A message without the line that it begins with.
fn headless(message: &str) -> &str {
    message.split_once(": ").map_or(message, |(_, rest)| rest)
}

/// What `serde_json` refuses, at its place in the file.
fn refusal(error: &serde_json::Error, begin: Place) -> LogError {
    let line = error.line() as u64;
    let place = Place {
        line: begin.line + line.saturating_sub(1),
        column: match line {
            0 | 1 => begin.column + (error.column() as u64).saturating_sub(1),
            _ => (error.column() as u64).max(1),
        },
    };
    let text = error.to_string();
    // The library names its own line and column behind the message.
    let what = text
        .rfind(" at line ")
        .map_or(text.as_str(), |end| &text[..end]);
    LogError::syntax(
        place,
        format!("{what}: correct the field, or restore the file"),
    )
}

fn event(text: &str, place: Place, words: &mut Words) -> Result<LogEvent, LogError> {
    let mut refused = None;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = EventSeed {
        words,
        refused: &mut refused,
    };
    let read = seed.deserialize(&mut deserializer);
    let read = read.and_then(|event| deserializer.end().map(|()| event));
    read.map_err(|error| {
        let at = refusal(&error, place);
        match refused {
            Some(problem) => LogError::new(at.place, problem),
            None => at,
        }
    })
}

/// Reads an event; what is wrong with a field is left in `refused`.
struct EventSeed<'a> {
    words: &'a mut Words,
    refused: &'a mut Option<Problem>,
}

impl<'de> DeserializeSeed<'de> for EventSeed<'_> {
    type Value = LogEvent;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<LogEvent, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EventSeed<'_> {
    type Value = LogEvent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event: an object with `type`, `process`, `f` and `value`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LogEvent, A::Error> {
        let mut refuse = |problem: Problem| {
            let error = de::Error::custom(&problem);
            *self.refused = Some(problem);
            error
        };
        let mut draft = Draft::default();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value::<Datum>()?;
            let value = if name == "value" {
                micro_operations(value)
            } else {
                value
            };
            draft.take(&name, value, self.words).map_err(&mut refuse)?;
        }
        draft.finish(self.words).map_err(&mut refuse)
    }
}

/// Makes keywords of the heads of micro-operations: of an array of arrays that begin with a string each.
fn micro_operations(value: Datum) -> Datum {
    let Datum::Vector(mut items) = value else {
        return value;
    };
    let headed = |item: &Datum| matches!(item, Datum::Vector(parts) if matches!(parts.first(), Some(Datum::Text(_))));
    if items.iter().all(headed) {
        for item in &mut items {
            if let Datum::Vector(parts) = item
                && let Some(Datum::Text(head)) = parts.first_mut()
            {
                parts[0] = Datum::Keyword(std::mem::take(head));
            }
        }
    }
    Datum::Vector(items)
}

impl<'de> Deserialize<'de> for Datum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Datum, D::Error> {
        struct DatumVisitor;
        impl<'de> Visitor<'de> for DatumVisitor {
            type Value = Datum;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Datum, E> {
                Ok(Datum::Nil)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Datum, E> {
                Ok(Datum::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Datum, E> {
                Ok(Datum::Int(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Datum, E> {
                Ok(match i64::try_from(value) {
                    Ok(value) => Datum::Int(value),
                    Err(_) => Datum::Number(format!("{value}N").into()),
                })
            }
            fn visit_f64<E>(self, value: f64) -> Result<Datum, E> {
                Ok(Datum::Float(Float(value)))
            }
            fn visit_str<E>(self, value: &str) -> Result<Datum, E> {
                Ok(Datum::text(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Datum, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Datum::Vector(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Datum, A::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    entries.push((Datum::Keyword(name.into()), map.next_value()?));
                }
                Ok(Datum::Map(entries))
            }
        }
        deserializer.deserialize_any(DatumVisitor)
    }
}
