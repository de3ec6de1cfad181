//! One event as one JSON object: a hand-written reader that keeps what it does not know, and the writer.
//!
//! It does not check that lines fit together. `serde(flatten)` would do the keeping too, but buffers every line and loses
//! the name of the field that is wrong.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value as Json};

use crate::history::event::{Event, EventType, Evidence, F, Nanos, Process, Stamp, Value};
use crate::history::level::{Level, LevelName};

/// The word of a nemesis line's `process`.
const NEMESIS: &str = "nemesis";

impl Event {
    /// Appends this event as a line, with its newline. Absent fields are left out.
    pub fn to_line(&self, out: &mut Vec<u8>) {
        push_plain(
            out,
            format_args!("{{\"index\":{},\"time\":{}", self.index, self.time.0),
        );
        push_plain(
            out,
            format_args!(",\"type\":\"{}\",\"process\":", self.kind.as_str()),
        );
        match self.process {
            Process::Client(id) => push_plain(out, format_args!("{id}")),
            Process::Nemesis => push_text(out, NEMESIS),
        }
        push_field(out, "f");
        push_text(out, self.f.as_str());
        if let Some(key) = &self.key {
            push_field(out, "key");
            push_text(out, key);
        }
        match &self.value {
            Value::Nil => {}
            value => {
                push_field(out, "value");
                push_value(out, value);
            }
        }
        if let Some(context) = &self.context {
            push_list(out, "context", context, push_value);
        }
        if let Some(error) = &self.error {
            push_field(out, "error");
            push_text(out, error);
        }
        if let Some(node) = &self.node {
            push_field(out, "node");
            push_text(out, node);
        }
        match self.level {
            None => {}
            Some(Level::Count(count)) => push_plain(out, format_args!(",\"level\":{count}")),
            Some(Level::Named(name)) => push_plain(out, format_args!(",\"asked\":\"{name}\"")),
        }
        if let Some(evidence) = &self.evidence {
            push_field(out, "evidence");
            push_evidence(out, evidence);
        }
        push_extra(out, &self.extra);
        out.extend_from_slice(b"}\n");
    }
}

impl Evidence {
    /// The object as it stands in a line.
    pub(in crate::history) fn to_text(&self) -> String {
        let mut out = Vec::new();
        push_evidence(&mut out, self);
        // Everything that is pushed is text.
        String::from_utf8(out).unwrap_or_default()
    }
}

impl EventType {
    fn as_str(self) -> &'static str {
        match self {
            EventType::Invoke => "invoke",
            EventType::Ok => "ok",
            EventType::Fail => "fail",
            EventType::Info => "info",
        }
    }
}

fn push_plain(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    // Writing to a vector cannot fail.
    let _ = std::io::Write::write_fmt(out, text);
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        push_plain(out, format_args!("{}", Json::from(text)));
    }
}

fn push_field(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    push_text(out, name);
    out.push(b':');
}

fn push_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::Int(value) => push_plain(out, format_args!("{value}")),
        Value::Json(value) => push_plain(out, format_args!("{value}")),
    }
}

fn push_extra(out: &mut Vec<u8>, extra: &Map<String, Json>) {
    for (name, value) in extra {
        push_field(out, name);
        push_plain(out, format_args!("{value}"));
    }
}

fn push_list<T>(out: &mut Vec<u8>, name: &str, items: &[T], push: impl Fn(&mut Vec<u8>, &T)) {
    push_field(out, name);
    for (i, item) in items.iter().enumerate() {
        out.push(if i == 0 { b'[' } else { b',' });
        push(out, item);
    }
    out.extend_from_slice(if items.is_empty() { b"[]" } else { b"]" });
}

fn push_stamp(out: &mut Vec<u8>, stamp: Option<&Stamp>) {
    let Some(stamp) = stamp else {
        out.extend_from_slice(b"null");
        return;
    };
    push_plain(
        out,
        format_args!("{{\"wall_ns\":{},\"node\":", stamp.wall_ns),
    );
    push_text(out, &stamp.node);
    out.push(b'}');
}

fn push_evidence(out: &mut Vec<u8>, evidence: &Evidence) {
    out.extend_from_slice(b"{\"version\":");
    push_stamp(out, evidence.version.as_ref());
    if let Some(epoch) = evidence.epoch {
        push_plain(out, format_args!(",\"epoch\":{epoch}"));
    }
    let name = |out: &mut Vec<u8>, name: &String| push_text(out, name);
    if !evidence.acked_by.is_empty() {
        push_list(out, "acked_by", &evidence.acked_by, name);
    }
    if !evidence.answered_by.is_empty() {
        push_list(out, "answered_by", &evidence.answered_by, |out, answer| {
            out.extend_from_slice(b"{\"node\":");
            push_text(out, &answer.node);
            push_field(out, "version");
            push_stamp(out, answer.version.as_ref());
            out.push(b'}');
        });
    }
    if !evidence.repaired.is_empty() {
        push_list(out, "repaired", &evidence.repaired, name);
    }
    push_extra(out, &evidence.extra);
    out.push(b'}');
}

/// Reads a field into its slot. A field that is there twice is refused: nobody could say which one counts.
fn take<'de, A, T>(map: &mut A, name: &str, slot: &mut Option<T>) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    if slot.is_some() {
        return Err(de::Error::custom(format_args!(
            "field `{name}` is there twice"
        )));
    }
    let value = map.next_value();
    *slot = Some(value.map_err(|e| de::Error::custom(format_args!("field `{name}`: {e}")))?);
    Ok(())
}

fn need<T, E: de::Error>(slot: Option<T>, name: &'static str) -> Result<T, E> {
    slot.ok_or_else(|| E::missing_field(name))
}

/// The name of a field: borrowed from the line whenever it has no escapes.
struct Name<'de>(std::borrow::Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(text.into()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(text.to_owned().into()))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// A level is a number or a name, and not both: nobody could say which one counts.
fn level_of<E: de::Error>(count: Option<u32>, name: Option<LevelName>) -> Result<Option<Level>, E> {
    match (count, name) {
        (Some(_), Some(_)) => Err(E::custom(
            "fields `level` and `asked` are both there: leave out one of them",
        )),
        (count, name) => Ok(count.map(Level::Count).or(name.map(Level::Named))),
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
        let (mut index, mut time, mut kind, mut process, mut f) = (None, None, None, None, None);
        let (mut key, mut value, mut context, mut error) = (None, None, None, None);
        let (mut node, mut level, mut asked, mut evidence) = (None, None, None, None);
        let mut extra = Map::new();
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "index" => take(&mut map, &name, &mut index)?,
                "time" => take(&mut map, &name, &mut time)?,
                "type" => take(&mut map, &name, &mut kind)?,
                "process" => take(&mut map, &name, &mut process)?,
                "f" => take::<A, Name<'de>>(&mut map, &name, &mut f)?,
                "key" => take::<A, Option<String>>(&mut map, &name, &mut key)?,
                "value" => take(&mut map, &name, &mut value)?,
                "context" => take::<A, Option<Vec<Value>>>(&mut map, &name, &mut context)?,
                "error" => take::<A, Option<String>>(&mut map, &name, &mut error)?,
                "node" => take::<A, Option<String>>(&mut map, &name, &mut node)?,
                "level" => take::<A, Option<u32>>(&mut map, &name, &mut level)?,
                "asked" => take::<A, Option<LevelName>>(&mut map, &name, &mut asked)?,
                "evidence" => take::<A, Option<Box<Evidence>>>(&mut map, &name, &mut evidence)?,
                _ => drop(extra.insert(name.into_owned(), map.next_value()?)),
            }
        }
        Ok(Event {
            index: need(index, "index")?,
            time: Nanos(need(time, "time")?),
            kind: need(kind, "type")?,
            process: need(process, "process")?,
            f: F::from(&*need(f, "f")?.0),
            key: key.flatten(),
            value: value.unwrap_or_default(),
            context: context.flatten(),
            error: error.flatten(),
            node: node.flatten(),
            level: level_of(level.flatten(), asked.flatten())?,
            evidence: evidence.flatten(),
            extra,
        })
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match &*Name::deserialize(deserializer)?.0 {
            "invoke" => Ok(EventType::Invoke),
            "ok" => Ok(EventType::Ok),
            "fail" => Ok(EventType::Fail),
            "info" => Ok(EventType::Info),
            other => Err(de::Error::custom(format_args!(
                "unknown type `{other}`, expected invoke, ok, fail or info"
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Process {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ProcessVisitor;
        impl Visitor<'_> for ProcessVisitor {
            type Value = Process;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a process number or \"nemesis\"")
            }
            fn visit_u64<E>(self, id: u64) -> Result<Process, E> {
                Ok(Process::Client(id))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Process, E> {
                if text == NEMESIS {
                    return Ok(Process::Nemesis);
                }
                Err(E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(ProcessVisitor)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Nil)
            }
            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Int(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(i64::try_from(value)
                    .map_or_else(|_| Value::Json(Box::new(value.into())), Value::Int))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Json(Box::new(value.into())))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Json(Box::new(value.into())))
            }
            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(Value::Json(Box::new(value.into())))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Value, A::Error> {
                let list = Json::deserialize(de::value::SeqAccessDeserializer::new(seq))?;
                Ok(Value::Json(Box::new(list)))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
                let object = Json::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Value::Json(Box::new(object)))
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Evidence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EvidenceVisitor;
        impl<'de> Visitor<'de> for EvidenceVisitor {
            type Value = Evidence;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the evidence object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Evidence, A::Error> {
                let (mut version, mut epoch) = (None, None);
                let (mut acked_by, mut answered_by, mut repaired) = (None, None, None);
                let mut extra = Map::new();
                while let Some(Name(name)) = map.next_key()? {
                    match &*name {
                        "version" => take::<A, Option<Stamp>>(&mut map, &name, &mut version)?,
                        "epoch" => take::<A, Option<u64>>(&mut map, &name, &mut epoch)?,
                        "acked_by" => take(&mut map, &name, &mut acked_by)?,
                        "answered_by" => take(&mut map, &name, &mut answered_by)?,
                        "repaired" => take(&mut map, &name, &mut repaired)?,
                        _ => drop(extra.insert(name.into_owned(), map.next_value()?)),
                    }
                }
                Ok(Evidence {
                    version: version.flatten(),
                    epoch: epoch.flatten(),
                    acked_by: acked_by.unwrap_or_default(),
                    answered_by: answered_by.unwrap_or_default(),
                    repaired: repaired.unwrap_or_default(),
                    extra,
                })
            }
        }
        deserializer.deserialize_map(EvidenceVisitor)
    }
}
