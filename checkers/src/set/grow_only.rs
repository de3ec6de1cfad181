//! Is a grow-only set linearizable? Exactly, in time linear in what was read, with a proof either way.
//!
//! Clients add elements and read the whole set; nothing is ever removed. There is an order of the operations that explains every reply
//! iff the replies form a chain of growing sets (`chain.rs`) and real time agrees with it (`order.rs`). What is wrong with single
//! replies is found first (`sift.rs`) and set aside, so that one cause is not reported as several. If the rest does not agree, the elements
//! are looked at one by one (`fate.rs`) as well: what is wrong with one of them is the simplest proof.

use serde::Serialize;

use super::certificate::Order;
use super::chain::{Chain, Clash};
use super::fate::fates;
use super::history::SetHistory;
use super::names::Element;
use super::order::{Conflict, rank};
use super::rule::Rules;
use super::sift::{NONE, Odd, Sifted, adders};
use super::validity::Validity;
use super::violation::{Docket, Kind, Violation};

/// What is known about a grow-only set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GrowOnly {
    /// Whether it is linearizable. Unknown if it was never read.
    pub valid: Validity,
    /// Attempts to add.
    pub add_count: u64,
    /// Reads that returned.
    pub read_count: u64,
    /// Elements returned by reads, with repetitions.
    pub occurrence_count: u64,
    /// Reads that returned an element that nobody tried to add, counted once for each such element.
    pub phantom_count: u64,
    /// Reads that returned an element whose adds were all refused, counted once for each such element.
    pub failed_add_seen_count: u64,
    /// Reads that returned an element more than once, counted once for each such element. Makes nothing invalid: it is reported apart.
    pub duplicate_count: u64,
    /// Reads that clash with the chain of the others, and were set aside.
    pub not_a_chain_count: u64,
    /// Elements that are not in a read that began after they had been acknowledged.
    pub missed_count: u64,
    /// Other elements that are not in a read that began after another one had returned them.
    pub vanished_count: u64,
    /// Elements returned before the first attempt to add them.
    pub from_the_future_count: u64,
    /// Elements seen without one that had been acknowledged before they were first added, by reads of the chain.
    pub out_of_order_count: u64,
    /// The first violations of each kind; the one of the fewest operations first.
    pub violations: Vec<Violation>,
    /// An order of the operations that explains everything, if there is one.
    #[serde(skip)]
    pub order: Option<Order>,
}

/// Judges a grow-only set.
pub fn grow_only(history: &SetHistory) -> GrowOnly {
    judge(history, Rules::ALL)
}

pub(super) fn judge(history: &SetHistory, rules: Rules) -> GrowOnly {
    let adders = adders(history, rules);
    let sifted = Sifted::of(history, &adders);
    let chain = Chain::of(history, &sifted, rules);
    let ranking = rank(history, &chain, &adders, rules);
    let mut court = Court::new(history, &adders);
    for &odd in &sifted.strange {
        court.strange(odd);
    }
    for &(odd, times) in &sifted.repeated {
        court.repeated(odd, times);
    }
    for clash in &chain.clashes {
        court.clash(clash);
    }
    let agreed = chain.clashes.is_empty() && ranking.conflicts.is_empty();
    if !agreed {
        court.elements();
    }
    for conflict in &ranking.conflicts {
        court.conflict(conflict);
    }
    let mut result = court.result;
    result.violations = court.docket.close();
    if !agreed || !sifted.strange.is_empty() {
        result.valid = Validity::Invalid;
    } else {
        result.order = Some(Order(ranking.order));
        if result.read_count > 0 {
            result.valid = Validity::Valid;
        }
    }
    result
}

/// The place of the first attempt to add each element. Elements are numbered in the order of these attempts.
pub(super) fn first_attempts(history: &SetHistory) -> Vec<u32> {
    let mut places = Vec::with_capacity(history.added() as usize);
    for add in history.adds() {
        if add.element as usize == places.len() {
            places.push(add.place);
        }
    }
    places
}

/// Turns what the rules found into violations.
struct Court<'a> {
    history: &'a SetHistory,
    adders: &'a [u32],
    /// The place of the first attempt to add each element, refused or not.
    first_attempts: Vec<u32>,
    /// Elements that were missed, or have vanished.
    missing: Vec<bool>,
    /// Elements from the future.
    early: Vec<bool>,
    result: GrowOnly,
    docket: Docket,
}

impl<'a> Court<'a> {
    fn new(history: &'a SetHistory, adders: &'a [u32]) -> Court<'a> {
        let result = GrowOnly {
            valid: Validity::Unknown,
            add_count: history.adds().len() as u64,
            read_count: history.reads().len() as u64,
            occurrence_count: history.occurrences() as u64,
            phantom_count: 0,
            failed_add_seen_count: 0,
            duplicate_count: 0,
            not_a_chain_count: 0,
            missed_count: 0,
            vanished_count: 0,
            from_the_future_count: 0,
            out_of_order_count: 0,
            violations: Vec::new(),
            order: None,
        };
        Court {
            history,
            adders,
            first_attempts: first_attempts(history),
            missing: vec![false; adders.len()],
            early: vec![false; adders.len()],
            result,
            docket: Docket::default(),
        }
    }

    fn strange(&mut self, odd: Odd) {
        let refused = self.first_attempts.get(odd.element as usize).copied();
        if let Some(place) = refused {
            self.result.failed_add_seen_count += 1;
            let adds = [place as usize];
            self.see(Kind::FailedAddSeen, &[odd.element], &adds, &[odd.read], 0);
        } else {
            self.result.phantom_count += 1;
            self.see(Kind::Phantom, &[odd.element], &[], &[odd.read], 0);
        }
    }

    fn repeated(&mut self, odd: Odd, times: u64) {
        self.result.duplicate_count += 1;
        self.see(Kind::Duplicate, &[odd.element], &[], &[odd.read], times);
    }

    fn clash(&mut self, clash: &Clash) {
        self.result.not_a_chain_count += 1;
        let (mut only, mut reads) = (clash.only, clash.reads);
        if reads[0] > reads[1] {
            only.reverse();
            reads.reverse();
        }
        let adds = only.map(|element| self.adder(element));
        self.see(Kind::NotAChain, &only, &adds, &reads, 0);
    }

    /// What is wrong with single elements, whatever the others are: the simplest proofs, and the only ones about reads set aside.
    fn elements(&mut self) {
        let (fates, presence) = fates(self.history, Rules::ALL);
        let (adds, reads) = (self.history.adds(), self.history.reads());
        for (element, fate) in (0..).zip(&fates).filter(|(_, fate)| !fate.is_refused()) {
            let Some(without) = reads.get(fate.last_absent as usize) else {
                continue;
            };
            let before = |ret: u64| ret < without.call;
            let acknowledged = adds.get(fate.acknowledged as usize);
            let shown = reads.get(fate.first_to_show as usize);
            if acknowledged.is_some_and(|add| before(add.ret)) {
                self.missed(fate.acknowledged, fate.last_absent);
            } else if shown.is_some_and(|read| before(read.ret)) {
                self.vanished(element, [fate.first_to_show, fate.last_absent]);
            }
        }
        let mut unattempted = presence.unattempted;
        unattempted.sort_by_key(|odd| (odd.element, odd.read));
        for odd in unattempted {
            let adder = self
                .adders
                .get(odd.element as usize)
                .copied()
                .unwrap_or(NONE);
            let add = adds.get(adder as usize);
            if add.is_some_and(|add| reads[odd.read as usize].ret < add.call) {
                self.future(odd.read, adder);
            }
        }
    }

    fn conflict(&mut self, conflict: &Conflict) {
        match *conflict {
            Conflict::Missed { add, read } => self.missed(add, read),
            Conflict::Vanished { element, reads } => self.vanished(element, reads),
            Conflict::Future { read, add } => self.future(read, add),
            Conflict::OutOfOrder { adds, read } => {
                self.result.out_of_order_count += 1;
                let [(first, a), (second, b)] = adds.map(|add| self.add(add));
                self.see(Kind::OutOfOrder, &[first, second], &[a, b], &[read], 0);
            }
        }
    }

    fn missed(&mut self, add: u32, read: u32) {
        let (element, place) = self.add(add);
        if !std::mem::replace(&mut self.missing[element as usize], true) {
            self.result.missed_count += 1;
            self.see(Kind::Missed, &[element], &[place], &[read], 0);
        }
    }

    fn vanished(&mut self, element: u32, reads: [u32; 2]) {
        if !std::mem::replace(&mut self.missing[element as usize], true) {
            self.result.vanished_count += 1;
            let add = self.adder(element);
            self.see(Kind::Vanished, &[element], &[add], &reads, 0);
        }
    }

    fn future(&mut self, read: u32, add: u32) {
        let (element, place) = self.add(add);
        if !std::mem::replace(&mut self.early[element as usize], true) {
            self.result.from_the_future_count += 1;
            let at = self.history.reads()[read as usize];
            let operations = vec![at.place as usize, place];
            self.keep(Kind::FromTheFuture, &[element], operations, at.call, 0);
        }
    }

    /// The element and the place of an add.
    fn add(&self, number: u32) -> (u32, usize) {
        let add = &self.history.adds()[number as usize];
        (add.element, add.place as usize)
    }

    /// The place of the attempt that may have added an element.
    fn adder(&self, element: u32) -> usize {
        let number = self
            .adders
            .get(element as usize)
            .copied()
            .unwrap_or_default();
        self.history
            .adds()
            .get(number as usize)
            .map_or(0, |add| add.place as usize)
    }

    /// Keeps a violation of some adds and some reads, the last of which convicts.
    fn see(&mut self, kind: Kind, elements: &[u32], adds: &[usize], reads: &[u32], amount: u64) {
        let all = self.history.reads();
        let at = reads.last().map_or(0, |&read| all[read as usize].call);
        let places = reads.iter().map(|&read| all[read as usize].place as usize);
        let operations = adds.iter().copied().chain(places).collect();
        self.keep(kind, elements, operations, at, amount);
    }

    fn keep(&mut self, kind: Kind, elements: &[u32], operations: Vec<usize>, at: u64, amount: u64) {
        let names = self.history.names();
        self.docket.see(kind, at, || Violation {
            kind,
            elements: elements
                .iter()
                .map(|&element| names.of(element))
                .collect::<Vec<Element>>(),
            operations,
            at_ns: at,
            amount,
        });
    }
}
