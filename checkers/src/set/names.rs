//! What elements are called outside: integers or text, by dense id; and sets of integers in short.
//!
//! Judges count with ids. Names come back only where a result is shown.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

/// A name that is only looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementRef<'a> {
    /// An integer.
    Int(i64),
    /// Anything else, as text.
    Text(&'a str),
}

impl From<i64> for ElementRef<'_> {
    fn from(value: i64) -> Self {
        ElementRef::Int(value)
    }
}

impl<'a> From<&'a str> for ElementRef<'a> {
    fn from(value: &'a str) -> Self {
        ElementRef::Text(value)
    }
}

impl<'a> From<&'a Element> for ElementRef<'a> {
    fn from(element: &'a Element) -> Self {
        match element {
            Element::Int(value) => ElementRef::Int(*value),
            Element::Text(value) => ElementRef::Text(value),
        }
    }
}

/// An element as its client named it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Element {
    /// An integer.
    Int(i64),
    /// Anything else, as text.
    Text(String),
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Element::Int(value) => write!(f, "{value}"),
            Element::Text(value) => f.write_str(value),
        }
    }
}

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Element::Int(value) => serializer.serialize_i64(*value),
            Element::Text(value) => serializer.serialize_str(value),
        }
    }
}

/// Names of elements by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElementNames {
    names: Vec<Element>,
}

impl ElementNames {
    /// The name of an element. An id without a name is its own name.
    pub fn of(&self, id: u32) -> Element {
        match self.names.get(id as usize) {
            Some(name) => name.clone(),
            None => Element::Int(i64::from(id)),
        }
    }

    /// How many elements have a name.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names of elements, in their own order: integers before text.
    pub(crate) fn sorted(&self, ids: impl IntoIterator<Item = u32>) -> Vec<Element> {
        let mut names: Vec<Element> = ids.into_iter().map(|id| self.of(id)).collect();
        names.sort();
        names
    }

    /// The same names under other ids: the element `old` becomes `new_ids[old]`.
    pub(super) fn renumbered(mut self, new_ids: &[u32]) -> ElementNames {
        let mut names = vec![Element::Int(0); self.names.len()];
        for (name, &new) in self.names.drain(..).zip(new_ids) {
            names[new as usize] = name;
        }
        ElementNames { names }
    }
}

/// A set in the short form of Jepsen: runs of integers as `#{0..3 5}`, then whatever is no integer.
pub fn intervals(sorted: &[Element]) -> String {
    let mut parts = Vec::new();
    let mut run: Option<(i64, i64)> = None;
    for element in sorted {
        match (element, run) {
            (Element::Int(value), Some((first, last))) if last.checked_add(1) == Some(*value) => {
                run = Some((first, *value));
            }
            (Element::Int(value), _) => {
                parts.extend(run.map(span));
                run = Some((*value, *value));
            }
            (Element::Text(text), _) => {
                parts.extend(run.take().map(span));
                parts.push(format!("{text:?}"));
            }
        }
    }
    parts.extend(run.map(span));
    format!("#{{{}}}", parts.join(" "))
}

fn span((first, last): (i64, i64)) -> String {
    if first == last {
        first.to_string()
    } else {
        format!("{first}..{last}")
    }
}

/// From names to ids, in the order in which they are first met.
#[derive(Clone, Debug, Default)]
pub(super) struct Interner {
    names: Vec<Element>,
    texts: BTreeMap<String, u32>,
    /// Open addressing. The length is a power of two.
    slots: Vec<Slot>,
    integers: usize,
}

/// A slot of the table of integers.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    value: i64,
    /// id + 1, or 0 if the slot is empty.
    id_after: u32,
}

impl Interner {
    /// The id of an element.
    pub(super) fn element(&mut self, element: ElementRef<'_>) -> u32 {
        match element {
            ElementRef::Int(value) => self.integer(value),
            ElementRef::Text(value) => self.text(value),
        }
    }

    fn integer(&mut self, value: i64) -> u32 {
        if (self.integers + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let slot = self.slot(value);
        if self.slots[slot].id_after == 0 {
            let id = self.push(Element::Int(value));
            let id_after = id.saturating_add(1);
            self.slots[slot] = Slot { value, id_after };
            self.integers += 1;
        }
        self.slots[slot].id_after - 1
    }

    fn text(&mut self, value: &str) -> u32 {
        if let Some(&id) = self.texts.get(value) {
            return id;
        }
        let id = self.push(Element::Text(value.to_owned()));
        self.texts.insert(value.to_owned(), id);
        id
    }

    pub(super) fn into_names(self) -> ElementNames {
        ElementNames { names: self.names }
    }

    /// Ids stay below `u32::MAX - 1`: a history with more elements than that does not fit into memory.
    fn push(&mut self, name: Element) -> u32 {
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX - 2);
        self.names.push(name);
        id
    }

    /// Where an integer is, or where it belongs.
    fn slot(&self, value: i64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = mix(value) & mask;
        while self.slots[at].id_after != 0 && self.slots[at].value != value {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let wider = vec![Slot::default(); (self.slots.len() * 2).max(64)];
        for slot in std::mem::replace(&mut self.slots, wider) {
            if slot.id_after != 0 {
                let at = self.slot(slot.value);
                self.slots[at] = slot;
            }
        }
    }
}

/// Spreads the bits of an integer over all bits of the result.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "only the low bits are of use"
)]
fn mix(value: i64) -> usize {
    let spread = (value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (spread ^ (spread >> 32)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_integers_are_short() {
        let short = |values: &[i64]| {
            let elements: Vec<Element> = values.iter().copied().map(Element::Int).collect();
            intervals(&elements)
        };
        assert_eq!(short(&[]), "#{}");
        assert_eq!(short(&[5]), "#{5}");
        assert_eq!(short(&[0, 1, 2, 3, 5]), "#{0..3 5}");
        assert_eq!(short(&[-2, -1, 1, 2]), "#{-2..-1 1..2}");
        assert_eq!(
            short(&[i64::MAX - 1, i64::MAX]),
            format!("#{{{}..{}}}", i64::MAX - 1, i64::MAX)
        );
        let mixed = [
            Element::Int(1),
            Element::Int(2),
            Element::Text("a b".to_owned()),
        ];
        assert_eq!(intervals(&mixed), "#{1..2 \"a b\"}");
    }

    #[test]
    fn an_element_keeps_its_id() {
        let mut interner = Interner::default();
        let values: Vec<i64> = (0..3000).map(|n| n * n * 7 - 1_000_000).collect();
        let ids: Vec<u32> = values
            .iter()
            .map(|&value| interner.element(value.into()))
            .collect();
        assert_eq!(ids, (0..3000).collect::<Vec<u32>>());
        assert_eq!(interner.element("1".into()), 3000);
        assert_eq!(
            interner.element((&Element::Text("1".to_owned())).into()),
            3000
        );
        for (&value, &id) in values.iter().zip(&ids) {
            assert_eq!(interner.element(value.into()), id);
        }
        let names = interner.into_names();
        assert_eq!(names.len(), 3001);
        assert_eq!(names.of(7), Element::Int(7 * 7 * 7 - 1_000_000));
        assert_eq!(names.of(3000).to_string(), "1");
        assert_eq!(names.of(9999), Element::Int(9999));
    }
}
