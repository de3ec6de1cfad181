//! EDN to a log: a stream of maps as Jepsen writes it, or one enclosing vector or list, with comments, discarded forms and tags.
//!
//! Of the published parsers the best kept, `clojure-reader` 0.7, refuses what Clojure prints (`1N`, `##NaN`, `\u00e9` in strings and
//! characters) and sorts the keys of maps, so that a file does not come back as it was; `edn-format` 3.3 trips over `#_` before a
//! closing brace; `edn-rs` 0.19 over tags. They read 90, 41 and 64 MB/s of Jepsen's lines; this reader is 2.7 times as fast as the first of
//! them in the same run, events included. Places are computed for events and errors only. Forms nest up to [`DEPTH_MAX`], so that no text exhausts the stack.

mod atom;

use super::detect::InputFormat;
use super::error::{LogError, Place, Problem};
use super::event::{Draft, LogEvent, Words};
use super::{Datum, Log};

/// How deep forms may nest.
const DEPTH_MAX: u32 = 128;

/// Reads a whole text. A last event that breaks off is dropped and noted, unless a collection encloses the events: then
/// nobody can tell what else is missing.
pub(super) fn read(bytes: &[u8]) -> Result<Log, LogError> {
    let (text, torn) = super::text::decode(bytes)?;
    let mut reader = Reader::new(text);
    let mut log = Log::new(InputFormat::Edn);
    log.torn_tail = torn;
    let Err(stop) = reader.stream(&mut log) else {
        return Ok(log);
    };
    match reader.enclosed {
        None if stop.at_end => {
            log.torn_tail = true;
            Ok(log)
        }
        Some(open) if stop.at_end => {
            let what = "the collection that begins here has no end: restore the rest of the file";
            Err(LogError::syntax(Place::of(bytes, open), what))
        }
        _ => Err(LogError::new(Place::of(bytes, stop.at), stop.problem)),
    }
}

/// Reads a text that is one form.
pub(super) fn form(text: &str) -> Result<Datum, Problem> {
    let mut reader = Reader::new(text);
    let form = reader.skip().and_then(|()| reader.form());
    let form = form.map_err(|stop| stop.problem)?;
    match reader.skip() {
        Ok(()) if reader.at == text.len() => Ok(form),
        _ => Err(Problem::Syntax(format!(
            "`{text}` is not one form: quote it"
        ))),
    }
}

/// Where and why reading stopped.
struct Stop {
    at: usize,
    problem: Problem,
    /// Whether the text ends there: more of it might have made sense.
    at_end: bool,
}

type Read<T> = Result<T, Stop>;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    words: Words,
    /// Where the collection that encloses the events begins, while in it.
    enclosed: Option<usize>,
    /// A byte whose place is known: the last event's.
    placed: (usize, Place),
}

/// Whether a byte ends a token.
const fn ends_token(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t'
            | b'\n'
            | b'\r'
            | b'\x0c'
            | b','
            | b'"'
            | b';'
            | b'('
            | b')'
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'\\'
    )
}

/// [`ends_token`] of every byte.
const ENDS_TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = ends_token(byte);
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Whether a name can stand in a text without quotes.
pub(super) fn is_token(name: &str) -> bool {
    !name.is_empty() && !name.bytes().any(ends_token)
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Reader<'a> {
        Reader {
            text,
            at: 0,
            depth: 0,
            words: Words::default(),
            enclosed: None,
            placed: (0, Place::default()),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn peek_second(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at + 1).copied()
    }

    fn stream(&mut self, log: &mut Log) -> Read<()> {
        loop {
            self.skip()?;
            match self.peek() {
                None if self.enclosed.is_some() => return self.ended(),
                None => return Ok(()),
                Some(b'[' | b'(') if self.enclosed.is_none() => {
                    self.enclosed = Some(self.at);
                    self.at += 1;
                }
                Some(b']' | b')') if self.enclosed.is_some() => {
                    self.enclosed = None;
                    self.at += 1;
                }
                Some(_) => {
                    let place = self.place();
                    let event = self.event()?;
                    log.push(event, place);
                }
            }
        }
    }

    /// The place of the next byte.
    fn place(&mut self) -> Place {
        let (at, place) = self.placed;
        let place = place.after(&self.text.as_bytes()[at..self.at]);
        self.placed = (self.at, place);
        place
    }

    fn event(&mut self) -> Read<LogEvent> {
        // Whatever the tag: a record is printed as a tagged map.
        while self.peek() == Some(b'#') && self.peek_second() != Some(b'{') {
            self.at += 1;
            self.token();
            self.skip()?;
        }
        let begin = self.at;
        match self.peek() {
            Some(b'{') => self.at += 1,
            None => return self.ended(),
            Some(_) => {
                return stop(
                    begin,
                    "this is no event: give each as a map, {:type :invoke, :process 0, ...}",
                );
            }
        }
        let mut draft = Draft::default();
        loop {
            self.skip()?;
            let key_at = self.at;
            match self.peek() {
                Some(b'}') => break self.at += 1,
                Some(b':') => {
                    let name = self.keyword()?;
                    self.value_follows(key_at)?;
                    self.field(&mut draft, name)?;
                }
                _ => {
                    let key = self.form()?;
                    self.value_follows(key_at)?;
                    let value = self.form()?;
                    draft.keep(key, value);
                }
            }
        }
        draft
            .finish(&mut self.words)
            .map_err(|problem| problem_at(begin, problem))
    }

    /// Reads the value of a field of an event.
    fn field(&mut self, draft: &mut Draft, name: &str) -> Read<()> {
        let value_at = self.at;
        if self.peek() == Some(b':') {
            let word = self.keyword()?;
            self.goes_on()?;
            let taken = draft.take_word(name, word, &mut self.words);
            if !taken.map_err(|problem| problem_at(value_at, problem))? {
                let value = Datum::keyword(word);
                let taken = draft.take(name, value, &mut self.words);
                taken.map_err(|problem| problem_at(value_at, problem))?;
            }
            return Ok(());
        }
        let value = self.form()?;
        self.goes_on()?;
        let taken = draft.take(name, value, &mut self.words);
        taken.map_err(|problem| problem_at(value_at, problem))
    }

    /// Goes to the value of a map's key, and refuses a map that has none.
    fn value_follows(&mut self, key_at: usize) -> Read<()> {
        self.skip()?;
        match self.peek() {
            Some(b'}') => stop(key_at, "a key without a value: give it one, or remove it"),
            None => self.ended(),
            Some(_) => Ok(()),
        }
    }

    /// Refuses to judge a form that the text may have cut short.
    fn goes_on(&self) -> Read<()> {
        match self.peek() {
            None => self.ended(),
            Some(_) => Ok(()),
        }
    }

    /// Goes to the next form: over spaces, commas, comments and discarded forms.
    fn skip(&mut self) -> Read<()> {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b',' => self.at += 1,
                b';' => {
                    let rest = &self.text.as_bytes()[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                b'#' if self.peek_second() == Some(b'_') => {
                    self.at += 2;
                    self.deeper()?;
                    self.skip()?;
                    self.form()?;
                    self.depth -= 1;
                }
                _ => break,
            }
        }
        Ok(())
    }

    fn deeper(&mut self) -> Read<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return stop(
                self.at,
                format!("forms nest deeper than {DEPTH_MAX}: flatten them"),
            );
        }
        Ok(())
    }

    /// Reads the next form, which begins here.
    fn form(&mut self) -> Read<Datum> {
        let Some(byte) = self.peek() else {
            return self.ended();
        };
        match byte {
            b'[' => self.nested(|reader| Ok(Datum::Vector(reader.items(b']')?))),
            b'(' => self.nested(|reader| Ok(Datum::List(reader.items(b')')?))),
            b'{' => self.nested(|reader| Ok(Datum::Map(reader.entries()?))),
            b'#' => self.nested(Reader::dispatch),
            b'"' => self.string(),
            b'\\' => self.character(),
            b':' => Ok(Datum::keyword(self.keyword()?)),
            b']' | b')' | b'}' => {
                let found = char::from(byte);
                stop(
                    self.at,
                    format!("`{found}` closes nothing: remove it, or restore what it closes"),
                )
            }
            _ => self.atom(),
        }
    }

    /// Reads a form whose first byte is taken.
    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Read<Datum>) -> Read<Datum> {
        self.deeper()?;
        self.at += 1;
        let form = read(self)?;
        self.depth -= 1;
        Ok(form)
    }

    fn items(&mut self, close: u8) -> Read<Vec<Datum>> {
        let mut items = Vec::new();
        loop {
            self.skip()?;
            match self.peek() {
                Some(byte) if byte == close => {
                    self.at += 1;
                    return Ok(items);
                }
                _ => items.push(self.form()?),
            }
        }
    }

    fn entries(&mut self) -> Read<Vec<(Datum, Datum)>> {
        let mut entries = Vec::new();
        loop {
            self.skip()?;
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(entries);
            }
            let key_at = self.at;
            let key = self.form()?;
            self.value_follows(key_at)?;
            entries.push((key, self.form()?));
        }
    }

    /// Reads what follows a `#`.
    fn dispatch(&mut self) -> Read<Datum> {
        let begin = self.at - 1;
        match self.peek() {
            None => self.ended(),
            Some(b'{') => {
                self.at += 1;
                Ok(Datum::Set(self.items(b'}')?))
            }
            Some(b'#') => {
                self.at += 1;
                self.symbolic(begin)
            }
            Some(b':') => self.namespaced(),
            Some(byte) if byte.is_ascii_alphabetic() => {
                let tag = self.token();
                self.skip()?;
                let form = self.form()?;
                Ok(Datum::Tagged(Box::new((tag.into(), form))))
            }
            Some(_) => stop(
                begin,
                "`#` begins a set, a tag, or a form to discard: remove what this is",
            ),
        }
    }

    /// Reads a map whose keys are printed without their common namespace: `#:jepsen{:a 1}`.
    fn namespaced(&mut self) -> Read<Datum> {
        let begin = self.at;
        let space = self.keyword()?;
        self.skip()?;
        if self.peek() != Some(b'{') {
            return stop(begin, "a namespace without a map: write `#:name{...}`");
        }
        self.at += 1;
        let mut entries = self.entries()?;
        for (key, _) in &mut entries {
            if let Datum::Keyword(name) = key
                && !name.contains('/')
            {
                *key = Datum::Keyword(format!("{space}/{name}").into());
            }
        }
        Ok(Datum::Map(entries))
    }

    fn keyword(&mut self) -> Read<&'a str> {
        let begin = self.at;
        self.at += 1;
        let name = self.token();
        if !name.is_empty() {
            return Ok(name);
        }
        self.no_token(begin, "`:` without a name: name the keyword, or remove it")
    }

    /// The text up to the next byte that ends a token.
    fn token(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let ends = |byte: &u8| ENDS_TOKEN[usize::from(*byte)];
        let length = rest.as_bytes().iter().position(ends).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Stops for what began at a place; if the text ends where reading has come to, more of it might have made sense.
    fn no_token<T>(&self, begin: usize, what: impl Into<String>) -> Read<T> {
        Err(Stop {
            at_end: self.at >= self.text.len(),
            ..problem_at(begin, Problem::Syntax(what.into()))
        })
    }

    fn ended<T>(&self) -> Read<T> {
        let what = "the text ends within a form: restore the rest of the file";
        Err(Stop {
            at_end: true,
            ..problem_at(self.text.len(), Problem::Syntax(what.to_owned()))
        })
    }
}

/// Stops at a place, whatever may follow.
fn stop<T>(at: usize, what: impl Into<String>) -> Read<T> {
    Err(problem_at(at, Problem::Syntax(what.into())))
}

fn problem_at(at: usize, problem: Problem) -> Stop {
    Stop {
        at,
        problem,
        at_end: false,
    }
}
