//! The stores with a leader: what the leaderless ones are compared with.

use super::{Profile, set};

/// Amazon's `DynamoDB` of 2022.
pub(super) const DYNAMODB: Profile = Profile {
    name: "dynamodb",
    paragraph: "Amazon's DynamoDB, as its paper tells it (Elhemali et al., USENIX ATC 2022), which is not leaderless: one partition on three replicas, a leader \
                with a lease, writes acknowledged when a majority has the log record on disk, and an election when the leader is silent. Strongly \
                consistent reads, as here, are linearizable, and clocks do not matter; --leader-reads any are its eventual ones, which may be stale. \
                Nobody writes from the loss of a leader until the next one serves. Differs from the real one: one partition; no log \
                replicas that are added to restore the quorum; no archive in S3; no global tables.",
    settings: &[
        set("nodes", "3", "a replica in each of three zones (section 3)"),
        set("n", "3", "the same"),
        set(
            "sync",
            "\"each-write\"",
            "a write is acknowledged when a quorum has persisted the log record (section 3)",
        ),
        set("request-timeout", "\"500ms\"", "not published"),
        set(
            "store.leader",
            "\"majority\"",
            "Multi-Paxos, a quorum of two of three (section 3)",
        ),
        set("store.promotion", "\"election\"", "the same"),
        set(
            "store.lease",
            "\"500ms\"",
            "a couple of seconds (section 5), scaled; the new leader waits until it is over",
        ),
        set("store.fencing", "true", "terms of Multi-Paxos"),
        set(
            "store.detect",
            "\"250ms\"",
            "heartbeats that are missed (section 5.2); how many is not published",
        ),
        set(
            "store.leader-reads",
            "\"leader\"",
            "strongly consistent reads; eventual ones are the default of its interface (section 3)",
        ),
    ],
};

/// A database with a leader, standbys and a failover tool.
pub(super) const SINGLE_LEADER: Profile = Profile {
    name: "single-leader",
    paragraph: "A database with one leader and asynchronous standbys, such as PostgreSQL under Patroni: writes are acknowledged when the leader has them, and when \
                it is silent the most advanced standby within reach takes its place. Whatever it had acknowledged and nobody had copied is then lost. \
                --leader \"semi-sync 1\" --promotion most-advanced-of-majority loses nothing, and hangs without a standby; --leader \"semi-sync 1 fallback \
                1s\" never hangs, and loses again; --fencing false --lease none lets two lead at a time. Differs from the real one: the followers \
                grant the lease, where Patroni has a store of its own for it; standbys pass requests on to the leader instead of refusing them; the log is \
                of keys and values.",
    settings: &[
        set("nodes", "3", "a leader and two standbys"),
        set("n", "3", "everybody has everything"),
        set(
            "sync",
            "\"each-write\"",
            "fsync at commit (PostgreSQL's fsync and synchronous_commit)",
        ),
        set(
            "request-timeout",
            "\"500ms\"",
            "10 s (Patroni's retry_timeout), scaled",
        ),
        set(
            "store.leader",
            "\"async\"",
            "no synchronous_standby_names, the default",
        ),
        set(
            "store.promotion",
            "\"most-advanced-of-reachable\"",
            "Patroni's leader race; maximum_lag_on_failover lets a lagging one win",
        ),
        set(
            "store.lease",
            "\"500ms\"",
            "Patroni's ttl, 30 s, scaled 1:60",
        ),
        set(
            "store.fencing",
            "true",
            "a leader without its key demotes itself (Patroni)",
        ),
        set("store.detect", "\"500ms\"", "the same ttl, scaled 1:60"),
        set(
            "store.leader-reads",
            "\"leader\"",
            "clients are connected to the leader; hot standbys are --leader-reads any",
        ),
    ],
};
