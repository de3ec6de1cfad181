//! Laws that hold for every history of a set: what may be changed in it without changing what is found.

use super::cases;
use super::random::{Draft, Rng, Shape, drafts, history};
use crate::history::Status;
use crate::set::{
    Element, FullOptions, GrowOnly, LastRead, SetFull, SetHistory, SetOp, Violation, full,
    grow_only, last_read, read_modify_write,
};

const SHAPE: Shape = Shape {
    operations: 12,
    elements: 4,
    times: 14,
    again: false,
};

fn random(seed: u64) -> Vec<Draft> {
    let again = seed.is_multiple_of(4);
    drafts(&mut Rng::new(seed), Shape { again, ..SHAPE })
}

type Findings = (GrowOnly, SetFull, LastRead);

fn findings(history: &SetHistory) -> Findings {
    let options = FullOptions { linearizable: true };
    let mut found = (
        grow_only(history),
        full(history, options),
        last_read(history),
    );
    assert_eq!(read_modify_write(history).violations, found.2.violations);
    // Which of several orders proves a history is no finding.
    found.0.order = found
        .0
        .order
        .map(|_| crate::set::certificate::Order::default());
    found
}

/// A violation without its elements: kind, operations, when it showed, amount.
type Outline = (String, Vec<usize>, u64, u64);

/// All that has to do with the kinds of violations, their operations and when they showed.
fn outline(violations: &[Violation], shift: u64) -> Vec<Outline> {
    let outline = violations.iter().map(|violation| {
        let at = violation.at_ns - shift;
        (
            violation.kind.name().to_owned(),
            violation.operations.clone(),
            at,
            violation.amount,
        )
    });
    let mut outline: Vec<_> = outline.collect();
    outline.sort();
    outline
}

fn outlines(findings: &Findings, shift: u64) -> [Vec<Outline>; 3] {
    [
        &findings.0.violations,
        &findings.1.violations,
        &findings.2.violations,
    ]
    .map(|violations| outline(violations, shift))
}

#[test]
fn a_later_start_changes_nothing() {
    for seed in 0..cases(2_000) {
        let before = random(seed);
        for shift in [7, 1 << 40, u64::MAX - 1_000] {
            let mut after = before.clone();
            for draft in &mut after {
                draft.call += shift;
                draft.ret += shift;
            }
            let (before, after) = (findings(&history(&before)), findings(&history(&after)));
            assert_eq!(outlines(&before, 0), outlines(&after, shift), "seed {seed}");
            assert_eq!(
                (before.0.valid, before.1.valid),
                (after.0.valid, after.1.valid)
            );
            assert_eq!(
                before.1.stable_latencies_ns, after.1.stable_latencies_ns,
                "seed {seed}"
            );
            assert_eq!(before.1.worst_stale, after.1.worst_stale, "seed {seed}");
        }
    }
}

#[test]
fn who_asked_and_in_which_order_it_is_told_changes_nothing() {
    for seed in 0..cases(2_000) {
        let drafts = random(seed);
        let mut rng = Rng::new(seed);
        let mut told: Vec<usize> = (0..drafts.len()).collect();
        for at in (1..told.len()).rev() {
            told.swap(
                at,
                usize::try_from(rng.below(at as u64 + 1)).expect("small"),
            );
        }
        let mut builder = SetHistory::builder();
        for at in told {
            let draft = &drafts[at];
            let place = u32::try_from(at).expect("small");
            let process = 900 - draft.process;
            let op = SetOp::new(draft.status, process, place, draft.call, draft.ret);
            match draft.add {
                Some(element) => builder.add(op, element),
                None => builder.read(op, draft.reply.iter().rev().copied()),
            }
        }
        let (before, after) = (findings(&history(&drafts)), findings(&builder.finish()));
        assert_eq!(before, after, "seed {seed}: {drafts:#?}");
    }
}

fn renamed(element: &Element) -> Element {
    match element {
        Element::Int(element) => Element::Text(format!("e{}", 7 - element)),
        Element::Text(text) => panic!("{text}"),
    }
}

#[test]
fn what_the_elements_are_called_changes_nothing() {
    let name = |element: i64| Element::Text(format!("e{}", 7 - element));
    for seed in 0..cases(2_000) {
        let drafts = random(seed);
        let mut builder = SetHistory::builder();
        for (place, draft) in (0..).zip(&drafts) {
            let op = SetOp::new(draft.status, draft.process, place, draft.call, draft.ret);
            match draft.add {
                Some(element) => builder.add(op, &name(element)),
                None => builder.read(
                    op,
                    &draft.reply.iter().copied().map(name).collect::<Vec<_>>(),
                ),
            }
        }
        let (before, after) = (findings(&history(&drafts)), findings(&builder.finish()));
        assert_eq!(
            outlines(&before, 0),
            outlines(&after, 0),
            "seed {seed}: {drafts:#?}"
        );
        let mut lost: Vec<Element> = before.1.lost.iter().map(renamed).collect();
        lost.sort();
        assert_eq!(lost, after.1.lost, "seed {seed}");
    }
}

/// Nothing is ever found because something is not known: without a read, or with an add that may not have happened.
#[test]
fn without_some_reads_a_sound_history_stays_sound() {
    let mut sound = 0_u64;
    for seed in 0..cases(5_000) {
        let drafts = random(seed);
        if !grow_only(&history(&drafts)).violations.is_empty() {
            continue;
        }
        sound += 1;
        for left_out in 0..drafts.len() {
            let mut fewer = drafts.clone();
            if fewer[left_out].add.is_none() {
                fewer.remove(left_out);
            } else if fewer[left_out].status == Status::Ok {
                fewer[left_out].status = Status::Info;
            }
            let found = grow_only(&history(&fewer)).violations;
            assert_eq!(found, [], "seed {seed} without {left_out}: {drafts:#?}");
        }
    }
    assert!(sound > 1_000, "{sound}");
}

#[test]
fn nothing_at_all_is_unknown() {
    let (grow_only, full, last) = findings(&SetHistory::default());
    let unknown = crate::set::Validity::Unknown;
    assert_eq!([grow_only.valid, full.valid, last.valid], [unknown; 3]);
}
