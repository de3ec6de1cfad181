//! A snapshot that is taken while the replica goes on, and the log after its beginning, recover to what the replica holds.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::cluster::{A, config};
use crate::config::{Purge, StoreConfig, Versions};
use crate::protocol::{
    Input, Nanos, Now, Output, Record, Replica, Snapshot, Tag, Token, WallNanos,
};
use crate::wire::{Quorum, Request};

#[derive(Clone, Debug)]
enum Deed {
    Put(u8),
    Delete(u8),
    /// The disk has the oldest record that it did not have.
    Persist,
    /// Time passes, and old tombstones are forgotten.
    Purge,
    /// Another piece is taken.
    Piece,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        4 => (0..12_u8).prop_map(Deed::Put),
        2 => (0..12_u8).prop_map(Deed::Delete),
        4 => Just(Deed::Persist),
        1 => Just(Deed::Purge),
        1 => Just(Deed::Piece),
    ];
    prop::collection::vec(deed, 0..120)
}

/// A replica, its disk, and what a directory would have of both since the snapshot began.
struct Site {
    replica: Replica,
    now: Now,
    requests: u64,
    queued: VecDeque<Token>,
    pieces: Vec<Record>,
    after: Vec<Record>,
}

impl Site {
    fn new(config: StoreConfig) -> Site {
        Site {
            replica: Replica::recover(config, A, 1, []),
            now: Now {
                monotonic: Nanos(0),
                wall: WallNanos(1_000),
            },
            requests: 0,
            queued: VecDeque::new(),
            pieces: Vec::new(),
            after: Vec::new(),
        }
    }

    fn input(&mut self, input: Input) {
        for output in self.replica.step(self.now, input) {
            if let Output::Persist { token, record } = output {
                self.queued.push_back(token);
                self.after.push(record);
            }
        }
    }

    fn ask(&mut self, request: Request) {
        self.requests += 1;
        let tag = Tag {
            connection: 1,
            request: self.requests,
        };
        self.input(Input::Client { tag, request });
    }

    fn carry_out(&mut self, deed: &Deed) {
        let key = |number: &u8| format!("k{number}");
        match deed {
            Deed::Put(number) => {
                let value = vec![*number, self.requests.to_le_bytes()[0]];
                self.ask(Request::put(key(number), value, Quorum::default()));
            }
            Deed::Delete(number) => self.ask(Request::delete(key(number), Quorum::default())),
            Deed::Persist => {
                if let Some(token) = self.queued.pop_front() {
                    self.input(Input::Persisted(token));
                }
            }
            Deed::Purge => {
                self.now.monotonic.0 += 2_000_000;
                self.input(Input::Tick);
            }
            Deed::Piece => {}
        }
    }

    /// False after the last.
    fn take_piece(&mut self, snapshot: &mut Snapshot) -> bool {
        let piece = self.replica.next_piece(snapshot);
        let goes_on = !piece.is_empty();
        self.pieces.extend(piece);
        goes_on
    }
}

proptest! {
    #[test]
    fn pieces_and_the_log_since_recover_to_what_is_held(
        before in deeds(),
        meanwhile in deeds(),
        siblings: bool,
    ) {
        let mut config = config(1, 1, 1);
        config.options.purge = Purge::AfterMs(1);
        if siblings {
            config.options.versions = Versions::Dvv { siblings };
        }
        let mut site = Site::new(config.clone());
        for deed in &before {
            site.carry_out(deed);
        }
        site.after.clear();
        let mut snapshot = site.replica.begin_snapshot();
        site.take_piece(&mut snapshot);
        for deed in &meanwhile {
            site.carry_out(deed);
            if matches!(deed, Deed::Piece) {
                site.take_piece(&mut snapshot);
            }
        }
        while site.take_piece(&mut snapshot) {}
        while let Some(token) = site.queued.pop_front() {
            site.input(Input::Persisted(token));
        }
        let records = site.pieces.into_iter().chain(site.after);
        let copy = Replica::recover(config, A, 2, records);
        prop_assert!(copy.snapshot().eq(site.replica.snapshot()));
    }
}
