//! The side that compares: a state machine that asks about nodes until it has named every key that differs.
//!
//! It owes its end to nobody: a lost answer is asked for again, a repeated or late one is ignored, and as many questions as it was
//! allowed at the start are all that it ever asks. Either tree may change meanwhile. A key that no change touches is then still found if
//! it differs and not named if it does not; one that is touched may be either, and a later exchange finds what this one missed.

use std::collections::BTreeMap;

use super::address::Address;
use super::contents::Contents;
use super::listing::{Difference, Listing, Side};
use super::message::{Answer, Ask, Description, Listed, Question, Told, Wanted, encoded_bytes};
use super::tree::{Summary, Tree};

/// Most nodes that one question asks about.
pub const ASKS_MAX: usize = 256;

/// Most keys that one step names.
pub const FOUND_MAX: usize = 1024;

/// The number of the question about the root.
const ROOT_NUMBER: u64 = 0;

/// The child of the root that a sabotaged exchange never looks at. Every range has hashes there.
const SKIPPED_SLOT: usize = 0;

/// What an exchange wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the other side this. Until [`Exchange::hear`] has learned something, the next step asks for what is missing again: call it
    /// once the answer is overdue.
    Ask(Question),
    /// These keys differ. There may be more: go on to the next step whenever these are dealt with.
    Found(Vec<Difference>),
    /// All differences have been named.
    Finished,
    /// All questions that were allowed have been asked; what was named differs, but there may be more.
    GivenUp,
}

/// What an exchange has cost and found so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Nodes whose hashes were compared.
    pub nodes_compared: u64,
    /// Nodes among them that differed: the paths from the root to the differences.
    pub nodes_differing: u64,
    /// Questions asked and answers heard, repetitions too.
    pub messages: u64,
    /// Their size, bytes, without envelopes.
    pub bytes: u64,
    /// Keys that the other side listed.
    pub keys_listed: u64,
    /// Keys that only this side holds.
    pub keys_mine: u64,
    /// Keys that only the other side holds.
    pub keys_theirs: u64,
    /// Keys that both hold, differently.
    pub keys_both: u64,
}

impl Effort {
    /// All keys found to differ.
    pub fn keys_differing(&self) -> u64 {
        self.keys_mine + self.keys_theirs + self.keys_both
    }

    fn count(&mut self, side: Side) {
        match side {
            Side::Mine => self.keys_mine += 1,
            Side::Theirs => self.keys_theirs += 1,
            Side::Both => self.keys_both += 1,
        }
    }

    fn send(&mut self, bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
    }
}

/// One comparison of this replica's range with another's. Its memory is bounded by constants and the depth of a tree: it goes deep
/// before it goes wide, and names what it has found before it asks on.
#[derive(Clone, Debug)]
pub struct Exchange {
    questions_left: u32,
    skips_ranges: bool,
    /// Asked and not answered yet, by number.
    asked: BTreeMap<u64, Ask>,
    /// To be asked, the next last.
    open: Vec<Ask>,
    /// To be compared key by key, the next last.
    listings: Vec<Listing>,
    next_number: u64,
    effort: Effort,
}

impl Exchange {
    /// A comparison that asks so many questions at most, repetitions included. Each answer names up to [`super::ANSWER_BYTES_MAX`]
    /// bytes of nodes and keys.
    ///
    /// `skips_ranges` is a defect for testing the testers: all that lies below one child of the root is overlooked.
    pub fn new(questions_max: u32, skips_ranges: bool) -> Exchange {
        let root = Ask {
            number: ROOT_NUMBER,
            address: Address::ROOT,
            wanted: Wanted::Children,
        };
        Exchange {
            questions_left: questions_max,
            skips_ranges,
            asked: BTreeMap::from([(ROOT_NUMBER, root)]),
            open: Vec::new(),
            listings: Vec::new(),
            next_number: ROOT_NUMBER + 1,
            effort: Effort::default(),
        }
    }

    /// What it has cost and found so far.
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// What to do next. The tree and contents are this side's, as they are now.
    pub fn next(&mut self, tree: &Tree, contents: &impl Contents) -> Step {
        let found = self.compare(tree, contents);
        if !found.is_empty() {
            return Step::Found(found);
        }
        if self.asked.is_empty() && self.open.is_empty() {
            return Step::Finished;
        }
        let Some(questions_left) = self.questions_left.checked_sub(1) else {
            return Step::GivenUp;
        };
        self.questions_left = questions_left;
        let question = self.question(tree);
        self.effort.send(encoded_bytes(&question));
        Step::Ask(question)
    }

    /// Takes an answer to a question of this exchange. Returns whether it was news, so that the next step is due.
    pub fn hear(&mut self, answer: Answer, tree: &Tree, contents: &impl Contents) -> bool {
        self.effort.send(encoded_bytes(&answer));
        match answer {
            Answer::Same => {
                let news = self.asked.remove(&ROOT_NUMBER).is_some();
                self.effort.nodes_compared += u64::from(news);
                news
            }
            Answer::Nodes(told) => {
                let mut news = false;
                for Told {
                    number,
                    description,
                } in told
                {
                    news |= self.learn(number, description, tree, contents);
                }
                news
            }
        }
    }

    fn question(&mut self, tree: &Tree) -> Question {
        if self.asked.contains_key(&ROOT_NUMBER) {
            return Question::Root(tree.root());
        }
        while self.asked.len() < ASKS_MAX
            && let Some(ask) = self.open.pop()
        {
            self.asked.insert(ask.number, ask);
        }
        Question::Nodes(self.asked.values().cloned().collect())
    }

    /// What is below one node. False if that is known already, or cannot be.
    fn learn(
        &mut self,
        number: u64,
        description: Description,
        tree: &Tree,
        contents: &impl Contents,
    ) -> bool {
        let Some(ask) = self.asked.remove(&number) else {
            return false;
        };
        let learned = match description {
            Description::Children(theirs) => {
                self.learn_children(ask.address, &theirs, tree, contents)
            }
            Description::Entries { entries, more } => {
                self.learn_entries(&ask, entries, more, tree, contents)
            }
        };
        if !learned {
            self.asked.insert(number, ask);
        } else if number == ROOT_NUMBER {
            self.effort.nodes_compared += 1;
            self.effort.nodes_differing += 1;
        }
        learned
    }

    fn learn_children(
        &mut self,
        address: Address,
        theirs: &[Option<Summary>],
        tree: &Tree,
        contents: &impl Contents,
    ) -> bool {
        let fanout = tree.shape().fanout;
        if theirs.len() != fanout.children() || !tree.is_divisible(address) {
            return false;
        }
        let mine = tree.children(address, contents);
        for (slot, (mine, theirs)) in mine.into_iter().zip(theirs).enumerate() {
            if self.skips_ranges && address == Address::ROOT && slot == SKIPPED_SLOT {
                continue;
            }
            let theirs = theirs.unwrap_or_default();
            self.effort.nodes_compared += 1;
            if mine != theirs {
                self.effort.nodes_differing += 1;
                self.descend(address.child(slot, fanout), mine, theirs, tree);
            }
        }
        true
    }

    /// Plans how to compare what is below a node that differs. Where either side has few keys, listing costs no more than the few and
    /// the differences themselves; only where both have many can hashes of parts save anything.
    fn descend(&mut self, address: Address, mine: Summary, theirs: Summary, tree: &Tree) {
        if theirs.count == 0 {
            self.listings.push(Listing::of_nothing(address));
            return;
        }
        let few = mine.count.min(theirs.count) <= tree.shape().list_max;
        let wanted = if few || !tree.is_divisible(address) {
            Wanted::Entries { after: None }
        } else {
            Wanted::Children
        };
        self.ask(address, wanted);
    }

    fn ask(&mut self, address: Address, wanted: Wanted) {
        let number = self.next_number;
        self.next_number += 1;
        self.open.push(Ask {
            number,
            address,
            wanted,
        });
    }

    fn learn_entries(
        &mut self,
        ask: &Ask,
        entries: Vec<Listed>,
        more: bool,
        tree: &Tree,
        contents: &impl Contents,
    ) -> bool {
        let after = match &ask.wanted {
            Wanted::Entries { after } => after.as_ref(),
            Wanted::Children => None,
        };
        let listed = entries.len() as u64;
        let listing = Listing::of_page(ask.address, after, entries, more, tree, contents);
        let Some(listing) = listing else {
            return false;
        };
        self.effort.keys_listed += listed;
        if let Some(last) = listing.until() {
            let after = Some(last.clone());
            self.ask(ask.address, Wanted::Entries { after });
        }
        self.listings.push(listing);
        true
    }

    /// The next keys that differ; none if nothing is listed that was not compared.
    fn compare(&mut self, tree: &Tree, contents: &impl Contents) -> Vec<Difference> {
        let mut found = Vec::new();
        while found.len() < FOUND_MAX
            && let Some(mut listing) = self.listings.pop()
        {
            if !listing.compare(tree, contents, FOUND_MAX, &mut found) {
                self.listings.push(listing);
            }
            if self.skips_ranges {
                found.retain(|difference| !is_skipped(difference, tree, contents));
            }
        }
        for difference in &found {
            self.effort.count(difference.side);
        }
        found
    }
}

/// Does the sabotaged comparison overlook this key?
fn is_skipped(difference: &Difference, tree: &Tree, contents: &impl Contents) -> bool {
    let position = tree
        .range()
        .position(contents.hash(difference.key.as_str()));
    position.is_some_and(|position| tree.shape().fanout.slot(position, 0) == SKIPPED_SLOT)
}
