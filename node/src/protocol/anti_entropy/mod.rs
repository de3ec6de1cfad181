//! Anti-entropy: replicas compare hash trees of the parts of the ring that they share, and level what differs.
//!
//! This file keeps the trees up to date and decides when and with whom to compare; `comparison.rs` is one comparison, and the trees
//! themselves are `merkle`. It merges nothing: what is levelled is held like anything else. Trees are made when they are first needed, so
//! that a store without anti-entropy pays nothing for them.

mod comparison;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use xxhash_rust::xxh3::Xxh3Default;

use crate::config::{NodeId, Sabotage};

use super::content::Content;
use super::interface::Output;
use super::merkle::{self, Contents, Difference, Index, Question, Shape, Side, Tree};
use super::message::{PeerMessage, RequestId};
use super::placement::Placement;
use super::replica::Replica;
use super::time::{Nanos, Now};
use super::version::Key;

use comparison::{Comparison, Turn};

/// Most parts of the ring that one message asks about first; each later message is about one.
const PARTS_AT_ONCE_MAX: usize = 256;

/// What of the ring a node is a replica of.
#[derive(Debug)]
struct Part {
    /// Its replicas, this node among them.
    replicas: Vec<NodeId>,
    tree: Tree,
}

/// The hash trees of one node.
#[derive(Debug)]
struct Forest {
    index: Index,
    /// By the number of the part of the ring, in the order of tokens.
    parts: BTreeMap<u32, Part>,
    /// Where each of them ends, to find the part of a key.
    ends: BTreeMap<u64, u32>,
}

impl Forest {
    fn new(me: NodeId, placement: &Placement) -> Forest {
        let mut parts = BTreeMap::new();
        let mut ends = BTreeMap::new();
        for (number, (range, replicas)) in (0..).zip(placement.parts()) {
            ends.insert(range.upto(), number);
            if replicas.contains(&me) {
                let replicas = replicas.to_vec();
                let tree = Tree::new(range, Shape::default());
                parts.insert(number, Part { replicas, tree });
            }
        }
        Forest {
            index: Index::default(),
            parts,
            ends,
        }
    }

    /// A key is held otherwise now, or not any more.
    fn follow(&mut self, key: &Key, content: Option<&Content>) {
        let hash = self.index.hash(key.as_str());
        let digest = content.map(|content| digest_of(key, content));
        let before = self.index.set(key, digest);
        let after_it = self.ends.range(hash..).next();
        let Some((_, number)) = after_it.or_else(|| self.ends.first_key_value()) else {
            return;
        };
        if let Some(part) = self.parts.get_mut(number) {
            part.tree.set(hash, before, digest, &self.index);
        }
    }
}

/// A digest of what is held of a key. The key is part of it, so that keys of the same hash do not make up for each other.
fn digest_of(key: &Key, content: &Content) -> u64 {
    let mut hasher = Xxh3Default::new();
    hasher.update(&content.digest().to_le_bytes());
    hasher.update(key.as_str().as_bytes());
    hasher.digest()
}

/// Anti-entropy of one node.
#[derive(Debug, Default)]
pub(super) struct AntiEntropy {
    forest: Option<Forest>,
    /// Under way, by the counter of their names.
    comparisons: BTreeMap<u64, Comparison>,
    /// When the next one begins; none if that is up to whoever asks for it.
    next: Option<Nanos>,
    /// Peers that are to be compared with as soon as they are within reach, because somebody asked.
    asked: BTreeSet<NodeId>,
    /// The peer that was compared with last.
    last: Option<NodeId>,
    /// Peers with which a comparison found nothing since anything changed here.
    level_with: BTreeSet<NodeId>,
    /// When the last comparison came to its end, on this node's clock.
    pub(super) last_finished: Option<Nanos>,
}

impl Replica {
    /// When anti-entropy has something to do next.
    pub(super) fn anti_entropy_deadline(&self) -> Option<Nanos> {
        let due = self.anti_entropy.comparisons.values().map(Comparison::due);
        due.chain(self.anti_entropy.next).min()
    }

    /// How many comparisons are under way or still to come until this node knows itself level with every peer within reach.
    pub(super) fn comparisons_left(&self) -> u64 {
        let state = &self.anti_entropy;
        let mut left = state.comparisons.len() as u64 + state.asked.len() as u64;
        if state.next.is_some() {
            let peers = self.peers_to_compare();
            let unsure = peers.filter(|peer| !state.level_with.contains(peer));
            left += unsure.count() as u64;
        }
        left
    }

    /// Begins to compare by the clock, if the settings say so.
    pub(super) fn start_anti_entropy(&mut self) {
        let interval_ms = self.config.options.anti_entropy.interval_ms;
        if let Some(interval_ms) = interval_ms {
            self.forest();
            self.anti_entropy.next = Some(Nanos(0).after(Duration::from_millis(interval_ms)));
        }
    }

    /// Somebody asked to compare with everybody now.
    pub(super) fn repair_all(&mut self, now: Now, out: &mut Vec<Output>) {
        self.forest();
        self.anti_entropy.asked = self.peers_to_compare().collect();
        self.compare_with_asked(now, out);
    }

    /// What reads see of a key has changed.
    pub(super) fn follow_change(&mut self, key: &Key) {
        self.anti_entropy.level_with.clear();
        let comparisons = self.anti_entropy.comparisons.values_mut();
        comparisons.for_each(Comparison::outdate);
        if let Some(forest) = &mut self.anti_entropy.forest {
            forest.follow(key, self.store.visible(key.as_str()));
        }
    }

    /// Time passed.
    pub(super) fn compare_on_time(&mut self, now: Now, out: &mut Vec<Output>) {
        let state = &self.anti_entropy;
        let overdue = state.comparisons.iter();
        let overdue = overdue.filter(|(_, comparison)| comparison.due() <= now.monotonic);
        for name in overdue.map(|(name, _)| *name).collect::<Vec<_>>() {
            self.take_turn(now, name, None, out);
        }
        if self
            .anti_entropy
            .next
            .is_none_or(|next| next > now.monotonic)
        {
            return;
        }
        let interval_ms = self.config.options.anti_entropy.interval_ms;
        self.anti_entropy.next =
            interval_ms.map(|interval_ms| now.monotonic.after(Duration::from_millis(interval_ms)));
        // Somebody new each time, in a fixed order.
        let last = self.anti_entropy.last;
        let peers: Vec<NodeId> = self.peers_to_compare().collect();
        let next = peers
            .iter()
            .find(|peer| Some(**peer) > last)
            .or(peers.first());
        if let Some(peer) = next.copied() {
            self.anti_entropy.last = Some(peer);
            self.compare_with(now, peer, out);
        }
    }

    /// A peer asks what this node's trees say.
    pub(super) fn answer_comparison(
        &mut self,
        id: RequestId,
        to: NodeId,
        ring: u64,
        questions: &[(u32, Question)],
        out: &mut Vec<Output>,
    ) {
        // The parts of another ring have other numbers: whoever asks will know of this one soon, and begin anew.
        if ring != self.ring.fingerprint() {
            return;
        }
        let forest = self.forest();
        let mut answers = Vec::new();
        for (number, question) in questions.iter().take(PARTS_AT_ONCE_MAX) {
            if let Some(Part { tree, replicas }) = forest.parts.get(number)
                && replicas.contains(&to)
            {
                answers.push((*number, merkle::answer(question, tree, &forest.index)));
            }
        }
        // Of several parts each answer is small: more than a few entries only a question about one part brings out.
        let message = PeerMessage::Compared { id, answers };
        out.push(Output::Send { to, message });
    }

    /// What a peer's trees say.
    pub(super) fn hear_comparison(
        &mut self,
        now: Now,
        id: RequestId,
        from: NodeId,
        answers: Vec<(u32, merkle::Answer)>,
        out: &mut Vec<Output>,
    ) {
        let comparison = self.anti_entropy.comparisons.get(&id.counter);
        if id.epoch == self.epoch && comparison.is_some_and(|comparison| comparison.peer == from) {
            self.take_turn(now, id.counter, Some(answers), out);
        }
    }

    /// A peer that holds a key differently says what it holds.
    pub(super) fn level(
        &mut self,
        now: Now,
        from: NodeId,
        key: Key,
        content: Option<Content>,
        tell: bool,
        out: &mut Vec<Output>,
    ) {
        if tell {
            let held = self.store.latest(key.as_str());
            let is_more = match (&held, &content) {
                (Some(held), Some(content)) => !content.covers(held),
                (held, None) => held.is_some(),
                (None, _) => false,
            };
            let is_owner = || {
                self.ring
                    .owners(key.as_str())
                    .writes()
                    .any(|node| node == from)
            };
            if is_more && is_owner() {
                self.send_level(from, key.clone(), held, false, out);
            }
        }
        if let Some(content) = content {
            self.hold(now, key, content, None, out);
        }
    }

    /// The peer is gone: whatever is under way with it will not end.
    pub(super) fn forget_comparisons(&mut self, peer: NodeId) {
        let comparisons = &mut self.anti_entropy.comparisons;
        comparisons.retain(|_, comparison| comparison.peer != peer);
        self.anti_entropy.level_with.remove(&peer);
    }

    /// The ring has changed: trees are of its parts, and what is under way is about parts that are no more.
    pub(super) fn regrow_forest(&mut self) {
        let had_trees = self.anti_entropy.forest.take().is_some();
        self.anti_entropy.comparisons.clear();
        self.anti_entropy.level_with.clear();
        if had_trees {
            self.forest();
        }
    }

    /// A peer is within reach again.
    pub(super) fn compare_with_asked(&mut self, now: Now, out: &mut Vec<Output>) {
        let asked = std::mem::take(&mut self.anti_entropy.asked);
        for peer in asked {
            if self.reaches(peer) {
                self.compare_with(now, peer, out);
            } else {
                self.anti_entropy.asked.insert(peer);
            }
        }
    }

    /// The peers within reach that share some part of the ring with this node.
    fn peers_to_compare(&self) -> impl Iterator<Item = NodeId> {
        let parts = self
            .anti_entropy
            .forest
            .iter()
            .flat_map(|forest| forest.parts.values());
        let sharing: BTreeSet<NodeId> = parts.flat_map(|part| &part.replicas).copied().collect();
        let me = self.me;
        sharing
            .into_iter()
            .filter(move |node| *node != me && self.reaches(*node))
    }

    fn compare_with(&mut self, now: Now, peer: NodeId, out: &mut Vec<Output>) {
        let under_way = self.anti_entropy.comparisons.values();
        if under_way
            .into_iter()
            .any(|comparison| comparison.peer == peer)
        {
            return;
        }
        let skips = self.config.has(Sabotage::SkipRange);
        let shared = self.forest().parts.iter();
        let shared: Vec<u32> = shared
            .filter(|(_, part)| part.replicas.contains(&peer))
            .map(|(number, _)| *number)
            .collect();
        let comparison = Comparison::new(peer, &shared, skips);
        let name = self.name_request().counter;
        self.anti_entropy.comparisons.insert(name, comparison);
        self.take_turn(now, name, None, out);
    }

    /// One step of a comparison: after answers, or because some are overdue.
    fn take_turn(
        &mut self,
        now: Now,
        name: u64,
        answers: Option<Vec<(u32, merkle::Answer)>>,
        out: &mut Vec<Output>,
    ) {
        let due = now.monotonic.after(self.timeout());
        let ring = self.ring.fingerprint();
        let state = &mut self.anti_entropy;
        let (Some(forest), Some(comparison)) = (&state.forest, state.comparisons.get_mut(&name))
        else {
            return;
        };
        let peer = comparison.peer;
        let turn = match answers {
            Some(answers) => comparison.hear(answers, forest, due),
            None => comparison.ask_again(forest, due),
        };
        let Turn {
            questions,
            differences,
            finished,
        } = turn;
        let id = RequestId {
            epoch: self.epoch,
            counter: name,
        };
        for questions in batches(questions) {
            let message = PeerMessage::Compare {
                id,
                ring,
                questions,
            };
            out.push(Output::Send { to: peer, message });
        }
        for difference in differences {
            self.level_difference(peer, difference, out);
        }
        if finished {
            self.finish_comparison(now, name);
        }
    }

    fn finish_comparison(&mut self, now: Now, name: u64) {
        let state = &mut self.anti_entropy;
        let Some(comparison) = state.comparisons.remove(&name) else {
            return;
        };
        self.counters.comparisons += 1;
        self.counters.tree_nodes += comparison.nodes_compared();
        state.last_finished = Some(now.monotonic);
        if comparison.found_nothing() {
            state.level_with.insert(comparison.peer);
        }
    }

    fn level_difference(&mut self, peer: NodeId, difference: Difference, out: &mut Vec<Output>) {
        let Difference { key, side } = difference;
        let held = self.store.visible(key.as_str()).cloned();
        self.send_level(peer, key, held, side != Side::Mine, out);
    }

    fn send_level(
        &mut self,
        to: NodeId,
        key: Key,
        content: Option<Content>,
        tell: bool,
        out: &mut Vec<Output>,
    ) {
        if let Some(content) = &content {
            self.counters.keys_moved += 1;
            self.counters.bytes_moved += key.as_str().len() as u64 + content.value_bytes();
        }
        let message = PeerMessage::Level { key, content, tell };
        out.push(Output::Send { to, message });
    }

    /// The trees; made of what is held if there are none yet.
    fn forest(&mut self) -> &Forest {
        let (me, placement, store) = (self.me, self.ring.reading(), &self.store);
        self.anti_entropy.forest.get_or_insert_with(|| {
            let mut forest = Forest::new(me, placement);
            for (key, content) in store.contents() {
                forest.follow(key, Some(content));
            }
            forest
        })
    }
}

/// Questions about roots travel together, others by themselves: their answers may be large.
fn batches(questions: Vec<(u32, Question)>) -> Vec<Vec<(u32, Question)>> {
    let (roots, others): (Vec<_>, Vec<_>) = questions
        .into_iter()
        .partition(|(_, question)| matches!(question, Question::Root(_)));
    let roots = roots.chunks(PARTS_AT_ONCE_MAX).map(<[_]>::to_vec);
    roots
        .chain(others.into_iter().map(|other| vec![other]))
        .collect()
}
