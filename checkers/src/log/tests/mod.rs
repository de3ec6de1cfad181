//! Logs against files: what each format may look like, what is refused and where, and that nothing is lost on the way there and back.

mod mutated;
mod pairing;
mod reading;
mod refusals;
mod round_trip;

use super::{Datum, Float};
use super::{InputFormat, Log, LogEvent, LogEventType, LogProcess};

/// The log of a text whose format is told from it.
fn parse(text: &str) -> Log {
    Log::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Why a text is no log of a format.
fn refusal(text: &str, format: InputFormat) -> String {
    let error = Log::parse_as(text.as_bytes(), format).expect_err("refused");
    error.to_string()
}

/// The value of the only event of an EDN text with this value.
fn value(edn: &str) -> Datum {
    let log = Log::parse_as(
        format!("{{:type :ok, :value {edn}}}").as_bytes(),
        InputFormat::Edn,
    );
    let log = log.unwrap_or_else(|error| panic!("{error}\n{edn}"));
    log.events[0].value.clone()
}
