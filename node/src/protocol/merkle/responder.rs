//! The side that is asked. It remembers nothing: every answer is read from the tree as it is at that moment.

use crate::protocol::Key;
use crate::wire::FRAME_BYTES_MAX;

use super::address::Address;
use super::contents::{Contents, Entry};
use super::exchange::ASKS_MAX;
use super::message::{Answer, Ask, Description, Listed, Question, Told, Wanted};
use super::tree::{Summary, Tree};

/// Largest answer, bytes: a quarter of a frame, which leaves room for any envelope and lets other messages through.
pub const ANSWER_BYTES_MAX: usize = FRAME_BYTES_MAX / 4;

/// The most that one node adds to an answer beside its children or entries, bytes: numbers, tags and lengths.
const TOLD_BYTES_MAX: usize = 20;
/// The most that one child adds: a tag, a count and a hash.
const CHILD_BYTES_MAX: usize = 1 + 5 + 16;
/// The most that one entry adds beside its key: the key's length and a digest.
const ENTRY_BYTES_MAX: usize = 5 + 8;

/// Answers a question about the range of this tree. Nodes that no such tree has, and those that do not fit, are left out; one of those
/// asked for always fits.
pub fn answer(question: &Question, tree: &Tree, contents: &impl Contents) -> Answer {
    let asks = match question {
        Question::Root(theirs) if *theirs == tree.root() => return Answer::Same,
        Question::Root(theirs) => &[about_root(*theirs, tree)],
        Question::Nodes(asks) => asks.as_slice(),
    };
    let mut space = ANSWER_BYTES_MAX - TOLD_BYTES_MAX;
    let mut told = Vec::new();
    for ask in asks.iter().take(ASKS_MAX) {
        if !tree.is_valid(ask.address) {
            continue;
        }
        let Some(left) = space.checked_sub(TOLD_BYTES_MAX) else {
            break;
        };
        let described = match &ask.wanted {
            Wanted::Children => children(ask.address, tree, contents, left),
            Wanted::Entries { after } => page(ask.address, after.as_ref(), tree, contents, left),
        };
        let Some((description, left)) = described else {
            break;
        };
        space = left;
        told.push(Told {
            number: ask.number,
            description,
        });
    }
    Answer::Nodes(told)
}

/// What one asks about the root if it differs: its keys if one side has few, else its children.
fn about_root(theirs: Summary, tree: &Tree) -> Ask {
    let few = theirs.count.min(tree.root().count) <= tree.shape().list_max;
    Ask {
        number: 0,
        address: Address::ROOT,
        wanted: if few {
            Wanted::Entries { after: None }
        } else {
            Wanted::Children
        },
    }
}

/// The description and the space that it leaves; none if it does not fit.
fn children(
    address: Address,
    tree: &Tree,
    contents: &impl Contents,
    space: usize,
) -> Option<(Description, usize)> {
    let space = space.checked_sub(CHILD_BYTES_MAX * tree.shape().fanout.children())?;
    let some = |summary: Summary| (summary != Summary::default()).then_some(summary);
    let children = tree.children(address, contents);
    let children = children.into_iter().map(some).collect();
    Some((Description::Children(children), space))
}

/// As many entries as fit and the space that they leave; none if there are some and none fits.
fn page(
    address: Address,
    after: Option<&Key>,
    tree: &Tree,
    contents: &impl Contents,
    mut space: usize,
) -> Option<(Description, usize)> {
    let cursor = after.and_then(|key| {
        let offset = tree.range().offset(contents.hash(key.as_str()))?;
        Some((offset, key))
    });
    let from_offset = cursor.map_or(0, |(offset, _)| offset);
    let is_before = |entry: &Entry<'_>| {
        cursor.is_some_and(|cursor| {
            let offset = tree.range().offset(entry.hash);
            offset.is_some_and(|offset| (offset, entry.key) <= cursor)
        })
    };
    let mut rest = tree
        .entries(address, from_offset, contents)
        .skip_while(is_before);
    let mut entries = Vec::new();
    let more = loop {
        let Some(entry) = rest.next() else {
            break false;
        };
        let Some(left) = space.checked_sub(ENTRY_BYTES_MAX + entry.key.as_str().len()) else {
            break true;
        };
        space = left;
        entries.push(Listed {
            key: entry.key.clone(),
            digest: entry.digest,
        });
    };
    if more && entries.is_empty() {
        return None;
    }
    Some((Description::Entries { entries, more }, space))
}
