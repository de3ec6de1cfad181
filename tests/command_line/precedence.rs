//! Flag over environment over file, for every setting of a plan. Nothing is run: each place names a value that is not possible, and the
//! refusal shows which one counted.

use crate::bench::{Bench, Ended};

/// A setting as the three places write it, with `{}` for its value.
struct Setting {
    file: &'static str,
    environment: &'static str,
    flag: &'static str,
    /// What is said of a value that is not possible.
    refusal: &'static str,
    /// Three of those: for the file, the environment and the flag.
    values: [&'static str; 3],
}

const fn number(
    file: &'static str,
    environment: &'static str,
    flag: &'static str,
    refusal: &'static str,
) -> Setting {
    let values = ["1001001", "1002002", "1003003"];
    Setting {
        file,
        environment,
        flag,
        refusal,
        values,
    }
}

const fn small(
    file: &'static str,
    environment: &'static str,
    flag: &'static str,
    refusal: &'static str,
) -> Setting {
    let values = ["101", "102", "103"];
    Setting {
        file,
        environment,
        flag,
        refusal,
        values,
    }
}

const fn word(
    file: &'static str,
    environment: &'static str,
    flag: &'static str,
    refusal: &'static str,
) -> Setting {
    let values = ["filed", "environed", "flagged"];
    Setting {
        file,
        environment,
        flag,
        refusal,
        values,
    }
}

const SETTINGS: [Setting; 43] = [
    word(
        "profile = '{}'",
        "QUORATE_PROFILE",
        "--profile",
        "profile `{}`",
    ),
    small("nodes = {}", "QUORATE_NODES", "--nodes", "nodes = {} is"),
    small("n = {}", "QUORATE_N", "-N", "nodes = {} is"),
    small("r = {}", "QUORATE_R", "-R", "R = {} is"),
    small("w = {}", "QUORATE_W", "-W", "W = {} is"),
    number(
        "clients = {}",
        "QUORATE_CLIENTS",
        "--clients",
        "clients = {} is",
    ),
    number("keys = {}", "QUORATE_KEYS", "--keys", "keys = {} is"),
    small(
        "deletes = 0\nreads = {}",
        "QUORATE_READS",
        "--reads",
        "deletes = {} is",
    ),
    small(
        "reads = 0\ndeletes = {}",
        "QUORATE_DELETES",
        "--deletes",
        "deletes = {} is",
    ),
    word(
        "read-fanout = '{}'",
        "QUORATE_READ_FANOUT",
        "--read-fanout",
        "read-fanout `{}`",
    ),
    word(
        "read-repair = '{}'",
        "QUORATE_READ_REPAIR",
        "--read-repair",
        "read-repair `{}`",
    ),
    word("sync = '{}'", "QUORATE_SYNC", "--sync", "sync `{}`"),
    word(
        "store.versions = '{}'",
        "QUORATE_VERSIONS",
        "--versions",
        "versions `{}`",
    ),
    word(
        "store.stamps = '{}'",
        "QUORATE_STAMPS",
        "--stamps",
        "stamps `{}`",
    ),
    word(
        "store.resolution = '{}'",
        "QUORATE_RESOLUTION",
        "--resolution",
        "resolution `{}`",
    ),
    word("store.tie = '{}'", "QUORATE_TIE", "--tie", "tie `{}`"),
    word(
        "store.data-centres = '{}'",
        "QUORATE_DATA_CENTRES",
        "--data-centres",
        "data-centres `{}`",
    ),
    word(
        "store.hints = '{}'",
        "QUORATE_HINTS",
        "--hints",
        "hints `{}`",
    ),
    word(
        "store.hint-window = '{}'",
        "QUORATE_HINT_WINDOW",
        "--hint-window",
        "hint-window `{}`",
    ),
    word(
        "store.hint-interval = '{}'",
        "QUORATE_HINT_INTERVAL",
        "--hint-interval",
        "hint-interval `{}`",
    ),
    word(
        "store.speculative-retry = '{}'",
        "QUORATE_SPECULATIVE_RETRY",
        "--speculative-retry",
        "speculative-retry `{}`",
    ),
    word(
        "store.anti-entropy = '{}'",
        "QUORATE_ANTI_ENTROPY",
        "--anti-entropy",
        "anti-entropy `{}`",
    ),
    word(
        "store.purge = '{}'",
        "QUORATE_PURGE",
        "--purge",
        "purge `{}`",
    ),
    word(
        "store.membership = '{}'",
        "QUORATE_MEMBERSHIP",
        "--membership",
        "membership `{}`",
    ),
    word(
        "store = { membership = 'gossip', ring-members = '{}' }",
        "QUORATE_RING_MEMBERS",
        "--ring-members",
        "ring-members `{}`",
    ),
    word(
        "store = { membership = 'gossip', probe-period = '{}' }",
        "QUORATE_PROBE_PERIOD",
        "--probe-period",
        "probe-period `{}`",
    ),
    word(
        "store = { membership = 'gossip', suspicion = '{}' }",
        "QUORATE_SUSPICION",
        "--suspicion",
        "suspicion `{}`",
    ),
    word(
        "store.leader = '{}'",
        "QUORATE_LEADER",
        "--leader",
        "leader `{}`",
    ),
    word(
        "nodes = 3\nstore.leader = 'async'\nstore.promotion = '{}'",
        "QUORATE_PROMOTION",
        "--promotion",
        "promotion `{}`",
    ),
    word(
        "nodes = 3\nstore.leader = 'async'\nstore.lease = '{}'",
        "QUORATE_LEASE",
        "--lease",
        "lease `{}`",
    ),
    word(
        "nodes = 3\nstore.leader = 'async'\nstore.detect = '{}'",
        "QUORATE_DETECT",
        "--detect",
        "detect `{}`",
    ),
    word(
        "nodes = 3\nstore.leader = 'async'\nstore.leader-reads = '{}'",
        "QUORATE_LEADER_READS",
        "--leader-reads",
        "leader-reads `{}`",
    ),
    small("store.pr = {}", "QUORATE_PR", "--pr", "pr = {}:"),
    small("store.pw = {}", "QUORATE_PW", "--pw", "pw = {}:"),
    small("store.dw = {}", "QUORATE_DW", "--dw", "dw = {}:"),
    word(
        "request-timeout = '{}'",
        "QUORATE_REQUEST_TIMEOUT",
        "--request-timeout",
        "request-timeout `{}`",
    ),
    word(
        "op-timeout = '{}'",
        "QUORATE_OP_TIMEOUT",
        "--op-timeout",
        "op-timeout `{}`",
    ),
    word(
        "sabotage = ['{}']",
        "QUORATE_SABOTAGE",
        "--sabotage",
        "sabotage `{}`",
    ),
    word(
        "workload = '{}'",
        "QUORATE_WORKLOAD",
        "--workload",
        "workload `{}`",
    ),
    word(
        "faults = ['{}']",
        "QUORATE_FAULTS",
        "--faults",
        "fault `{}`",
    ),
    word("for = '{}'", "QUORATE_FOR", "--for", "for `{}`"),
    word("world = '{}'", "QUORATE_WORLD", "--world", "world `{}`"),
    word("claim = '{}'", "QUORATE_CLAIM", "--claim", "claim `{}`"),
];

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    for setting in &SETTINGS {
        let [filed, environed, flagged] = setting.values;
        let refusal = |value| setting.refusal.replace("{}", value);
        let bench = Bench::new();
        bench.write("plan.toml", setting.file.replace("{}", filed));
        let args = ["run", "plan.toml", setting.flag, flagged];

        bench.run(&args[..2]).refused(&refusal(filed));
        let mut command = bench.command(&args[..2]);
        Ended::of(command.env(setting.environment, environed)).refused(&refusal(environed));
        let mut command = bench.command(&args);
        Ended::of(command.env(setting.environment, environed)).refused(&refusal(flagged));
    }
}

/// Settings of which every number, level or truth is possible, so that only what is none shows where it came from.
const TYPED: [(&str, &str); 16] = [
    ("QUORATE_SEED", "--seed"),
    ("QUORATE_RATE", "--rate"),
    ("QUORATE_BLIND", "--blind"),
    ("QUORATE_SLOPPY", "--sloppy"),
    ("QUORATE_HINTS_DURABLE", "--hints-durable"),
    ("QUORATE_HINT_BYTES", "--hint-bytes"),
    ("QUORATE_HINT_THROTTLE", "--hint-throttle"),
    ("QUORATE_REPAIR_PERCENT", "--repair-percent"),
    ("QUORATE_WRITE_BACK", "--write-back"),
    ("QUORATE_DIGEST_READS", "--digest-reads"),
    ("QUORATE_FENCING", "--fencing"),
    ("QUORATE_READ_LEVEL", "--read-level"),
    ("QUORATE_WRITE_LEVEL", "--write-level"),
    ("QUORATE_MAX_KEYS", "--max-keys"),
    ("QUORATE_MAX_BYTES", "--max-bytes"),
    ("QUORATE_MAX_REQUESTS", "--max-requests"),
];

#[test]
fn a_flag_beats_the_environment_where_everything_is_possible_too() {
    let bench = Bench::new();
    for (environment, flag) in TYPED {
        let mut command = bench.command(&["run"]);
        Ended::of(command.env(environment, "environed"))
            .refused(&format!("invalid value 'environed' for '{flag}"));
        let mut command = bench.command(&["run", flag, "flagged"]);
        Ended::of(command.env(environment, "environed"))
            .refused(&format!("invalid value 'flagged' for '{flag}"));
    }
}

#[test]
fn every_setting_of_the_help_is_tested_here() {
    let help = Bench::new().run(&["help", "run"]).with_code(0).stdout;
    let named = |name: &str| {
        let setting = SETTINGS.iter().any(|setting| setting.environment == name);
        let typed = TYPED.iter().any(|(environment, _)| *environment == name);
        setting || typed || name == "QUORATE_RESULTS"
    };
    let mut seen = 0;
    for name in help
        .split("[env: ")
        .skip(1)
        .filter_map(|rest| rest.split('=').next())
    {
        assert!(named(name), "{name} is not tested");
        seen += 1;
    }
    assert_eq!(seen, SETTINGS.len() + TYPED.len() + 1);
}

#[test]
fn the_place_of_results_can_be_said_in_the_same_ways() {
    let bench = Bench::new();
    let environed =
        |args: &[&str]| Ended::of(bench.command(args).env("QUORATE_RESULTS", "environed"));
    bench
        .run(&["check", "latest"])
        .refused("no runs in results/runs");
    environed(&["check", "latest"]).refused("no runs in environed");
    environed(&["check", "latest", "--results", "flagged"]).refused("no runs in flagged");
}
