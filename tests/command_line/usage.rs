//! What cannot be understood is refused with exit 2: what is wrong and what to do on stderr, nothing on stdout, nothing run.

use crate::bench::Bench;

/// Runs each command line; it must be refused in these words.
fn all_refused(bench: &Bench, table: &[(&[&str], &str)]) {
    for (args, words) in table {
        bench.run(args).refused(words);
        let ran = bench.path("results").exists();
        assert!(!ran, "{args:?} has run something");
    }
}

#[test]
fn flags_and_commands_that_do_not_exist() {
    all_refused(
        &Bench::new(),
        &[
            (
                &["run", "--nodse", "3"],
                "similar argument exists: '--nodes'",
            ),
            (&["run", "-Q", "3"], "unexpected argument '-Q'"),
            (&["runs"], "similar subcommand exists: 'run'"),
            (&["run", "a.toml", "b.toml"], "unexpected argument 'b.toml'"),
            (&["list", "--color", "mauve"], "always, never"),
            (&["check"], "<HISTORY>"),
            (&[], "Usage:"),
        ],
    );
}

#[test]
fn names_that_do_not_exist_get_the_nearest_that_does() {
    all_refused(
        &Bench::new(),
        &[
            (
                &["run", "--faults", "kill,patition"],
                "did you mean `partition`?",
            ),
            (
                &["run", "--workload", "registre"],
                "did you mean `register`?",
            ),
            (
                &["run", "--sabotage", "ack-before-synk"],
                "did you mean `ack-before-sync`?",
            ),
            (&["run", "--world", "liv"], "did you mean `live`?"),
            (
                &["run", "--world", "moon"],
                "unknown world `moon`; there are: live",
            ),
            (
                &["run", "--read-repair", "blockin"],
                "did you mean `blocking`?",
            ),
            (&["run", "--read-fanout", "al"], "did you mean `all`?"),
            (&["explain", "fresh-read"], "did you mean `fresh-reads`?"),
            (
                &["explain", "zzz"],
                "nothing is called `zzz`: see `quorate list`",
            ),
            (
                &["explain", "fresh-reads", "--all"],
                "fresh-reads is a name, not a run: leave out --all",
            ),
            (
                &["explain", "kill", "--spacetime"],
                "kill is a name, not a run: leave out --spacetime",
            ),
            (
                &["list", "nonsense"],
                "there are guarantees, anomalies, faults, workloads, sabotages, profiles, scenarios",
            ),
        ],
    );
}

#[test]
fn values_that_are_not_possible() {
    let most = u64::MAX.to_string();
    all_refused(
        &Bench::new(),
        &[
            (
                &["run", "-N", "3", "-R", "4"],
                "R = 4 is not possible: a quorum is 1 to N replicas",
            ),
            (&["run", "-W", "0"], "W = 0 is not possible"),
            (
                &["run", "--nodes", "2"],
                "N = 3 is not possible: there must be 1 to as many replicas as nodes",
            ),
            (&["run", "--nodes", "33"], "nodes = 33 is not possible"),
            (
                &["run", "--for", "soon"],
                "for `soon` is not a duration, such as 500ms, 20s or 2m",
            ),
            (&["run", "--for", "0s"], "for = 0 ms is not possible"),
            (&["run", "--for=-2s"], "for `-2s` is not a duration"),
            (
                &["run", "--for", "9999999999h"],
                "longer than zero, at most a day",
            ),
            (
                &["run", "--request-timeout", "0s"],
                "request-timeout = 0 ms is not possible",
            ),
            (
                &["run", "--op-timeout", "0s"],
                "op-timeout = 0 ms is not possible",
            ),
            (
                &["run", "--sync", "sometimes"],
                "sync `sometimes` is not `each-write` or `every <duration>`",
            ),
            (
                &["run", "--sync", "every 0ms"],
                "sync = every 0 ms is not possible",
            ),
            (&["run", "--claim", "3/2"], "claim `3/2` is not N/R/W"),
            (&["run", "--claim", "3/4/1"], "claim `3/4/1` is not N/R/W"),
            (
                &["run", "--reads", "90", "--deletes", "20"],
                "reads + deletes = 110 is not possible",
            ),
            (
                &["run", "--reads", &most, "--deletes", &most],
                "at most 100 percent",
            ),
            (&["run", "--clients", "0"], "clients = 0 is not possible"),
            (
                &["run", "--rate", "fast"],
                "invalid value 'fast' for '--rate",
            ),
        ],
    );
}

#[test]
fn plan_files_are_refused_with_file_line_and_suggestion() {
    let bench = Bench::new();
    bench.write("typo.toml", "nodes = 3\nread-repiar = \"none\"\n");
    bench.write("type.toml", "nodes = \"three\"\n");
    bench.write("half.toml", "[[timeline");
    bench.write(
        "fault.toml",
        "[[timeline]]\nat = \"1s\"\nfor = \"1s\"\nfault.kil.nodes = [1]\n",
    );
    bench.write(
        "stranger.toml",
        "[[timeline]]\nat = \"1s\"\nfor = \"1s\"\nfault.kill.nodes = [9]\n",
    );
    bench.write(
        "late.toml",
        "for = \"2s\"\n[[timeline]]\nat = \"2h\"\nfor = \"1s\"\nfault.kill.nodes = [1]\n",
    );
    all_refused(
        &bench,
        &[
            (
                &["run", "typo.toml"],
                "typo.toml: TOML parse error at line 2, column 1",
            ),
            (&["run", "typo.toml"], "did you mean `read-repair`?"),
            (
                &["run", "type.toml"],
                "type.toml: TOML parse error at line 1",
            ),
            (
                &["run", "half.toml"],
                "half.toml: TOML parse error at line 1",
            ),
            (&["run", "fault.toml"], "unknown variant `kil`"),
            (
                &["run", "stranger.toml"],
                "fault f1 names it, but nodes are 1 to 5",
            ),
            (&["run", "late.toml"], "it begins after the storm is over"),
            (&["run", "none.toml"], "cannot read none.toml: No such file"),
        ],
    );
}

#[test]
fn a_saved_plan_is_carried_out_as_it_is() {
    let bench = Bench::new();
    bench.write("plan.json", "{}");
    bench.write("newer.json", r#"{"format": 2}"#);
    all_refused(
        &bench,
        &[
            (
                &["run", "plan.json"],
                "plan.json is not a plan: missing field",
            ),
            (&["run", "newer.json"], "newer.json is not a plan"),
            (&["run", "plan.json", "--seed", "3"], "leave out --seed"),
            (&["run", "plan.json", "-R", "1"], "leave out -R"),
            (
                &["run", "plan.json", "--faults", "kill"],
                "leave out --faults",
            ),
        ],
    );
    let mut command = bench.command(&["run", "plan.json"]);
    let ended = crate::bench::Ended::of(command.env("QUORATE_SEED", "3"));
    ended.refused("leave out --seed (here or in the environment)");
}

#[test]
fn gates_are_refused_with_file_and_case() {
    let bench = Bench::new();
    bench.write("typo.toml", "[[case]]\nname = \"a\"\nexpekt = \"kept\"\n");
    bench.write(
        "expect.toml",
        "[[case]]\nname = \"a\"\nexpect = \"green\"\n",
    );
    bench.write(
        "promise.toml",
        "[[case]]\nname = \"a\"\nexpect = \"broken:fresh-read\"\n",
    );
    bench.write(
        "plan.toml",
        "[[case]]\nname = \"a\"\nexpect = \"kept\"\nplan.r = 9\n",
    );
    bench.write(
        "file.toml",
        "[[case]]\nname = \"a\"\nexpect = \"kept\"\nfile = \"none.toml\"\n",
    );
    all_refused(
        &bench,
        &[
            (&["gate"], "cannot read gate.toml: No such file"),
            (
                &["gate", "typo.toml"],
                "typo.toml: TOML parse error at line 3",
            ),
            (&["gate", "typo.toml"], "did you mean `expect`?"),
            (
                &["gate", "expect.toml"],
                "expect.toml: case `a`: expect `green` is not `kept` or `broken:<guarantee>`",
            ),
            (&["gate", "promise.toml"], "did you mean `fresh-reads`?"),
            (
                &["gate", "plan.toml"],
                "plan.toml: case `a`: R = 9 is not possible",
            ),
            (&["gate", "file.toml"], "cannot read none.toml"),
        ],
    );
}

#[test]
fn a_gate_without_cases_ran_nothing() {
    let bench = Bench::new();
    bench.write("empty.toml", "");
    bench.write("one.toml", "[[case]]\nname = \"a\"\nexpect = \"kept\"\n");
    for args in [
        ["gate", "empty.toml"].as_slice(),
        &["gate", "one.toml", "--only", "b"],
    ] {
        let ended = bench.run(args).with_code(4).complaining("no case to run");
        assert!(ended.stdout.is_empty(), "{ended}");
    }
}

#[test]
fn what_is_asked_for_goes_to_stdout() {
    let bench = Bench::new();
    for (args, words) in [
        (["--help"].as_slice(), "quorate explain fresh-reads"),
        (&["help", "run"], "[env: QUORATE_SEED=]"),
        (
            &["--version"],
            concat!("quorate ", env!("CARGO_PKG_VERSION")),
        ),
        (&["list"], "ack-before-sync"),
        (&["list", "faults"], "partition"),
        (
            &["explain", "fresh-reads"],
            "fresh-reads (guarantee; broken by: stale-read)",
        ),
        (&["explain", "stale-read"], "fresh-reads (guarantee"),
        (&["explain", "kill"], "kill (fault)"),
        (&["explain", "racing"], "racing (workload)"),
        (&["explain", "drop-repair"], "drop-repair (sabotage)"),
    ] {
        let ended = bench.run(args).with_code(0).telling(words);
        assert!(ended.stderr.is_empty(), "{args:?}: {ended}");
    }
}
