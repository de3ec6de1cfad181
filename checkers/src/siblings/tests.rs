//! The judge of siblings against its definition: who replaced whom, by the closure of all contexts.

use super::{Action, Kind, SiblingOp, judge, tell};
use crate::history::Status;

/// Random histories when nobody asks for another number.
const CASES: u64 = 20_000;

fn cases() -> u64 {
    option_env!("QUORATE_CASES").map_or(CASES, |cases| cases.parse().expect("a number"))
}

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    /// Some of the values below, now and then one more.
    fn some(&mut self, values: u32) -> Vec<u32> {
        let end = values + u32::from(self.below(30) == 0);
        (0..end).filter(|_| self.below(3) == 0).collect()
    }
}

fn random(dice: &mut Dice) -> Vec<SiblingOp> {
    let mut values = 0;
    let mut clocks = [0_u64; 3];
    let mut ops = Vec::new();
    let mut time = 0;
    for place in 0..=u32::try_from(dice.below(9)).expect("small") {
        let process = u32::try_from(dice.below(3)).expect("small");
        time += dice.below(2);
        let call = time.max(clocks[process as usize]);
        let end = call + dice.below(4);
        clocks[process as usize] = end;
        let status = match dice.below(10) {
            0 => Status::Fail,
            1 => Status::Info,
            _ => Status::Ok,
        };
        let action = if dice.below(2) == 0 {
            Action::Read(dice.some(values))
        } else {
            let context = (dice.below(2) == 0).then(|| dice.some(values));
            let value = (dice.below(6) > 0).then(|| {
                values += 1;
                values - 1
            });
            Action::Write { value, context }
        };
        let ret = if status == Status::Info {
            u64::MAX
        } else {
            end
        };
        ops.push(SiblingOp {
            process,
            key: 0,
            action,
            call,
            ret,
            status,
            place,
        });
    }
    ops.sort_by_key(|op| op.call);
    ops
}

struct Twin<'a> {
    ops: &'a [SiblingOp],
    /// Which operation replaced which.
    replaced: Vec<Vec<bool>>,
}

impl<'a> Twin<'a> {
    fn of(ops: &'a [SiblingOp]) -> Twin<'a> {
        let mut twin = Twin {
            ops,
            replaced: vec![vec![false; ops.len()]; ops.len()],
        };
        for at in 0..ops.len() {
            for other in twin
                .context(at)
                .into_iter()
                .filter_map(|value| twin.writer(value))
                .collect::<Vec<_>>()
            {
                twin.replaced[at][other] |= at != other;
            }
        }
        for via in 0..ops.len() {
            for a in 0..ops.len() {
                for b in 0..ops.len() {
                    twin.replaced[a][b] |= twin.replaced[a][via] && twin.replaced[via][b];
                }
            }
        }
        twin
    }

    fn writer(&self, value: u32) -> Option<usize> {
        let wrote = |op: &SiblingOp| matches!(op.action, Action::Write { value: Some(v), .. } if v == value);
        self.ops
            .iter()
            .position(|op| op.status != Status::Fail && wrote(op))
    }

    fn context(&self, at: usize) -> Vec<u32> {
        let Action::Write { context, .. } = &self.ops[at].action else {
            return Vec::new();
        };
        let own = self.ops[..at].iter().rev().find_map(|op| match &op.action {
            Action::Read(values)
                if op.process == self.ops[at].process && op.status == Status::Ok =>
            {
                Some(values.clone())
            }
            _ => None,
        });
        context.clone().or(own).unwrap_or_default()
    }

    fn acked_before(&self, read: usize) -> Vec<usize> {
        let acked = |&at: &usize| {
            let op = &self.ops[at];
            matches!(op.action, Action::Write { .. })
                && op.status == Status::Ok
                && op.ret < self.ops[read].call
        };
        (0..self.ops.len()).filter(acked).collect()
    }

    fn is_delete(&self, at: usize) -> bool {
        matches!(self.ops[at].action, Action::Write { value: None, .. })
    }

    /// Whether a read shows a write, or what replaced it.
    fn covers(&self, read: usize, values: &[u32], write: usize) -> bool {
        let shown = values.iter().filter_map(|&value| self.writer(value));
        let deletes = (0..self.ops.len()).filter(|&at| {
            self.is_delete(at)
                && self.ops[at].status != Status::Fail
                && self.ops[at].call <= self.ops[read].ret
        });
        shown
            .chain(deletes)
            .any(|at| at == write || self.replaced[at][write])
    }

    fn violations(&self) -> Vec<(Kind, Option<u32>)> {
        let mut found = Vec::new();
        let reads: Vec<(usize, &Vec<u32>)> = self
            .ops
            .iter()
            .enumerate()
            .filter(|(_, op)| op.status == Status::Ok)
            .filter_map(|(at, op)| match &op.action {
                Action::Read(values) => Some((at, values)),
                Action::Write { .. } => None,
            })
            .collect();
        for &(read, values) in &reads {
            let mut see = |kind| found.push((kind, Some(u32::try_from(read).expect("small"))));
            let acked = self.acked_before(read);
            if acked
                .iter()
                .any(|&w| !self.is_delete(w) && !self.covers(read, values, w))
            {
                see(Kind::StaleRead);
            }
            let before = reads
                .iter()
                .filter(|(other, _)| self.ops[*other].ret < self.ops[read].call);
            let mut shown = before
                .flat_map(|(_, values)| values.iter().filter_map(|&value| self.writer(value)));
            if shown.any(|w| !self.covers(read, values, w)) {
                see(Kind::Inversion);
            }
            let back = |w: &usize| {
                values
                    .iter()
                    .filter_map(|&value| self.writer(value))
                    .any(|v| self.replaced[*w][v])
            };
            if acked.iter().any(|w| self.is_delete(*w) && back(w)) {
                see(Kind::ResurrectedDelete);
            } else if acked.iter().any(back) {
                see(Kind::SiblingExplosion);
            }
        }
        let acked = (0..self.ops.len()).filter(|&at| {
            matches!(self.ops[at].action, Action::Write { .. }) && self.ops[at].status == Status::Ok
        });
        let acked: Vec<usize> = acked.collect();
        let last = reads.iter().rev().find(|(read, _)| {
            acked
                .iter()
                .all(|&w| self.ops[w].ret < self.ops[*read].call)
        });
        if let Some((read, values)) = last {
            for &w in acked.iter().filter(|&&w| !self.is_delete(w)) {
                let held = values.iter().any(|&value| self.writer(value) == Some(w));
                let gone = (0..self.ops.len())
                    .any(|u| self.ops[u].status != Status::Fail && self.replaced[u][w]);
                if !held && !gone {
                    found.push((
                        Kind::AcknowledgedValueDropped,
                        Some(u32::try_from(*read).expect("small")),
                    ));
                }
            }
        }
        found.sort_unstable();
        found
    }
}

fn found(ops: &[SiblingOp]) -> Vec<(Kind, Option<u32>)> {
    judge(ops, None)
        .violations
        .iter()
        .map(|v| (v.kind, v.read))
        .collect()
}

#[test]
fn random_histories_are_judged_as_by_the_closure_of_contexts() {
    let mut dice = Dice(11);
    let mut seen = [0_u64; 5];
    for _ in 0..cases() {
        let ops = random(&mut dice);
        assert_eq!(found(&ops), Twin::of(&ops).violations(), "{ops:#?}");
        for violation in judge(&ops, None).violations {
            seen[violation.kind as usize] += 1;
            let tale = tell(&ops, &violation, &|place| format!("v{place}"));
            assert!(
                tale.however.starts_with("However") && tale.lets.len() <= 3,
                "{tale:?}"
            );
        }
    }
    assert!(seen.iter().all(|&seen| seen > 50), "{seen:?}");
}

#[test]
fn judges_with_a_defect_are_found_out() {
    type Mutant = (&'static str, fn(&mut SiblingOp));
    let mutants: [Mutant; 4] = [
        ("takes unknown for acknowledged", |op| {
            if op.status == Status::Info {
                (op.status, op.ret) = (Status::Ok, op.call);
            }
        }),
        ("believes in writes that failed", |op| {
            if op.status == Status::Fail {
                op.status = Status::Ok;
            }
        }),
        ("does not listen to what requests say they read", |op| {
            if let Action::Write { context, .. } = &mut op.action {
                *context = None;
            }
        }),
        (
            "takes operations that touch for one after the other",
            |op| op.ret = op.ret.saturating_sub(1).max(op.call),
        ),
    ];
    for (name, spoil) in mutants {
        let mut dice = Dice(12);
        let killed = (0..2_000).any(|_| {
            let ops = random(&mut dice);
            let mut spoiled = ops.clone();
            spoiled.iter_mut().for_each(spoil);
            found(&ops) != found(&spoiled)
        });
        assert!(killed, "nothing tells a judge that {name}");
    }
}

fn op(process: u32, call: u64, ret: u64, action: Action) -> SiblingOp {
    SiblingOp {
        process,
        key: 0,
        action,
        call,
        ret,
        status: Status::Ok,
        place: 0,
    }
}

fn write(value: u32, context: &[u32]) -> Action {
    Action::Write {
        value: Some(value),
        context: Some(context.to_vec()),
    }
}

#[test]
fn two_blind_writes_must_both_stay() {
    let blind = [op(0, 0, 1, write(1, &[])), op(1, 0, 1, write(2, &[]))];
    let with = |values: &[u32]| {
        let mut ops = blind.to_vec();
        ops.push(op(2, 3, 4, Action::Read(values.to_vec())));
        judge(&ops, None)
            .violations
            .iter()
            .map(|v| v.kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(with(&[1, 2]), []);
    assert_eq!(
        with(&[2]),
        [Kind::AcknowledgedValueDropped, Kind::StaleRead]
    );
}

#[test]
fn the_census_is_the_end_if_there_is_one() {
    let ops = [op(0, 0, 1, write(1, &[])), op(0, 2, 3, write(2, &[1]))];
    assert_eq!(judge(&ops, Some(&[2])).violations, []);
    let dropped = judge(&ops, Some(&[1])).violations;
    assert_eq!(
        (dropped.len(), dropped[0].write, dropped[0].read),
        (1, 1, None)
    );
    assert_eq!(judge(&ops, None).acknowledged, 0);
}

#[test]
fn a_resolved_sibling_that_stays_is_an_explosion() {
    let ops = [
        op(0, 0, 1, write(1, &[])),
        op(0, 2, 3, write(2, &[1])),
        op(1, 5, 6, Action::Read(vec![1, 2])),
    ];
    let report = judge(&ops, None);
    assert_eq!(
        report.violations.iter().map(|v| v.kind).collect::<Vec<_>>(),
        [Kind::SiblingExplosion]
    );
    assert_eq!((report.siblings_max, report.crowded_reads), (2, 1));
}
