//! What outlives, as tables: each row a store and a run, what is promised of it, and a word of the reason.

use crate::contract::run::Run;
use crate::contract::{Contract, Levels};
use crate::exposure::{Clocks, Exposure};
use crate::guarantee::Guarantee;
use crate::history::{
    FaultKind, Header, HintHolder, Hints, History, Level, LevelName, Nanos, Purge, Settings,
};
use crate::testing::{draw_with, header};

/// Nanoseconds in a millisecond.
const MS: u64 = 1_000_000;

const HINTS: Hints = Hints {
    holder: HintHolder::Coordinator,
    durable: true,
    window_ms: None,
    bytes_max: 1_000,
};

/// A run of seven seconds: a write, faults (columns are 100 ms), then a second in peace.
fn run(settings: Settings, faults: &str) -> History {
    let header = Header {
        settings,
        ..header(3, 2, 2)
    };
    let drawing = format!(
        "{faults}
        c1: |w k 1|
        n1:                      |c k 1|"
    );
    let mut history = draw_with(header, &drawing);
    history.phases = vec![
        (Nanos(6_000 * MS), "quiet".to_owned()),
        (Nanos(7_000 * MS), "census".to_owned()),
    ];
    history.end = Nanos(7_000 * MS);
    history
}

/// Whether the guarantee is promised after this run; the reason if not.
fn refusal(history: &History, guarantee: Guarantee) -> Option<String> {
    let exposure = Exposure::of_history(history);
    let contract = Contract::of_history(history, &exposure);
    let promise = contract.promise(guarantee).expect("in the contract");
    (!promise.promised).then(|| promise.reason.clone())
}

#[track_caller]
fn is(history: &History, guarantee: Guarantee, expected: Option<&str>) {
    match (refusal(history, guarantee), expected) {
        (None, None) => {}
        (Some(found), Some(word)) => assert!(found.contains(word), "{found}"),
        (found, expected) => panic!("{guarantee}: {found:?}, not {expected:?}"),
    }
}

const CUT: &str = "fault partition n1: |---|";
const KILL: &str = "fault kill n1: |---|";

fn hinted(hints: Hints) -> Settings {
    Settings {
        hints: Some(hints),
        ..Settings::default()
    }
}

#[test]
fn replicas_converge_where_somebody_sends_again_what_was_lost() {
    let compared = |anti_entropy_ms| Settings {
        anti_entropy_ms: Some(anti_entropy_ms),
        ..Settings::default()
    };
    let fallback = Settings {
        stand_ins: 2,
        ..hinted(Hints {
            holder: HintHolder::Fallback,
            ..HINTS
        })
    };
    let window = |window_ms| {
        hinted(Hints {
            window_ms: Some(window_ms),
            ..HINTS
        })
    };
    let few = hinted(Hints {
        bytes_max: 1,
        ..HINTS
    });
    let held = "fault partition n1: |------------------------------------------------------|";
    for (settings, faults, expected) in [
        (Settings::default(), "", None),
        (Settings::default(), "fault slow n1: |---|", None),
        (
            Settings::default(),
            CUT,
            Some("no hints and no anti-entropy"),
        ),
        (compared(100), CUT, None),
        (compared(100), KILL, None),
        // A round takes three intervals and a time-out of 500 ms.
        (compared(166), CUT, None),
        (compared(167), CUT, Some("less than a round of 1001 ms")),
        (compared(100), held, Some("not left in peace")),
        (
            compared(100),
            "fault lossy: |---",
            Some("not left in peace"),
        ),
        (hinted(HINTS), CUT, None),
        (hinted(HINTS), "fault pause n1: |---|", None),
        (hinted(HINTS), "fault lossy: |---", Some("handed over")),
        (hinted(HINTS), KILL, Some("a coordinator that dies")),
        (hinted(HINTS), held, Some("handed over")),
        (few, CUT, Some("more than the 1 bytes")),
        (window(1_000), CUT, Some("expire after 1000 ms")),
        (window(10_000), CUT, None),
        (fallback, CUT, Some("who stands in")),
        (dotted(hinted(HINTS)), CUT, None),
    ] {
        is(&run(settings, faults), Guarantee::Convergence, expected);
    }
}

fn dotted(settings: Settings) -> Settings {
    Settings {
        dotted: true,
        ..settings
    }
}

#[test]
fn a_write_that_only_got_its_dot_does_not_converge() {
    for (settings, faults, expected) in [
        (dotted(Settings::default()), "", Some("gave it its dot")),
        (dotted(hinted(HINTS)), CUT, Some("gave it its dot")),
        (hinted(HINTS), CUT, None),
        (
            Settings {
                anti_entropy_ms: Some(100),
                ..dotted(Settings::default())
            },
            CUT,
            None,
        ),
    ] {
        let mut history = run(settings, faults);
        history.operations[0].status = crate::history::Status::Info;
        is(&history, Guarantee::Convergence, expected);
    }
}

#[test]
fn what_was_not_handed_over_does_not_converge() {
    let mut history = run(hinted(HINTS), CUT);
    is(&history, Guarantee::Convergence, None);
    let mut note = history.nemesis.first().expect("a fault").clone();
    note.f = "note".into();
    note.time = Nanos(500 * MS);
    history.nemesis.push(note);
    is(&history, Guarantee::Convergence, None);
    history.nemesis.last_mut().expect("the note").time = Nanos(6_500 * MS);
    is(&history, Guarantee::Convergence, Some("handed over"));
    // Nor is anything known of a run that did not come so far.
    let mut history = run(hinted(HINTS), CUT);
    history.phases.pop();
    is(&history, Guarantee::Convergence, Some("handed over"));
}

#[test]
fn what_was_deleted_stays_deleted_until_tombstones_are_forgotten_too_early() {
    let purged = |purge, anti_entropy_ms, hints| Settings {
        hints,
        anti_entropy_ms,
        purge,
        ..Settings::default()
    };
    let after = Purge::AfterMs;
    let short = Hints {
        window_ms: Some(1_500),
        ..HINTS
    };
    for (settings, faults, expected) in [
        (purged(Purge::WhenAllHave, None, None), CUT, None),
        (purged(after(1_000), None, None), "", None),
        (
            purged(after(1_000), None, None),
            "fault clock n1 0: |--|",
            None,
        ),
        (
            purged(after(1_000), None, None),
            CUT,
            Some("there is no anti-entropy"),
        ),
        (
            purged(after(1_000), None, None),
            "fault slow n1: |---|",
            Some("lost or delayed"),
        ),
        // The run is over before anything is forgotten.
        (purged(after(10_000), None, None), CUT, None),
        // 400 ms of fault, a round of 3 * 10 + 500 ms, and a time-out.
        (purged(after(1_431), Some(10), None), CUT, None),
        (
            purged(after(1_430), Some(10), None),
            CUT,
            Some("up to 1430 ms"),
        ),
        (purged(after(1_500), Some(10), Some(short)), CUT, None),
        (
            purged(after(1_500), Some(10), Some(HINTS)),
            CUT,
            Some("hints of older values"),
        ),
        (
            purged(after(1_500), Some(10), None),
            "fault partition n1: |---",
            Some("missed the delete"),
        ),
        // Two faults with less than a round between them are one.
        (
            purged(after(1_600), Some(10), None),
            "fault partition n1: |-|\nfault partition n2:    |-|",
            None,
        ),
        (
            purged(after(1_600), Some(10), None),
            "fault partition n1: |-|\nfault partition n2:      |-|",
            Some("faults lasted up to"),
        ),
    ] {
        is(&run(settings, faults), Guarantee::NoResurrection, expected);
    }
}

/// What can happen to an acknowledged write: `acks` acknowledgements, of which some may be hints of those who stand in.
struct Fate {
    acks: u32,
    stand_ins: u32,
    forgetful: u32,
    /// How many holders of hints lost theirs; none = all hints are gone, or not known to have been handed over.
    hints_lost: Option<u32>,
}

impl Fate {
    /// Whether it may be lost, by trying every share of hints, and every one who forgets.
    fn may_be_lost(&self) -> bool {
        let hints = 0..=self.stand_ins.min(self.acks);
        let mut fates =
            hints.flat_map(|hints| (0..=self.forgetful).map(move |forgot| (hints, forgot)));
        fates.any(|(hints, forgot)| {
            let lost_hints = self.hints_lost.map_or(hints, |lost| lost.min(hints));
            let kept_hints = hints - lost_hints;
            let replicas = self.acks - hints;
            // Who forgets is whoever it hurts most.
            kept_hints + replicas <= forgot
        })
    }
}

#[test]
fn writes_survive_as_every_share_of_hints_does() {
    let mut promised = [0, 0];
    for (acks, stand_ins) in (1..=3).flat_map(|acks| (0..=3).map(move |k| (acks, k))) {
        for forgetful in 0..=3 {
            for (durable, died, handed_over) in [
                (true, 0, true),
                (true, 2, true),
                (false, 0, true),
                (false, 1, true),
                (false, 2, true),
                (true, 0, false),
            ] {
                let faults = ["", KILL, "fault kill n1 n2: |---|"][died];
                let mut history = run(
                    Settings {
                        stand_ins,
                        ..hinted(Hints {
                            holder: HintHolder::Fallback,
                            durable,
                            ..HINTS
                        })
                    },
                    faults,
                );
                history.header.quorum.w = acks;
                if !handed_over {
                    history.phases.clear();
                }
                let exposure = Exposure {
                    forgotten: forgetful,
                    clocks: Clocks::Synchronised,
                    lossless: false,
                };
                let contract = Contract::of_history(&history, &exposure);
                let promise = contract.promise(Guarantee::NoLostWrites);
                let promise = promise.expect("in the contract");
                let fate = Fate {
                    acks,
                    stand_ins,
                    forgetful,
                    hints_lost: match (handed_over, durable) {
                        (false, _) => None,
                        (true, true) => Some(0),
                        (true, false) => Some(u32::try_from(died).expect("few")),
                    },
                };
                let reason = &promise.reason;
                assert_eq!(promise.promised, !fate.may_be_lost(), "{reason}");
                promised[usize::from(promise.promised)] += 1;
            }
        }
    }
    assert!(promised[0] > 50 && promised[1] > 50, "{promised:?}");
}

#[test]
fn a_write_that_is_only_a_hint_is_as_safe_as_the_hint() {
    let any = |hints: Hints, faults: &str| {
        let mut history = run(hinted(hints), faults);
        history.operations[0].set_level(Some(Level::Named(LevelName::Any)));
        history
    };
    let in_memory = Hints {
        durable: false,
        ..HINTS
    };
    let short = Hints {
        window_ms: Some(1_000),
        ..HINTS
    };
    is(&any(HINTS, KILL), Guarantee::NoLostWrites, None);
    is(&any(in_memory, CUT), Guarantee::NoLostWrites, None);
    is(
        &any(in_memory, KILL),
        Guarantee::NoLostWrites,
        Some("in the memory of their holders"),
    );
    is(
        &any(short, CUT),
        Guarantee::NoLostWrites,
        Some("expire after 1000 ms"),
    );
    is(
        &any(HINTS, CUT),
        Guarantee::FreshReads,
        Some("a hint is enough"),
    );
}

#[test]
fn nothing_is_known_of_a_run_that_is_still_going_on() {
    let history = run(hinted(HINTS), CUT);
    let exposure = Exposure::of_history(&history);
    let contract = Contract::with_levels(&history.header, &exposure, Levels::default());
    let promise = contract.promise(Guarantee::Convergence).expect("there");
    assert!(!promise.promised, "{}", promise.reason);
}

#[test]
fn reasons_of_levels_have_the_numbers_in() {
    let mut history = run(
        Settings {
            stand_ins: 2,
            pw: 1,
            ..hinted(HINTS)
        },
        "",
    );
    let reason = |history: &History, guarantee| {
        let exposure = Exposure::of_history(history);
        let contract = Contract::of_history(history, &exposure);
        let promise = contract.promise(guarantee).expect("in the contract");
        promise.reason.clone()
    };
    assert_eq!(
        reason(&history, Guarantee::FreshReads),
        "W = 2, PW = 1 (1 of them may stand in) and R = 2 (2 of them may stand in): 1 + 0 = 1 <= N + f = 3: a read may miss every \
         replica that remembers"
    );
    assert_eq!(
        reason(&history, Guarantee::Availability),
        "within reach of its coordinator a write needs 2 of 3 (1 of them the key's own) and a read 2 of 3 nodes, replicas or not"
    );
    history.header.claim = Some(history.header.quorum);
    assert!(reason(&history, Guarantee::FreshReads).contains("W + R = 4 > N + f = 3"));
}

/// Who leaves for good takes along the hints in its memory, as who dies does; one that dies and also is replaced is one.
#[test]
fn who_is_gone_for_good_is_counted_with_the_dead() {
    let died = |kind: FaultKind, gone: &[&str]| {
        let mut history = run(hinted(HINTS), KILL);
        history.faults[0].kind = kind;
        history.faults[0].gone = gone.iter().map(|name| (*name).to_owned()).collect();
        Run::of(&history).died
    };
    assert_eq!(died(FaultKind::Ring, &[]), 0);
    assert_eq!(died(FaultKind::Ring, &["n3"]), 1);
    assert_eq!(died(FaultKind::Kill, &["n3"]), 2);
    assert_eq!(died(FaultKind::Kill, &["n1"]), 1);
}
