//! Everything that the notes on the subject name, by id, and what shows it: the table in `docs/requirements.md`.
//!
//! Which scenario shows what is said by the scenarios themselves; here is what is asked, which tests show what is no story of a few
//! clients and faults, and what nothing here can show. A requirement that is neither shown nor out of scope is told as not shown yet.

use std::fmt::Write;

use super::act::Scenario;
use super::registry::ALL;

/// Something that the notes name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its id.
    pub id: &'static str,
    /// What is to be shown, or what is so.
    pub asks: &'static str,
    /// The tests that show it.
    pub tests: &'static [NamedTest],
    /// Why nothing shows it, if nothing can.
    pub out_of_scope: Option<&'static str>,
}

/// A test of this repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedTest {
    /// Its file, from the root of the repository.
    pub file: &'static str,
    /// The name of its function.
    pub name: &'static str,
}

/// What has become of a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// These scenarios and tests show it.
    Shown(Vec<&'static str>, &'static [NamedTest]),
    /// Nothing can, and why.
    OutOfScope(&'static str),
    /// Nothing does so far.
    NotShownYet,
}

impl Requirement {
    /// What has become of it.
    pub fn status(&self) -> Status {
        let shows = |scenario: &&Scenario| {
            let ids = scenario.requirements.iter().chain(scenario.corrections);
            { ids }.any(|id| *id == self.id)
        };
        let names: Vec<&str> = ALL.iter().filter(shows).map(|one| one.name).collect();
        match (names.is_empty() && self.tests.is_empty(), self.out_of_scope) {
            (false, _) => Status::Shown(names, self.tests),
            (true, Some(why)) => Status::OutOfScope(why),
            (true, None) => Status::NotShownYet,
        }
    }
}

const fn asked(id: &'static str, asks: &'static str) -> Requirement {
    Requirement {
        id,
        asks,
        tests: &[],
        out_of_scope: None,
    }
}

const fn tested(id: &'static str, asks: &'static str, tests: &'static [NamedTest]) -> Requirement {
    Requirement {
        tests,
        ..asked(id, asks)
    }
}

const fn by(file: &'static str, name: &'static str) -> NamedTest {
    NamedTest { file, name }
}

const fn beyond(id: &'static str, asks: &'static str, why: &'static str) -> Requirement {
    Requirement {
        id,
        asks,
        tests: &[],
        out_of_scope: Some(why),
    }
}

/// Rounds of gossip until all nodes know, from 4 to 64 of them.
const CONVERGENCE: &str = "node/src/protocol/membership/tests/convergence.rs";
/// The pages of running nodes.
const MONITOR: &str = "node/src/shell/tests/monitor.rs";

/// All that is to be shown.
pub const REQUIREMENTS: [Requirement; 98] = [
    asked(
        "000-01",
        "a dead leader blocks writes until a new one is elected; followers still serve reads",
    ),
    asked(
        "000-02",
        "a failover takes 30 s to minutes, with no writes meanwhile",
    ),
    asked(
        "000-03",
        "in a partition the minority side of a leader-based store cannot write",
    ),
    asked(
        "000-04",
        "the leader is the single source of truth, until an asynchronous follower takes over",
    ),
    asked(
        "000-05",
        "one of three nodes dies: writes go on, no failover",
    ),
    asked("000-06", "in a partition both sides go on accepting writes"),
    asked(
        "000-07",
        "US and EU with the leader in the US: the EU is blocked until the heal",
    ),
    asked(
        "000-08",
        "US and EU without a leader: who serves on which side, and how data syncs after the heal",
    ),
    asked(
        "000-09",
        "N=3 QUORUM: one node down is survived, two are not",
    ),
    asked(
        "000-10",
        "read repair: 1000, 1000 and 900 are read as 1000, and the third is told",
    ),
    asked(
        "000-11",
        "hinted handoff: a hint for node 3 is stored and delivered when it returns",
    ),
    asked(
        "000-12",
        "availability of a leader and of quorums, in nines",
    ),
    asked("000-13", "if one node fails, the time to fail over is zero"),
    asked(
        "000-14",
        "a whole data centre is lost: users write elsewhere, and it syncs when it returns",
    ),
    asked("000-15", "two users may briefly see different values"),
    asked(
        "000-16",
        "CAP: what is given up on each side of a partition",
    ),
    asked(
        "000-17",
        "no single point of failure, no failover delay, both sides available, only a majority needed",
    ),
    asked(
        "001-01",
        "all nodes are equal: any may coordinate; nobody votes",
    ),
    asked("001-02", "N, W, R and W + R > N, by the example 3, 2, 2"),
    asked(
        "001-03",
        "the phases of a leader's failure: detect, elect, reconfigure",
    ),
    asked("001-04", "N1 to N5, N2 fails: the others take the write"),
    asked(
        "001-05",
        "Dynamo's requirements: 99.99 %, a cart that can always be written",
    ),
    beyond(
        "001-06",
        "what a minute of a leader's outage costs",
        "money per minute is a number of the reader's; the seconds of outage are measured",
    ),
    asked(
        "001-07",
        "Dynamo's choices: quorums, version vectors, consistent hashing, sloppy quorums, Merkle trees",
    ),
    asked(
        "001-08",
        "N=5 W=3 with B and E timing out: three replicas new, two old",
    ),
    asked("001-09", "a read of A, C and D returns the new version"),
    asked(
        "001-10",
        "a replica with the old version is asked: the new one is returned, and the old one repaired",
    ),
    asked(
        "001-11",
        "a time-out per replica, and an error when there are too few",
    ),
    asked(
        "001-12",
        "read repair is lazy: a key that is rarely read stays stale",
    ),
    asked(
        "001-13",
        "anti-entropy between two replicas: two of three keys move, one each way",
    ),
    asked("001-14", "read repair with a chance"),
    asked(
        "001-15",
        "repair by hand: trees are compared, ranges streamed",
    ),
    asked("001-16", "another node stores the hint and delivers it"),
    asked("001-17", "a Merkle tree compares roots and descends"),
    asked(
        "001-18",
        "the five rows of N=3: (3,3), (2,2), (1,1), (1,3), (3,1)",
    ),
    asked(
        "001-19",
        "a level per request: ALL, QUORUM, ONE, LOCAL_QUORUM",
    ),
    asked(
        "001-20",
        "posts at QUORUM, the feed at ONE, one's own profile at QUORUM",
    ),
    asked("001-21", "strict quorum: only A, B and C ever hold the key"),
    asked(
        "001-22",
        "sloppy quorum: D takes a hint for B, forwards it when B returns, and deletes it",
    ),
    asked(
        "001-23",
        "backups only if W is not met; a background loop delivers hints",
    ),
    asked("001-24", "hints may be lost"),
    asked("001-25", "DynamoDB: eventual and strongly consistent reads"),
    asked(
        "001-26",
        "us-east 3, eu-west 3: QUORUM writes, LOCAL_QUORUM reads",
    ),
    asked("001-27", "Riak: w, dw, pw, r and pr per request"),
    beyond(
        "001-28",
        "when to use it and when not",
        "advice, not behaviour; the scenarios are what it rests on",
    ),
    asked("001-29", "a checklist of settings and what to monitor"),
    asked(
        "001-30",
        "repair is essential, consistency tunable, conflicts must be resolved",
    ),
    beyond(
        "002-01",
        "single-leader, multi-leader and leaderless stores",
        "multi-leader stores (the notes also mislabel their examples, see C-14); the other two are profiles",
    ),
    asked(
        "002-02",
        "failover: heartbeat, election, redirect, the old leader rejoins",
    ),
    asked("002-03", "the leader is a bottleneck"),
    asked("002-04", "failover takes 30 s to 2 min"),
    asked("002-05", "split brain: the old leader goes on accepting"),
    asked("002-06", "who is leaderless: Cassandra, Riak, Voldemort"),
    asked(
        "002-07",
        "(2,2), (1,3), (3,1) read the latest write; (1,1) may not",
    ),
    asked(
        "002-08",
        "a quorum service that asks all N at once and waits for W",
    ),
    asked("002-09", "sloppy: N1 is down, N2 and a hint at N3 make W=2"),
    asked(
        "002-10",
        "a Merkle tree of four leaves: one that differs is found by one path",
    ),
    tested(
        "002-11",
        "gossip reaches all nodes in O(log N) rounds",
        &[
            by(
                CONVERGENCE,
                "all_know_after_about_log2_rounds_of_telling_one",
            ),
            by(CONVERGENCE, "all_know_after_fewer_rounds_of_telling_three"),
            by(
                CONVERGENCE,
                "all_know_although_a_fifth_of_all_packets_is_lost",
            ),
        ],
    ),
    tested(
        "002-12",
        "leader against leaderless, measured side by side",
        &[by(
            "tests/profiles/side_by_side.rs",
            "a_leader_carries_everything_and_is_missed_and_without_one_everybody_carries_a_share",
        )],
    ),
    asked("002-13", "Cassandra with a node down: no sloppy quorum"),
    asked("002-14", "every node is a coordinator"),
    asked(
        "002-15",
        "what W=1, W=2 and W=3 lose when nodes die for good",
    ),
    asked(
        "003-01",
        "clients write and read several replicas in parallel; the rest follows",
    ),
    asked("003-02", "no failover for writes"),
    asked("003-03", "read repair by version"),
    asked("003-04", "anti-entropy copies in no particular order"),
    asked("003-05", "smaller w + r: more stale, more available"),
    asked("003-06", "n is not the number of nodes"),
    asked("003-07", "no quorum: an error, or a sloppy write"),
    asked("003-08", "hinted handoff"),
    asked(
        "003-09",
        "good for availability and latency where stale reads are tolerated",
    ),
    asked(
        "004-01",
        "a write of x=1: A and B acknowledge, C fails, W=2",
    ),
    asked("004-02", "a read: A and B say 5, C says 3"),
    asked(
        "004-03",
        "every write set meets every read set, N=3 and N=5",
    ),
    asked("004-04", "the table of configurations"),
    asked(
        "004-05",
        "W + R > N: every read sees the latest write; linearizable it is not",
    ),
    asked("004-06", "W + R <= N: stale, and converges"),
    asked(
        "004-07",
        "sloppy: A and B are down, the write goes to C, D and E",
    ),
    asked(
        "004-08",
        "two concurrent writes at {1,2} and {2,3}, a read of {1,3}: a conflict",
    ),
    asked("004-09", "vector clocks {A:1} and {B:1} are concurrent"),
    asked(
        "004-10",
        "siblings come back with a context; a write with it collapses them",
    ),
    asked(
        "004-11",
        "read repair mends only the replicas that are read",
    ),
    asked("004-12", "anti-entropy: pairs, and Merkle trees"),
    asked(
        "004-13",
        "hints are not for permanent failures: they accumulate",
    ),
    asked(
        "004-14",
        "N=5: (3,3) survives 2 and 2 nodes, (2,4) survives 3 and 1",
    ),
    asked("004-15", "the read with a quorum, as code"),
    asked("004-16", "Dynamo's features"),
    asked("004-17", "Cassandra's settings"),
    asked(
        "004-18",
        "Riak: put with w=2, get with r=2, resolve siblings",
    ),
    asked("004-19", "per request: (Q,Q), (1,Q), (Q,1), (1,1)"),
    asked("004-20", "the consistency levels ONE to ANY"),
    asked("004-21", "the write-read race"),
    asked(
        "004-22",
        "last-write-wins: t=100 is lost to t=101, and nobody is told",
    ),
    asked(
        "004-23",
        "N=5 with two nodes gone for good: W=3 needs all that are left",
    ),
    asked(
        "004-24",
        "metrics: repairs, hints, quorums, latency, conflicts",
    ),
    tested(
        "004-25",
        "health: ping, hints, age of the last repair",
        &[
            by(MONITOR, "an_idle_cluster_is_heard_of"),
            by(MONITOR, "hints_pile_up_while_their_owner_is_away"),
            by(MONITOR, "replicas_that_nobody_compares_make_a_node_ill"),
        ],
    ),
    beyond(
        "004-26",
        "good fits and poor fits",
        "advice, not behaviour; the scenarios are what it rests on",
    ),
    asked(
        "004-27",
        "eight takeaways, among them: hints help availability and not consistency",
    ),
];

/// What the notes say wrong, and what is so.
pub const CORRECTIONS: [Requirement; 22] = [
    asked("C-01", "2 of 3 at 99.9 % each is 99.9997 %, not 99.9999 %"),
    asked(
        "C-02",
        "one read that overlaps a write breaks nothing; it takes two",
    ),
    asked(
        "C-03",
        "of four replicas a majority is three: with two on each side QUORUM fails on both",
    ),
    asked(
        "C-04",
        "a sloppy quorum keeps W, and takes acknowledgements of other nodes",
    ),
    asked(
        "C-05",
        "Cassandra has no sloppy quorum: a hint counts only at ANY",
    ),
    asked(
        "C-06",
        "a hint is best effort: it is lost with its holder or its window",
    ),
    asked("C-07", "the newest answer wins, not the majority"),
    asked("C-08", "DynamoDB has one leader per partition"),
    asked(
        "C-09",
        "QUORUM counts over all data centres; LOCAL_QUORUM is the majority in one",
    ),
    beyond(
        "C-10",
        "the level is no part of CQL since CQL3",
        "syntax of another system's client",
    ),
    beyond(
        "C-11",
        "num_tokens is 16 since Cassandra 4.0",
        "a default of another system; profiles name theirs",
    ),
    beyond(
        "C-12",
        "read_repair_chance is gone since Cassandra 4.0",
        "history of another system",
    ),
    asked(
        "C-13",
        "Cassandra's repair merges by timestamps, not version vectors",
    ),
    beyond(
        "C-14",
        "Group Replication is single-primary by default, CockroachDB has one leaseholder per range",
        "multi-leader stores are out of scope",
    ),
    asked(
        "C-15",
        "R=N makes last-write-wins linearizable, W=N does not, and with skewed clocks nothing does",
    ),
    asked("C-16", "Voldemort has no Merkle anti-entropy"),
    asked("C-17", "a strict write fails if it cannot reach W, not N"),
    beyond(
        "C-18",
        "Dynamo's 99.99 % is not in the paper",
        "a number of a paper",
    ),
    asked(
        "C-19",
        "a Merkle comparison takes O(d log(n/d)), not O(log n)",
    ),
    asked("C-20", "W + R > N is a regular register, under conditions"),
    asked(
        "C-21",
        "an asynchronous leader loses acknowledged writes at failover",
    ),
    asked("C-22", "pr=1 gives no overlap: PR + PW > N does"),
];

/// The table as Markdown.
pub fn markdown() -> String {
    let mut out = String::from(
        "# What is shown, and by what\n\n\
         Every worked example and claim of the notes that this project began with, by id. `quorate scenario NAME` plays a scenario, \
         `quorate scenario --all` all of them; `tests/scenarios.rs` plays them in the simulated world and holds this page to the code. \
         What is no story of a few clients and faults is shown by a test, which is named with its file. \
         The page is printed by `quorate scenario --requirements`.\n\n",
    );
    section(&mut out, "Requirements", "to be shown", &REQUIREMENTS);
    section(&mut out, "Corrections", "what is so", &CORRECTIONS);
    out.push_str("## Scenarios\n\n| scenario | shows |\n|---|---|\n");
    for Scenario { name, shows, .. } in &ALL {
        let _ = writeln!(out, "| `{name}` | {shows} |");
    }
    out
}

fn section(out: &mut String, title: &str, asks: &str, rows: &[Requirement]) {
    let count = |is: fn(&Status) -> bool| rows.iter().filter(|row| is(&row.status())).count();
    let shown = count(|status| matches!(status, Status::Shown(..)));
    let beyond = count(|status| matches!(status, Status::OutOfScope(_)));
    let open = count(|status| matches!(status, Status::NotShownYet));
    let total = rows.len();
    let _ = writeln!(
        out,
        "## {title}\n\n{total} in all: {shown} shown, {beyond} out of scope, {open} not shown yet.\n"
    );
    let _ = writeln!(
        out,
        "| id | {asks} | scenario or test | result |\n|---|---|---|---|"
    );
    for row in rows {
        let (scenario, result) = match row.status() {
            Status::Shown(names, tests) => {
                let names = names.iter().map(|name| format!("`{name}`"));
                let quoted: Vec<String> = names.chain(named(tests)).collect();
                (quoted.join(", "), "shown".to_owned())
            }
            Status::OutOfScope(why) => (String::new(), format!("out of scope: {why}")),
            Status::NotShownYet => (String::new(), "not shown yet".to_owned()),
        };
        let _ = writeln!(out, "| {} | {} | {scenario} | {result} |", row.id, row.asks);
    }
    out.push('\n');
}

/// Tests with their file, which is said once for those that follow each other in it.
fn named(tests: &[NamedTest]) -> impl Iterator<Item = String> {
    let files = tests.chunk_by(|one, next| one.file == next.file);
    files.map(|tests| {
        let names: Vec<String> = tests.iter().map(|one| format!("`{}`", one.name)).collect();
        let file = tests.first().map_or("", |one| one.file);
        let word = if names.len() == 1 { "test" } else { "tests" };
        format!("{word} {} of `{file}`", names.join(", "))
    })
}
