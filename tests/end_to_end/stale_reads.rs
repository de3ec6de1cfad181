//! A store of single acknowledgements, judged by the promise of majorities that it cannot keep, and by its own.

use crate::bench::Bench;
use crate::running::{Running, nobody_left};

/// One node of three is cut off for almost the whole run while clients go on to read and write everywhere: no luck is needed for it to
/// answer with old values. Nothing is lost by it, because the links hold everything back until they heal.
const PLAN: &str = r#"
for = "2s"
seed = 1
nodes = 3
r = 1
w = 1
keys = 3
deletes = 0
rate = 800
claim = "3/2/2"

[[timeline]]
at = "100ms"
for = "1500ms"
fault.partition = { shape = "one", cut = "hold", links = [
    { from = 3, to = 1 }, { from = 1, to = 3 }, { from = 3, to = 2 }, { from = 2, to = 3 },
] }
"#;

#[test]
fn a_claim_that_cannot_be_kept_is_broken_with_a_witness() {
    let bench = Bench::new();
    bench.write("plan.toml", PLAN);
    let ended = Running::start(&bench, &["run", "plan.toml"])
        .end()
        .with_code(1);
    ended
        .telling("BROKEN fresh reads promised because W + R = 4 > N + f = 3")
        .telling("judged by the claim 3/2/2, not by the configured 3/1/1");
    nobody_left(&bench);

    let run = bench.path("runs/latest").canonicalize().expect("a run");
    assert_eq!(
        bench.path("runs/failed").canonicalize().expect("a link"),
        run
    );
    assert!(
        run.join("nodes/n1/data").is_dir(),
        "the data of a failed run is gone"
    );
    let told =
        std::fs::read_to_string(run.join("witness/stale-read-1.txt")).expect("an explanation");
    assert!(told.lines().count() > 3, "{told}");
    let witness = bench.run(&["check", "runs/latest/witness/stale-read-1.jsonl"]);
    witness.with_code(1).telling("BROKEN fresh reads");
    bench
        .run(&["check", "failed", "--results", "runs"])
        .with_code(1);

    // The same timeline, judged by what the store is configured to promise.
    let args = ["run", "runs/latest/plan.json", "--claim", "3/1/1"];
    Running::start(&bench, &args)
        .end()
        .with_code(0)
        .telling("fresh reads          no        · seen");
    nobody_left(&bench);
}
