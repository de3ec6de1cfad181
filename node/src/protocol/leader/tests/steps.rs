//! Single steps of one node, for what a storm would need too much luck to hit: the instant before something is durable, and messages from
//! an earlier life or term.

use crate::config::NodeId;
use crate::protocol::leader::{
    Change, Entry, LeaderConfig, LeaderInput, LeaderMessage, LeaderNode, LeaderOutput,
    LeaderRecord, LeaderReply, Position, Role, Term,
};
use crate::protocol::{Nanos, Now, RequestId, Token};

use super::world::{A, B, C, MS, config, put, text};

/// One node of three, and a disk that syncs when it is told to.
struct Solo {
    node: LeaderNode,
    now: Now,
    records: Vec<LeaderRecord>,
}

impl Solo {
    fn new(records: Vec<LeaderRecord>) -> Solo {
        Solo::with(config(), records)
    }

    fn with(config: LeaderConfig, records: Vec<LeaderRecord>) -> Solo {
        let node = LeaderNode::recover(config, A, [B, C], 2, records);
        let now = Now::default();
        let mut solo = Solo {
            node,
            now,
            records: Vec::new(),
        };
        for peer in [B, C] {
            solo.step(LeaderInput::PeerUp(peer));
        }
        solo
    }

    /// Takes an input; the messages that it sends.
    fn step(&mut self, input: LeaderInput) -> Vec<(NodeId, LeaderMessage)> {
        let outputs = self.node.step(self.now, input);
        let sent = outputs.into_iter().filter_map(|output| match output {
            LeaderOutput::Send { to, message } => Some((to, message)),
            LeaderOutput::Persist { record, .. } => {
                self.records.push(record);
                None
            }
            LeaderOutput::Reply { .. } => None,
        });
        sent.collect()
    }

    fn hear(&mut self, from: NodeId, message: LeaderMessage) -> Vec<(NodeId, LeaderMessage)> {
        self.step(LeaderInput::Peer { from, message })
    }

    fn sync(&mut self) -> Vec<(NodeId, LeaderMessage)> {
        let last = self.records.len() as u64 - 1;
        self.step(LeaderInput::Persisted(Token(last)))
    }

    /// Lets it miss the leader and be elected.
    fn elect(&mut self) -> Term {
        self.now.monotonic = Nanos(self.now.monotonic.0 + 100 * MS);
        self.step(LeaderInput::Tick);
        self.sync();
        let term = self.node.status().term;
        let ballot = LeaderMessage::Ballot {
            term,
            granted: true,
            last: Position::default(),
            lease_left_ns: 0,
        };
        self.hear(B, ballot);
        assert_eq!(self.node.status().role, Role::Leader);
        term
    }
}

fn term(counter: u64, node: NodeId) -> Term {
    let epoch = 1;
    Term {
        counter,
        node,
        epoch,
    }
}

fn entry(term: Term, index: u64) -> Entry {
    Entry {
        position: Position { term, index },
        change: Some(Change {
            key: "k".into(),
            value: Some((*b"v").into()),
        }),
    }
}

fn append(term: Term, entries: Vec<Entry>) -> LeaderMessage {
    LeaderMessage::Append {
        term,
        sent_ns: 0,
        before: Position::default(),
        entries,
        committed: 0,
    }
}

#[test]
fn nothing_is_promised_or_copied_before_it_is_durable() {
    let mut solo = Solo::new(Vec::new());
    let (term_b, term_c) = (term(1, B), term(2, C));
    assert_eq!(solo.hear(B, append(term_b, vec![entry(term_b, 1)])), []);
    assert_eq!(solo.records.len(), 2, "the term and the entry");
    assert_eq!(
        solo.hear(B, append(term_b, Vec::new())),
        [],
        "nor does a heartbeat overtake it"
    );
    let acks = solo.sync();
    assert!(matches!(
        acks[..],
        [(B, LeaderMessage::Copied { matched: 1, .. }), _]
    ));

    let last = Position::default();
    let canvass = LeaderMessage::Canvass { term: term_c, last };
    assert_eq!(solo.hear(C, canvass), []);
    let ballots = solo.sync();
    let [(C, LeaderMessage::Ballot { granted, last, .. })] = &ballots[..] else {
        panic!("one ballot, not {ballots:?}");
    };
    assert!(!granted, "its log is more advanced");
    assert_eq!(*last, entry(term_b, 1).position);
}

#[test]
fn nobody_canvasses_before_its_term_is_durable() {
    let mut solo = Solo::new(Vec::new());
    solo.now.monotonic = Nanos(100 * MS);
    assert_eq!(solo.step(LeaderInput::Tick), []);
    let first = Term {
        epoch: 2,
        ..term(1, A)
    };
    assert_eq!(solo.records, [LeaderRecord::Promised(first)]);
    let asked = solo.sync();
    assert_eq!(asked.len(), 2);
}

#[test]
fn a_promise_that_was_outbid_while_it_was_synced_is_not_sent() {
    let mut solo = Solo::new(Vec::new());
    let last = Position::default();
    for (from, counter) in [(B, 1), (C, 2)] {
        let term = term(counter, from);
        solo.hear(from, LeaderMessage::Canvass { term, last });
    }
    let ballots = solo.sync();
    assert!(
        matches!(ballots[..], [(C, LeaderMessage::Ballot { .. })]),
        "{ballots:?}"
    );
}

/// Raft's figure 8: copies of an older term's entry prove nothing until one of the leader's own term has as many.
#[test]
fn only_entries_of_its_own_term_commit() {
    let older = entry(term(1, B), 1);
    let mut solo = Solo::new(vec![
        LeaderRecord::Promised(term(1, B)),
        LeaderRecord::Appended(older),
    ]);
    let term = solo.elect();
    solo.sync();
    let sent_ns = solo.now.monotonic.0;
    for (matched, committed) in [(1, 0), (2, 2)] {
        let copied = LeaderMessage::Copied {
            term,
            sent_ns,
            matched,
        };
        solo.hear(B, copied);
        assert_eq!(solo.node.status().committed, committed);
    }
}

#[test]
fn copies_of_another_term_do_not_count() {
    let mut solo = Solo::new(Vec::new());
    let now = solo.elect();
    solo.sync();
    let sent_ns = solo.now.monotonic.0;
    for (term, matched, committed) in [
        (term(0, A), 1, 0),
        (term(now.counter, B), 1, 0),
        (now, 2, 0),
        (now, 1, 1),
    ] {
        let copied = LeaderMessage::Copied {
            term,
            sent_ns,
            matched,
        };
        solo.hear(B, copied);
        assert_eq!(solo.node.status().committed, committed);
    }
}

#[test]
fn an_answer_from_the_future_renews_no_lease() {
    let mut solo = Solo::new(Vec::new());
    let term = solo.elect();
    let copied = |sent_ns| LeaderMessage::Copied {
        term,
        sent_ns,
        matched: 0,
    };
    let now_ns = solo.now.monotonic.0;
    solo.hear(B, copied(now_ns + 1));
    assert_eq!(solo.node.status().lease_until_ns, Some(0));
    solo.hear(B, copied(now_ns));
    assert_eq!(solo.node.status().lease_until_ns, Some(now_ns + 45 * MS));
}

/// Its client may have been served by the node's earlier life, which did not live to answer.
#[test]
fn a_request_for_an_earlier_life_is_not_called_refused() {
    let led = term(9, A);
    let forward = |term| LeaderMessage::Forward {
        id: RequestId {
            epoch: 1,
            counter: 1,
        },
        term,
        ask: put("k", "v"),
    };
    // Its disk forgot that it led.
    let mut solo = Solo::new(Vec::new());
    let reply = |sent: Vec<(NodeId, LeaderMessage)>| match sent.into_iter().next() {
        Some((B, LeaderMessage::Forwarded { reply, .. })) => reply,
        other => panic!("expected an answer, not {other:?}"),
    };
    let unknown = reply(solo.hear(B, forward(led)));
    assert!(matches!(unknown, LeaderReply::Unknown { .. }));
    let never_led = Term { epoch: 2, ..led };
    let refused = reply(solo.hear(B, forward(never_led)));
    assert!(
        matches!(refused, LeaderReply::Refused { .. }),
        "it never led in that term"
    );
    assert_eq!(solo.hear(B, forward(never_led)), [], "a repeated request");
    assert_eq!(solo.node.entries().count(), 0);
}

#[test]
fn a_leader_serves_what_was_meant_for_its_term_only() {
    let mut solo = Solo::new(Vec::new());
    let now = solo.elect();
    let led_before = Term { counter: 0, ..now };
    let id = |counter| RequestId { epoch: 1, counter };
    let copied = LeaderMessage::Copied {
        term: now,
        sent_ns: solo.now.monotonic.0,
        matched: 0,
    };
    solo.hear(B, copied);
    for (counter, term, entries) in [(1, led_before, 1), (2, term(9, B), 1), (3, now, 2)] {
        let forward = LeaderMessage::Forward {
            id: id(counter),
            term,
            ask: put("k", "v"),
        };
        solo.hear(B, forward);
        assert_eq!(solo.node.entries().count(), entries, "{term:?}");
    }
}

/// What comes after the last common entry may be another leader's.
#[test]
fn a_follower_commits_only_what_it_has_in_common_with_the_leader() {
    let (old, new) = (term(1, B), term(2, C));
    let mut solo = Solo::new(Vec::new());
    solo.hear(B, append(old, vec![entry(old, 1), entry(old, 2)]));
    let heartbeat = LeaderMessage::Append {
        term: new,
        sent_ns: 0,
        before: entry(old, 1).position,
        entries: Vec::new(),
        committed: 2,
    };
    solo.hear(C, heartbeat);
    assert_eq!(solo.node.status().committed, 1);
}

#[test]
fn a_copy_is_not_acknowledged_to_a_leader_that_was_outbid_meanwhile() {
    let (old, new) = (term(1, B), term(2, C));
    let mut solo = Solo::new(Vec::new());
    solo.hear(B, append(old, vec![entry(old, 1)]));
    let last = entry(old, 1).position;
    solo.hear(C, LeaderMessage::Canvass { term: new, last });
    let sent = solo.sync();
    assert!(
        matches!(sent[..], [(C, LeaderMessage::Ballot { granted: true, .. })]),
        "{sent:?}"
    );
}

#[test]
fn a_leader_that_is_asked_says_that_there_is_one() {
    let mut solo = Solo::new(Vec::new());
    let probe = LeaderMessage::Probe {
        id: RequestId {
            epoch: 1,
            counter: 1,
        },
    };
    for hears in [false, true] {
        let sent = solo.hear(B, probe.clone());
        let [(B, LeaderMessage::Hearing { leader, .. })] = sent[..] else {
            panic!("an answer, not {sent:?}");
        };
        assert_eq!(leader, hears);
        if !hears {
            solo.elect();
        }
    }
}

#[test]
fn an_entry_out_of_place_is_not_taken() {
    let now = term(2, B);
    let after = |index| Position { term: now, index };
    let neat = vec![entry(now, 1), entry(now, 2)];
    for (before, entries) in [
        (after(0), vec![entry(now, 2)]),
        (Position::default(), vec![entry(now, 1), entry(now, 3)]),
        (
            Position::default(),
            vec![entry(now, 1), entry(term(1, B), 2)],
        ),
        (Position::default(), vec![entry(term(3, B), 1)]),
        (after(u64::MAX), neat.clone()),
    ] {
        let mut solo = Solo::new(Vec::new());
        let message = LeaderMessage::Append {
            term: now,
            sent_ns: 0,
            before,
            entries,
            committed: 9,
        };
        solo.hear(B, message);
        assert_eq!(solo.node.entries().count(), 0);
    }
    let mut solo = Solo::new(Vec::new());
    solo.hear(C, append(now, neat.clone()));
    assert_eq!(solo.node.entries().count(), 0, "not from its leader");
    solo.hear(B, append(now, neat));
    let values: Vec<String> = solo
        .node
        .entries()
        .filter_map(|entry| entry.change.as_ref()?.value.as_deref().map(text))
        .collect();
    assert_eq!(values, ["v", "v"]);
}
