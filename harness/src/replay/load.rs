//! What the clients did and how long the phases were: told by the header of a history, or else seen in its operations.
//!
//! It counts and rounds. Faults are not its business (`timeline.rs`).

use quorate_checkers::history::{Function, History, Nanos};
use quorate_node::config::{Options, ReadFanout};
use quorate_workloads::Kind;

use super::rebuild::Notes;
use crate::conductor::Phase;
use crate::plan::{Load, Phases, Setup, World};

/// What every plan has had so far that was made from flags.
const TOKENS_PER_NODE: u32 = 64;
/// As above, ms.
const QUIET_MS_MAX: u64 = 2_000;
/// As above, ms.
const OP_TIMEOUT_MS: u64 = 1_000;
/// As above.
const KEYS: u64 = 10;
/// So many operations before the first fault tell the rate.
const CALM_OPS_MIN: u64 = 100;
/// Phases are planned in round numbers, and begin a little late, ms.
const ROUND_MS: u64 = 10;

/// What the header tells of the set-up, or what the events show of it.
pub(super) fn setup(history: &History, notes: &mut Notes) -> Setup {
    let told = history.header.setup.as_ref();
    match told.map(|told| serde_json::from_value(told.clone())) {
        Some(Ok(setup)) => return setup,
        Some(Err(error)) => notes.guessed.push(format!(
            "all that the header says under `setup`, which this quorate does not understand: {error}"
        )),
        None => {}
    }
    notes.guessed.push(format!(
        "live world, {TOKENS_PER_NODE} tokens per node, reads ask a quorum, at most {QUIET_MS_MAX} ms of quiet: the history is silent about them"
    ));
    let phases = phases(history, notes);
    Setup {
        world: World::Live,
        tokens_per_node: TOKENS_PER_NODE,
        read_fanout: ReadFanout::Quorum,
        options: Options::default(),
        load: load(history, phases, notes),
        phases,
    }
}

/// When the first phase of this name began.
pub(super) fn began(history: &History, phase: Phase) -> Option<Nanos> {
    let mut phases = history.phases.iter();
    let found = phases.find(|(_, name)| name == phase.name());
    found.map(|&(time, _)| time)
}

/// `from` to `to` in ms, as a plan would say it.
pub(super) fn round_ms(from: Nanos, to: Nanos) -> u64 {
    let step_ns = ROUND_MS * 1_000_000;
    (to.since(from).0 + step_ns / 2) / step_ns * ROUND_MS
}

fn phases(history: &History, notes: &mut Notes) -> Phases {
    let (warm, storm) = (began(history, Phase::Warm), began(history, Phase::Storm));
    let heal = began(history, Phase::Heal).unwrap_or(history.end);
    let phases = match (warm, storm) {
        (Some(warm), Some(storm)) => Phases {
            warm_ms: round_ms(warm, storm),
            storm_ms: round_ms(storm, heal).max(ROUND_MS),
            quiet_ms_max: QUIET_MS_MAX,
            quiet_ms_min: 0,
        },
        // It never came to a storm, or nobody noted phases: everything that happened is the storm.
        (warm, _) => Phases {
            warm_ms: 0,
            storm_ms: round_ms(warm.unwrap_or_default(), heal).max(ROUND_MS),
            quiet_ms_max: QUIET_MS_MAX,
            quiet_ms_min: 0,
        },
    };
    notes.inferred.push(format!(
        "{} ms without faults, then {} ms with faults, from the phases",
        phases.warm_ms, phases.storm_ms
    ));
    phases
}

fn load(history: &History, phases: Phases, notes: &mut Notes) -> Load {
    let header = &history.header;
    let count = |f: Function| {
        let of_kind = history.operations.iter().filter(|op| op.f == f);
        of_kind.count() as u64
    };
    let [reads, writes, deletes] = [Function::Read, Function::Write, Function::Delete].map(count);
    let all = reads + writes + deletes;
    let percent = |part: u64| (part * 100 + all / 2).checked_div(all).unwrap_or(0);
    let rate = rate(history, phases);
    let (read_percent, delete_percent) = (percent(reads), percent(deletes));
    notes.inferred.push(format!(
        "about {rate} operations per second, {read_percent} % reads, {delete_percent} % deletes, from {all} operations"
    ));
    let keys = if header.workload == Kind::Register.name() {
        let keys = (history.keys.len() as u64).max(1);
        notes.inferred.push(format!("{keys} keys"));
        keys
    } else {
        KEYS
    };
    let op_timeout_ms = header.request_timeout_ms.max(OP_TIMEOUT_MS);
    notes
        .guessed
        .push(format!("clients wait {op_timeout_ms} ms for an operation"));
    Load {
        workload: header.workload.clone(),
        clients: header.concurrency,
        rate,
        keys,
        read_percent,
        delete_percent: delete_percent.min(100 - read_percent.min(100)),
        op_timeout_ms,
        blind: false,
        read_level: None,
        write_level: None,
        script: Vec::new(),
    }
}

/// Operations per second, to two digits: arrivals are random. Faults delay clients, so the time before them tells more.
fn rate(history: &History, phases: Phases) -> u64 {
    let calls = || {
        let operations = history.operations.iter();
        operations
            .filter(|op| op.f != Function::Census)
            .map(|op| op.call)
    };
    let storm = began(history, Phase::Storm).unwrap_or_default();
    let before = calls().filter(|&call| call < storm).count() as u64;
    let (count, lasts_ms) = if before >= CALM_OPS_MIN {
        (before, phases.warm_ms)
    } else {
        (calls().count() as u64, phases.warm_ms + phases.storm_ms)
    };
    two_digits(count.saturating_mul(1_000) / lasts_ms.max(1)).max(1)
}

/// The number with all but its first two digits zero, rounded.
fn two_digits(number: u64) -> u64 {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    (number + unit / 2) / unit * unit
}

#[cfg(test)]
mod tests {
    use quorate_checkers::history::Nanos;

    use super::{round_ms, two_digits};

    #[test]
    fn what_is_measured_is_rounded_to_what_may_have_been_planned() {
        assert_eq!(
            [0, 7, 99, 487, 12_345].map(two_digits),
            [0, 7, 99, 490, 12_000]
        );
        assert_eq!(round_ms(Nanos(1_000_000_000), Nanos(3_001_200_000)), 2_000);
        assert_eq!(round_ms(Nanos(5), Nanos(3)), 0);
    }
}
