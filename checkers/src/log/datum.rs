//! A value as a log may hold it: the kinds of EDN, of which those of JSON are a part.
//!
//! It is data and nothing else: how it is written is in `edn.rs`, `json.rs` and `write.rs`. Numbers that do not fit 64 bits keep their text,
//! so that nothing is rounded.

use std::cmp::Ordering;

/// A floating-point number with a total order, so that values can be sorted and compared.
#[derive(Clone, Copy, Debug)]
pub struct Float(pub f64);

impl PartialEq for Float {
    fn eq(&self, other: &Float) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Float {}

impl PartialOrd for Float {
    fn partial_cmp(&self, other: &Float) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Float {
    fn cmp(&self, other: &Float) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// A value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Datum {
    /// Nothing (`nil`, `null`).
    #[default]
    Nil,
    /// True or false.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A floating-point number.
    Float(Float),
    /// Any other number by its text: `36893488147419103232N`, `1/3`, `0.10M`.
    Number(Box<str>),
    /// A character (EDN only).
    Char(char),
    /// A text.
    Text(Box<str>),
    /// A keyword, without its colon (EDN only; a string in JSON).
    Keyword(Box<str>),
    /// A symbol (EDN only).
    Symbol(Box<str>),
    /// A list (EDN only).
    List(Vec<Datum>),
    /// A vector; an array in JSON.
    Vector(Vec<Datum>),
    /// A set, in the order of the file (EDN only).
    Set(Vec<Datum>),
    /// A map, in the order of the file.
    Map(Vec<(Datum, Datum)>),
    /// A value with a tag (EDN only).
    Tagged(Box<(Box<str>, Datum)>),
}

/// The value of the first entry whose key is this name.
pub(super) fn named<'a>(entries: &'a [(Datum, Datum)], name: &str) -> Option<&'a Datum> {
    let is_named =
        |key: &Datum| matches!(key, Datum::Keyword(key) | Datum::Text(key) if &**key == name);
    let found = entries.iter().find(|(key, _)| is_named(key));
    found.map(|(_, value)| value)
}

impl Datum {
    /// A text.
    pub fn text(text: &str) -> Datum {
        Datum::Text(text.into())
    }

    /// A keyword, without its colon.
    pub fn keyword(name: &str) -> Datum {
        Datum::Keyword(name.into())
    }

    /// Whether it is nothing.
    pub fn is_nil(&self) -> bool {
        *self == Datum::Nil
    }

    /// For people: a text without its quotes, anything else as EDN writes it.
    pub fn plain(&self) -> String {
        match self {
            Datum::Text(text) => text.to_string(),
            other => other.to_string(),
        }
    }

    /// The elements of a list, vector or set.
    pub fn elements(&self) -> Option<&[Datum]> {
        match self {
            Datum::List(items) | Datum::Vector(items) | Datum::Set(items) => Some(items),
            _ => None,
        }
    }

    /// The two elements of a list or vector of two.
    pub fn pair(&self) -> Option<(&Datum, &Datum)> {
        match self {
            Datum::List(items) | Datum::Vector(items) => match items.as_slice() {
                [first, second] => Some((first, second)),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a map holds under a name.
    pub fn field(&self, name: &str) -> Option<&Datum> {
        match self {
            Datum::Map(entries) => named(entries, name),
            _ => None,
        }
    }

    /// The one of all equal values that stands for them: lists are vectors, sets and maps are sorted, tags are kept.
    ///
    /// Equal as Clojure sees it: `(1 2)` and `[1 2]` are the same value, and so are `#{1 2}` and `#{2 1}`.
    #[must_use]
    pub fn canonical(&self) -> Datum {
        let all = |items: &[Datum]| items.iter().map(Datum::canonical).collect::<Vec<_>>();
        match self {
            Datum::List(items) | Datum::Vector(items) => Datum::Vector(all(items)),
            Datum::Set(items) => {
                let mut items = all(items);
                items.sort_unstable();
                items.dedup();
                Datum::Set(items)
            }
            Datum::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (key.canonical(), value.canonical()));
                let mut entries: Vec<_> = entries.collect();
                entries.sort_unstable();
                Datum::Map(entries)
            }
            Datum::Tagged(tagged) => {
                Datum::Tagged(Box::new((tagged.0.clone(), tagged.1.canonical())))
            }
            other => other.clone(),
        }
    }
}
