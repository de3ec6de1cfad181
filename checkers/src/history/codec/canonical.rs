//! A line exactly as our own writer writes it, read without a general JSON reader.
//!
//! Our histories hold nothing but such lines, save for a few faults, so this is what the speed of reading depends on. It knows
//! client operations with all fields in the order of the writer, integers for values, and strings without escapes. Of
//! everything else it says nothing: `line.rs` reads that, and it alone refuses lines.
//!
//! Libraries were measured first: lines of 116 bytes (198 with evidence) into borrowed fields, on one core, best of seven: serde
//! 396 (407) MB/s, sonic-rs 0.5 392 (387), simd-json 0.19 439 (450). Lines are too short for vector instructions to pay, so
//! no library is worth a second JSON reader here. `cargo bench -p quorate-checkers --bench reader` prints what this file makes of
//! such lines in the same run: seven to eight times the speed of JSON values, four times that of our own general reader.

use crate::history::event::{Event, EventType, Nanos, Process, Value};
use crate::history::level::{Level, LevelName};
use crate::history::operation::Function;

/// So many digits always fit 64 bits.
const DIGITS_MAX: usize = 19;

/// One line about an operation of a client, borrowed from its text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line<'a> {
    pub(crate) index: u64,
    pub(crate) time: Nanos,
    pub(crate) process: u64,
    pub(crate) value: Value,
    /// What a write had read, which only the general reader reads.
    pub(crate) context: Option<&'a [Value]>,
    pub(crate) key: Option<&'a str>,
    pub(crate) error: Option<&'a str>,
    pub(crate) node: Option<&'a str>,
    /// The evidence as our own writer writes it.
    pub(crate) claims: Option<&'a str>,
    pub(crate) level: Option<Level>,
    pub(crate) kind: EventType,
    pub(crate) f: Function,
}

impl<'a> Line<'a> {
    /// Reads a line without its newline; none if it is not exactly as our writer would write it.
    pub(crate) fn read(text: &'a [u8]) -> Option<Line<'a>> {
        let mut cursor = Cursor {
            text: std::str::from_utf8(text).ok()?,
            at: 0,
        };
        let line = cursor.line()?;
        (cursor.at == text.len()).then_some(line)
    }

    /// The same line from an event of a client; its claims are given because the event does not hold their text.
    pub(crate) fn of(event: &'a Event, claims: Option<&'a str>) -> Option<Line<'a>> {
        let Process::Client(process) = event.process else {
            return None;
        };
        Some(Line {
            index: event.index,
            time: event.time,
            process,
            value: event.value.clone(),
            context: event.context.as_deref(),
            key: event.key.as_deref(),
            error: event.error.as_deref(),
            node: event.node.as_deref(),
            claims,
            level: event.level,
            kind: event.kind,
            f: Function::of(&event.f)?,
        })
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn line(&mut self) -> Option<Line<'a>> {
        self.expect(b"{\"index\":")?;
        let index = self.number()?;
        self.expect(b",\"time\":")?;
        let time = Nanos(self.number()?);
        self.expect(b",\"type\":\"")?;
        let kind = self.kind()?;
        self.expect(b"\",\"process\":")?;
        let process = self.number()?;
        self.expect(b",\"f\":\"")?;
        let f = self.function()?;
        self.expect(b"\",\"key\":\"")?;
        let key = Some(self.name()?);
        let value = if self.eat(b",\"value\":") {
            Value::Int(self.integer()?)
        } else {
            Value::Nil
        };
        let error = self.optional(b",\"error\":\"")?;
        let node = self.optional(b",\"node\":\"")?;
        let level = if self.eat(b",\"level\":") {
            Some(Level::Count(u32::try_from(self.number()?).ok()?))
        } else if self.eat(b",\"asked\":\"") {
            Some(Level::Named(LevelName::from_name(self.name()?)?))
        } else {
            None
        };
        let claims = if self.eat(b",\"evidence\":") {
            let from = self.at;
            self.evidence()?;
            Some(self.text.get(from..self.at)?)
        } else {
            None
        };
        self.expect(b"}")?;
        Some(Line {
            index,
            time,
            process,
            value,
            context: None,
            key,
            error,
            node,
            claims,
            level,
            kind,
            f,
        })
    }

    fn kind(&mut self) -> Option<EventType> {
        let kinds: [(&[u8], EventType); 4] = [
            (b"invoke", EventType::Invoke),
            (b"ok", EventType::Ok),
            (b"info", EventType::Info),
            (b"fail", EventType::Fail),
        ];
        kinds
            .into_iter()
            .find_map(|(word, kind)| self.eat_word(word).then_some(kind))
    }

    fn function(&mut self) -> Option<Function> {
        let functions: [(&[u8], Function); 4] = [
            (b"read", Function::Read),
            (b"write", Function::Write),
            (b"delete", Function::Delete),
            (b"census", Function::Census),
        ];
        functions
            .into_iter()
            .find_map(|(word, function)| self.eat_word(word).then_some(function))
    }

    fn evidence(&mut self) -> Option<()> {
        self.expect(b"{\"version\":")?;
        self.stamp()?;
        if self.eat(b",\"epoch\":") {
            self.number()?;
        }
        if self.eat(b",\"acked_by\":") {
            self.list(Self::quoted)?;
        }
        if self.eat(b",\"answered_by\":") {
            self.list(Self::answer)?;
        }
        if self.eat(b",\"repaired\":") {
            self.list(Self::quoted)?;
        }
        self.expect(b"}")
    }

    fn stamp(&mut self) -> Option<()> {
        if self.eat(b"null") {
            return Some(());
        }
        self.expect(b"{\"wall_ns\":")?;
        self.integer()?;
        self.expect(b",\"node\":\"")?;
        self.name()?;
        self.expect(b"}")
    }

    fn answer(&mut self) -> Option<()> {
        self.expect(b"{\"node\":\"")?;
        self.name()?;
        self.expect(b",\"version\":")?;
        self.stamp()?;
        self.expect(b"}")
    }

    fn quoted(&mut self) -> Option<()> {
        self.expect(b"\"")?;
        self.name().map(|_| ())
    }

    /// A list that is not empty.
    fn list(&mut self, item: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.expect(b"[")?;
        item(self)?;
        while self.eat(b",") {
            item(self)?;
        }
        self.expect(b"]")
    }

    /// A string behind its opening field, if the field is there.
    #[expect(
        clippy::option_option,
        reason = "the outer option says whether the line can be read, the inner one whether the field is there"
    )]
    fn optional<const N: usize>(&mut self, field: &[u8; N]) -> Option<Option<&'a str>> {
        if self.eat(field) {
            self.name().map(Some)
        } else {
            Some(None)
        }
    }

    /// The rest of a string whose opening quote is behind us, without escapes.
    fn name(&mut self) -> Option<&'a str> {
        let from = self.at;
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
        if rest[length] != b'"' {
            return None;
        }
        self.at += length + 1;
        self.text.get(from..from + length)
    }

    /// An unsigned integer as it is written: no sign, no leading zero.
    fn number(&mut self) -> Option<u64> {
        let rest = self.rest();
        let mut number = 0;
        let mut digits = 0;
        for &byte in rest.iter().take(DIGITS_MAX) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number * 10 + u64::from(digit);
            digits += 1;
        }
        // A twentieth digit is met by whatever is expected next, and refused there.
        if digits == 0 || (digits > 1 && rest[0] == b'0') {
            return None;
        }
        self.at += digits;
        Some(number)
    }

    /// An integer as it is written; minus zero is none.
    fn integer(&mut self) -> Option<i64> {
        let negative = self.eat(b"-");
        let number = i64::try_from(self.number()?).ok()?;
        match (negative, number) {
            (true, 0) => None,
            (true, _) => Some(-number),
            (false, _) => Some(number),
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn eat<const N: usize>(&mut self, literal: &[u8; N]) -> bool {
        self.eat_word(literal)
    }

    #[inline]
    fn eat_word(&mut self, word: &[u8]) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn expect<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        self.eat(literal).then_some(())
    }
}
