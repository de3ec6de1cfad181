//! A log to a file: EDN as Jepsen writes it, JSON as `elle-cli` reads it, and JSON Lines.
//!
//! Fields come in the order :index :time :type :process :f :value :error, then those that we do not know. JSON knows neither keywords nor
//! sets: they become strings and arrays, and numbers that it cannot hold become strings.

use std::fmt;
use std::io::Write;

use super::edn::is_token;
use super::event::{LogEvent, LogProcess};
use super::{Datum, Log};

/// A format that a log can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// One EDN map per line.
    Edn,
    /// One JSON array of objects.
    ElleJson,
    /// One JSON object per line.
    Jsonl,
}

impl OutputFormat {
    /// All of them.
    pub const ALL: [OutputFormat; 3] = [
        OutputFormat::Edn,
        OutputFormat::ElleJson,
        OutputFormat::Jsonl,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            OutputFormat::Edn => "edn",
            OutputFormat::ElleJson => "elle-json",
            OutputFormat::Jsonl => "jsonl",
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<OutputFormat> {
        OutputFormat::ALL
            .into_iter()
            .find(|format| format.name() == name)
    }
}

impl Log {
    /// The file.
    pub fn to_bytes(&self, format: OutputFormat) -> Vec<u8> {
        let mut out = Vec::new();
        let (begin, between, end): (&[u8], &[u8], &[u8]) = match format {
            OutputFormat::Edn | OutputFormat::Jsonl => (b"", b"\n", b"\n"),
            OutputFormat::ElleJson => (b"[", b",\n ", b"]\n"),
        };
        out.extend_from_slice(begin);
        for (place, event) in self.events.iter().enumerate() {
            if place > 0 {
                out.extend_from_slice(between);
            }
            match format {
                OutputFormat::Edn => edn_event(&mut out, event),
                OutputFormat::ElleJson | OutputFormat::Jsonl => json_event(&mut out, event),
            }
        }
        if !self.events.is_empty() || format == OutputFormat::ElleJson {
            out.extend_from_slice(end);
        }
        out
    }
}

/// As EDN writes it.
impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        edn(&mut text, self);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

fn push(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    // Writing to a vector cannot fail.
    let _ = out.write_fmt(text);
}

fn edn_event(out: &mut Vec<u8>, event: &LogEvent) {
    push(
        out,
        format_args!("{{:index {}", event.index.unwrap_or_default()),
    );
    if let Some(time) = event.time {
        push(out, format_args!(", :time {time}"));
    }
    push(out, format_args!(", :type :{}", event.kind.as_str()));
    match &event.process {
        LogProcess::Missing => {}
        LogProcess::Numbered(number) => push(out, format_args!(", :process {number}")),
        LogProcess::Named(name) => {
            out.extend_from_slice(b", :process ");
            edn_word(out, name);
        }
    }
    if !event.f.is_empty() {
        out.extend_from_slice(b", :f ");
        edn_word(out, &event.f);
    }
    out.extend_from_slice(b", :value ");
    edn(out, &event.value);
    if !event.error.is_nil() {
        out.extend_from_slice(b", :error ");
        edn(out, &event.error);
    }
    for (key, value) in &event.extra {
        out.extend_from_slice(b", ");
        edn(out, key);
        out.push(b' ');
        edn(out, value);
    }
    out.push(b'}');
}

/// A name as a keyword, or as a string if no keyword can hold it.
fn edn_word(out: &mut Vec<u8>, name: &str) {
    if is_token(name) {
        push(out, format_args!(":{name}"));
    } else {
        edn_text(out, name);
    }
}

fn edn(out: &mut Vec<u8>, datum: &Datum) {
    match datum {
        Datum::Nil => out.extend_from_slice(b"nil"),
        Datum::Bool(value) => push(out, format_args!("{value}")),
        Datum::Int(value) => push(out, format_args!("{value}")),
        Datum::Float(float) if float.0.is_nan() => out.extend_from_slice(b"##NaN"),
        Datum::Float(float) if float.0 == f64::INFINITY => out.extend_from_slice(b"##Inf"),
        Datum::Float(float) if float.0 == f64::NEG_INFINITY => out.extend_from_slice(b"##-Inf"),
        // With a point or an exponent, so that it is read as what it is.
        Datum::Float(float) => push(out, format_args!("{:?}", float.0)),
        Datum::Number(text) => out.extend_from_slice(text.as_bytes()),
        Datum::Char(value) => edn_char(out, *value),
        Datum::Text(text) => edn_text(out, text),
        Datum::Keyword(name) => edn_word(out, name),
        Datum::Symbol(name) => out.extend_from_slice(name.as_bytes()),
        Datum::List(items) => edn_items(out, "(", items, b')'),
        Datum::Vector(items) => edn_items(out, "[", items, b']'),
        Datum::Set(items) => edn_items(out, "#{", items, b'}'),
        Datum::Map(entries) => {
            out.push(b'{');
            for (place, (key, value)) in entries.iter().enumerate() {
                out.extend_from_slice(if place == 0 { b"" } else { b", " });
                edn(out, key);
                out.push(b' ');
                edn(out, value);
            }
            out.push(b'}');
        }
        Datum::Tagged(tagged) => {
            push(out, format_args!("#{} ", tagged.0));
            edn(out, &tagged.1);
        }
    }
}

fn edn_items(out: &mut Vec<u8>, open: &str, items: &[Datum], close: u8) {
    out.extend_from_slice(open.as_bytes());
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        edn(out, item);
    }
    out.push(close);
}

fn edn_char(out: &mut Vec<u8>, value: char) {
    match value {
        '\n' => out.extend_from_slice(b"\\newline"),
        ' ' => out.extend_from_slice(b"\\space"),
        '\t' => out.extend_from_slice(b"\\tab"),
        '\r' => out.extend_from_slice(b"\\return"),
        value if value.is_control() || value.is_whitespace() => {
            push(out, format_args!("\\u{:04x}", u32::from(value)));
        }
        value => push(out, format_args!("\\{value}")),
    }
}

fn edn_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' | '\\' => push(out, format_args!("\\{c}")),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            c if c.is_ascii_control() => push(out, format_args!("\\u{:04x}", u32::from(c))),
            c => push(out, format_args!("{c}")),
        }
    }
    out.push(b'"');
}

fn json_event(out: &mut Vec<u8>, event: &LogEvent) {
    push(
        out,
        format_args!("{{\"index\":{}", event.index.unwrap_or_default()),
    );
    if let Some(time) = event.time {
        push(out, format_args!(",\"time\":{time}"));
    }
    push(out, format_args!(",\"type\":\"{}\"", event.kind.as_str()));
    match &event.process {
        LogProcess::Missing => {}
        LogProcess::Numbered(number) => push(out, format_args!(",\"process\":{number}")),
        LogProcess::Named(name) => {
            out.extend_from_slice(b",\"process\":");
            json_text(out, name);
        }
    }
    if !event.f.is_empty() {
        out.extend_from_slice(b",\"f\":");
        json_text(out, &event.f);
    }
    out.extend_from_slice(b",\"value\":");
    json(out, &event.value);
    if !event.error.is_nil() {
        out.extend_from_slice(b",\"error\":");
        json(out, &event.error);
    }
    for (key, value) in &event.extra {
        out.push(b',');
        json_key(out, key);
        out.push(b':');
        json(out, value);
    }
    out.push(b'}');
}

fn json(out: &mut Vec<u8>, datum: &Datum) {
    match datum {
        Datum::Nil => out.extend_from_slice(b"null"),
        Datum::Bool(value) => push(out, format_args!("{value}")),
        Datum::Int(value) => push(out, format_args!("{value}")),
        Datum::Float(float) if float.0.is_finite() => push(out, format_args!("{:?}", float.0)),
        Datum::Float(float) => json_text(out, &float.0.to_string()),
        Datum::Number(text) => match text
            .strip_suffix('N')
            .and_then(|text| text.parse::<u64>().ok())
        {
            Some(number) => push(out, format_args!("{number}")),
            None => json_text(out, text),
        },
        Datum::Char(value) => json_text(out, value.encode_utf8(&mut [0; 4])),
        Datum::Text(text) | Datum::Keyword(text) | Datum::Symbol(text) => json_text(out, text),
        Datum::List(items) | Datum::Vector(items) | Datum::Set(items) => {
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                json(out, item);
            }
            out.push(b']');
        }
        Datum::Map(entries) => {
            out.push(b'{');
            for (place, (key, value)) in entries.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                json_key(out, key);
                out.push(b':');
                json(out, value);
            }
            out.push(b'}');
        }
        Datum::Tagged(tagged) => json(out, &tagged.1),
    }
}

/// A key of a JSON object: a text, or any other value as EDN writes it.
fn json_key(out: &mut Vec<u8>, key: &Datum) {
    match key {
        Datum::Text(name) | Datum::Keyword(name) | Datum::Symbol(name) => json_text(out, name),
        other => json_text(out, &other.to_string()),
    }
}

fn json_text(out: &mut Vec<u8>, text: &str) {
    push(out, format_args!("{}", serde_json::Value::from(text)));
}
