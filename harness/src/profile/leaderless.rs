//! The leaderless stores. Times are a hundredth of the original's unless a source says otherwise, so that a run of seconds meets them.

use super::{Profile, Setting, set};

const N: Setting = set(
    "n",
    "3",
    "three replicas, the usual number in all of these systems",
);
const HINT_INTERVAL: &str = "store.hint-interval";

/// Amazon's Dynamo of 2007.
pub(super) const DYNAMO: Profile = Profile {
    name: "dynamo",
    paragraph: "Amazon's Dynamo, as its paper tells it (DeCandia et al., SOSP 2007). Always writable: any healthy node may stand in for a replica and keep a \
                hint, concurrent writes stay beside each other as siblings, reads are repaired after the reply, and replicas compare hash trees all the \
                time. So acknowledged writes are not lost, but reads may be stale and go back in time. Differs from the real one: versions are told \
                apart by dots and not by plain vector clocks, which are never cut off at ten entries here; any node coordinates, and a replica in it or the \
                first within reach gives a write its version; membership is fixed; requests are not routed to the node that answered fastest.",
    settings: &[
        set(
            "nodes",
            "5",
            "more nodes than replicas, so that somebody can stand in",
        ),
        N,
        set(
            "r",
            "2",
            "(N, R, W) = (3, 2, 2) is the usual choice (section 6)",
        ),
        set(
            "w",
            "2",
            "the same; the coordinator waits for W - 1 others (section 4.5)",
        ),
        set(
            "read-fanout",
            "\"all\"",
            "a get asks the N highest-ranked reachable nodes and waits for R (section 4.5)",
        ),
        set(
            "read-repair",
            "\"async\"",
            "late answers are collected after the reply, and stale replicas updated (section 5)",
        ),
        set(
            "sync",
            "\"each-write\"",
            "a durable local store; the buffered mode is an option (sections 5 and 6.1): --sync \"every 1s\"",
        ),
        set(
            "request-timeout",
            "\"500ms\"",
            "not published; the goal is 300 ms for 99.9 % of requests (section 2.2)",
        ),
        set(
            "store.versions",
            "\"dvv\"",
            "vector clocks, and siblings for the client to unite (section 4.4)",
        ),
        set(
            "store.sloppy",
            "true",
            "the first N healthy nodes of the preference list take part (section 4.6)",
        ),
        set(
            "store.hints",
            "\"fallback\"",
            "who stands in keeps the hint (section 4.6)",
        ),
        set(
            "store.hints-durable",
            "true",
            "in a separate local database (section 4.6)",
        ),
        set(
            HINT_INTERVAL,
            "\"100ms\"",
            "that database is scanned periodically (section 4.6); how often is not published",
        ),
        set(
            "store.anti-entropy",
            "\"100ms\"",
            "hash trees per range, compared in the background (section 4.7); how often is not published",
        ),
    ],
};

/// Apache Cassandra 4 and 5.
pub(super) const CASSANDRA: Profile = Profile {
    name: "cassandra",
    paragraph: "Apache Cassandra 4 and 5 at QUORUM/QUORUM with blocking read repair. Nobody stands in for replicas: too few of them within reach is a definite \
                refusal. Coordinators keep hints, which count for nothing (but at ANY). The last write wins by a clock of milliseconds, and of equal times \
                the larger value. While no two writes of a key follow each other within a millisecond, no node forgets and clocks agree, every key \
                is linearizable. Other levels are a flag: --read-level one --write-level all. Differs from the real one: a value is one cell; stamps are \
                the coordinator's and never the client's; hints are in memory only, where the real ones are flushed to a file every 10 s; there are no \
                batches, counters and lightweight transactions; the failure detector is the connection itself.",
    settings: &[
        set("nodes", "5", "more nodes than replicas"),
        N,
        set(
            "read-level",
            "\"quorum\"",
            "of each request (ConsistencyLevel); drivers ask for LOCAL_ONE unless told",
        ),
        set(
            "write-level",
            "\"quorum\"",
            "the same; blockFor of ConsistencyLevel.quorumFor",
        ),
        set(
            "read-fanout",
            "\"quorum\"",
            "only blockFor replicas are asked (reads/AbstractReadExecutor)",
        ),
        set(
            "read-repair",
            "\"blocking\"",
            "the default of the table option read_repair (reads/repair/ReadRepairStrategy)",
        ),
        set(
            "sync",
            "\"every 100ms\"",
            "commitlog_sync periodic, 10 s (conf/cassandra.yaml), scaled 1:100; kill -9 alone forgets up to 100 ms there (AbstractCommitLogService)",
        ),
        set(
            "request-timeout",
            "\"500ms\"",
            "2 s for writes, 5 s for reads (conf/cassandra.yaml of 4.1), scaled",
        ),
        set(
            "store.versions",
            "\"lww\"",
            "a stamp per cell (db/rows/Cells)",
        ),
        set(
            "store.stamps",
            "\"coordinator\"",
            "ClientState.getTimestamp, where the client gives none",
        ),
        set(
            "store.resolution",
            "\"millisecond\"",
            "max(last + 1, currentTimeMillis * 1000) (ClientState.getTimestamp)",
        ),
        set(
            "store.tie",
            "\"larger-value\"",
            "a delete, or else the larger bytes (db/rows/Cells.resolveRegular)",
        ),
        set(
            "store.digest-reads",
            "true",
            "one replica for the data, the others for digests (AbstractReadExecutor.makeDigestRequests)",
        ),
        set(
            "store.speculative-retry",
            "\"99p\"",
            "the default of the table option (AbstractReadExecutor.SpeculatingReadExecutor)",
        ),
        set(
            "store.sloppy",
            "false",
            "writes go to replicas only (locator/ReplicaPlans.forWrite)",
        ),
        set(
            "store.hints",
            "\"coordinator\"",
            "StorageProxy.sendToHintedReplicas and submitHint, also after a time-out (AbstractWriteResponseHandler.onFailure)",
        ),
        set(
            "store.hints-durable",
            "false",
            "flushed every 10 s from memory, without fsync (hints/ and conf/cassandra.yaml)",
        ),
        set(
            "store.hint-window",
            "\"3h\"",
            "max_hint_window (conf/cassandra.yaml), not scaled",
        ),
        set(
            HINT_INTERVAL,
            "\"100ms\"",
            "the dispatcher looks every 10 s (hints/HintsDispatchTrigger), scaled 1:100",
        ),
        set(
            "store.hint-throttle",
            "1048576",
            "hinted_handoff_throttle, 1024 KiB a second (conf/cassandra.yaml)",
        ),
        set(
            "store.anti-entropy",
            "\"never\"",
            "repair never runs by itself (repair/): quorate kv repair",
        ),
        set(
            "store.purge",
            "\"after 864000s\"",
            "gc_grace_seconds, ten days, not scaled: --purge \"after 10s\" shows what it does",
        ),
    ],
};

/// Riak KV 3.
pub(super) const RIAK: Profile = Profile {
    name: "riak",
    paragraph: "Riak KV 3 with a bucket type of its own defaults: R = W = DW = quorum, a sloppy quorum, siblings told apart by dots. Concurrent writes are \
                kept as siblings; reads may be stale and go back in time, as nodes that stand in count. --pr 2 --pw 2 makes it \
                strict, --versions lww is allow_mult = false. Differs from the real one: a put goes to any replica that is within reach for its dot, \
                not to one that is known to have the key; fallbacks are nodes and not partitions; actors are a start of a node and not an epoch per key; \
                siblings are not limited to 100; the backend either syncs by the clock or with each write, where bitcask leaves it to the kernel.",
    settings: &[
        set(
            "nodes",
            "5",
            "five nodes are the least that is recommended; fallbacks need nodes beyond N",
        ),
        N,
        set("r", "2", "r = quorum (riak_kv_get_fsm)"),
        set("w", "2", "w = quorum (riak_kv_put_fsm)"),
        set(
            "read-fanout",
            "\"all\"",
            "a get goes to all N, the first R count (riak_kv_get_core)",
        ),
        set(
            "read-repair",
            "\"async\"",
            "final_action after all N answered or the time was up (riak_kv_get_fsm)",
        ),
        set(
            "sync",
            "\"every 300ms\"",
            "bitcask sync_strategy none: whenever the kernel does, here at a time that a run meets",
        ),
        set("request-timeout", "\"500ms\"", "60 s for clients, scaled"),
        set(
            "store.versions",
            "\"dvv\"",
            "bucket types have allow_mult and dvv_enabled (riak_object:reconcile)",
        ),
        set("store.dw", "2", "dw = quorum (riak_kv_put_core)"),
        set("store.pr", "0", "pr = 0 (riak_kv_get_fsm)"),
        set("store.pw", "0", "pw = 0 (riak_kv_put_fsm)"),
        set(
            "store.sloppy",
            "true",
            "sloppy_quorum, the default of each request (riak_core_apl:get_apl_ann)",
        ),
        set(
            "store.hints",
            "\"fallback\"",
            "in the fallback vnode, as any other data (riak_core_apl)",
        ),
        set("store.hints-durable", "true", "as any other data"),
        set(
            HINT_INTERVAL,
            "\"100ms\"",
            "the handoff manager looks every 10 s, after 60 s of inactivity (vnode_inactivity_timeout), scaled 1:100",
        ),
        set(
            "store.anti-entropy",
            "\"150ms\"",
            "active anti-entropy looks every 15 s, scaled 1:100",
        ),
        set(
            "store.purge",
            "\"when-all-have 3s\"",
            "delete_mode 3000 ms, and only when all N primaries returned the tombstone; not scaled",
        ),
    ],
};

/// Project Voldemort.
pub(super) const VOLDEMORT: Profile = Profile {
    name: "voldemort",
    paragraph: "Project Voldemort with required-reads = required-writes = 2. Version vectors, of whose siblings the client's default resolver takes the \
                newest by its time, so clocks matter after all. Hints (slops) never count, are sent even when the write failed, and are all that mends a \
                replica which is not read: there are no hash trees. Differs from the real one: there the client coordinates, or the server for it, and \
                here any node does; a master gives the write its version first, here whichever replica is within reach; a slop is kept by another live node, \
                here by the coordinator; an older version is refused there and merged here.",
    settings: &[
        set("nodes", "5", "more nodes than replicas"),
        N,
        set("r", "2", "required-reads of the store's definition"),
        set(
            "w",
            "2",
            "required-writes of the store's definition (store/routed/PipelineRoutedStore.put)",
        ),
        set(
            "read-fanout",
            "\"quorum\"",
            "preferred-reads, then one more at a time (PipelineRoutedStore)",
        ),
        set(
            "read-repair",
            "\"async\"",
            "only of those who answered, where preferred-reads > 1",
        ),
        set(
            "sync",
            "\"every 300ms\"",
            "BDB with flush.transactions = false, a checkpoint every 30 s, scaled 1:100 (BdbStorageEngine)",
        ),
        set("request-timeout", "\"500ms\"", "5 s, scaled"),
        set(
            "store.versions",
            "\"dvv-newest\"",
            "vector clocks, resolved by TimeBasedInconsistencyResolver",
        ),
        set(
            "store.sloppy",
            "false",
            "slops are never added to successes (HintedHandoff.sendHintParallel)",
        ),
        set(
            "store.hints",
            "\"coordinator\"",
            "PerformPutHintedHandoff, also after Event.ABORTED",
        ),
        set(
            "store.hints-durable",
            "true",
            "the slop store is a BDB store",
        ),
        set(
            HINT_INTERVAL,
            "\"300ms\"",
            "the slop pusher runs every 5 minutes, scaled 1:1000",
        ),
        set(
            "store.hint-throttle",
            "10485760",
            "10 MB a second (the slop pusher)",
        ),
        set(
            "store.anti-entropy",
            "\"never\"",
            "there is none in the repository",
        ),
    ],
};
