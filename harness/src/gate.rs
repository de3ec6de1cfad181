//! A gate: a list of plans with what must come of each. Promises must hold, and canaries must sing.
//!
//! A canary is a run that must come out broken. One that stays silent fails the gate, because then a green could never have been
//! red. The gate runs and counts; what a verdict is, others know.

use std::path::{Path, PathBuf};

use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::verdict::{Outcome, Ruling, Verdict};
use serde::Deserialize;

use crate::exit::Exit;
use crate::plan::{Plan, PlanError, PlanSpec, toml_error, unknown};
use crate::report::progress::Progress;
use crate::results::{ResultsError, at};
use crate::run::{RunError, RunOptions, run};

/// Seed of the cases that name none: a gate is the same list of plans every time.
const SEED: u64 = 1;
/// Most runs of one case.
const RUNS_MAX: u32 = 1_000;

/// What must come of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Every run keeps every promise.
    Kept,
    /// Some run breaks this guarantee: a canary.
    Broken(Guarantee),
}

/// One case of a gate.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What must come of it.
    pub expect: Expect,
    /// The plans to run, one seed each. A canary needs to sing in one of them.
    pub plans: Vec<Plan>,
}

/// How a case went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    /// All promises kept.
    Kept,
    /// The canary sang.
    Sang,
    /// A promise was broken where none may be.
    Broken,
    /// Too little evidence.
    Undecided,
    /// The canary stayed silent.
    Silent,
    /// Our own failure.
    Failed,
    /// The user ended it.
    Interrupted,
}

impl Went {
    /// What it means for the exit code.
    pub fn exit(self) -> Exit {
        match self {
            Went::Kept | Went::Sang => Exit::Kept,
            Went::Broken => Exit::Broken,
            Went::Undecided => Exit::Undecided,
            Went::Silent => Exit::SilentCanary,
            Went::Failed => Exit::HarnessFailure,
            Went::Interrupted => Exit::Interrupted,
        }
    }
}

/// The result of a case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// How it went.
    pub went: Went,
    /// Runs that were carried out.
    pub runs: usize,
    /// What was seen, in a few words.
    pub told: String,
    /// The run to look at.
    pub directory: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct GateFile {
    #[serde(default, rename = "case")]
    cases: Vec<CaseSpec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CaseSpec {
    name: String,
    expect: String,
    #[serde(default = "one")]
    runs: u32,
    file: Option<PathBuf>,
    #[serde(default)]
    plan: PlanSpec,
}

fn one() -> u32 {
    1
}

/// Reads a gate file. A case's `file` is relative to it.
pub fn load(path: &Path) -> Result<Vec<Case>, RunError> {
    let text = read(path)?;
    let origin = path.display().to_string();
    let gate: GateFile = toml::from_str(&text).map_err(|error| toml_error(&error, &origin))?;
    gate.cases
        .into_iter()
        .map(|spec| case(spec, path))
        .collect()
}

fn read(path: &Path) -> Result<String, ResultsError> {
    std::fs::read_to_string(path).map_err(at("read", path))
}

fn case(spec: CaseSpec, gate: &Path) -> Result<Case, RunError> {
    let in_case = |error: PlanError| {
        RunError::Plan(PlanError::Case {
            origin: gate.display().to_string(),
            case: spec.name.clone(),
            why: error.to_string(),
        })
    };
    let base = match &spec.file {
        None => PlanSpec::default(),
        Some(file) => {
            let path = gate.parent().unwrap_or(Path::new(".")).join(file);
            PlanSpec::from_toml(&read(&path)?, &path.display().to_string())?
        }
    };
    if spec.runs == 0 || spec.runs > RUNS_MAX {
        let why = "a case runs 1 to 1,000 times".to_owned();
        return Err(in_case(PlanError::Range {
            field: "runs",
            value: spec.runs.to_string(),
            why,
        }));
    }
    let expect = expectation(&spec.expect).map_err(in_case)?;
    let whole = spec.plan.clone().over(base);
    let first = whole.seed.unwrap_or(SEED);
    let plans = (0..u64::from(spec.runs))
        .map(|turn| {
            PlanSpec {
                seed: Some(first + turn),
                ..whole.clone()
            }
            .plan(SEED)
        })
        .collect::<Result<_, _>>()
        .map_err(in_case)?;
    Ok(Case {
        name: spec.name,
        expect,
        plans,
    })
}

fn expectation(text: &str) -> Result<Expect, PlanError> {
    if text == "kept" {
        return Ok(Expect::Kept);
    }
    let Some(name) = text.strip_prefix("broken:") else {
        return Err(PlanError::Malformed {
            field: "expect",
            text: text.to_owned(),
            expected: "`kept` or `broken:<guarantee>`, such as `broken:fresh-reads`",
        });
    };
    Guarantee::from_name(name)
        .map(Expect::Broken)
        .ok_or_else(|| unknown("guarantee", name, Guarantee::ALL.map(Guarantee::name)))
}

/// Runs a case until it is decided: a canary's first song, a promise's first breach, or the last plan.
pub fn run_case(case: &Case, options: &RunOptions, progress: &mut Progress) -> CaseResult {
    let mut result = CaseResult {
        went: first_word(case.expect),
        runs: 0,
        told: String::new(),
        directory: None,
    };
    for plan in &case.plans {
        result.runs += 1;
        let ran = match run(plan, options, progress) {
            Ok(ran) => ran,
            Err(error) => {
                result.went = if matches!(error, RunError::Killed) {
                    Went::Interrupted
                } else {
                    Went::Failed
                };
                result.told = error.to_string();
                return result;
            }
        };
        let directory = Some(ran.directory.display());
        if let Some(failure) = &ran.failure {
            return CaseResult {
                went: Went::Failed,
                told: failure.clone(),
                directory,
                ..result
            };
        }
        if ran.interrupted {
            return CaseResult {
                went: Went::Interrupted,
                directory,
                ..result
            };
        }
        let (went, told) = judge(case.expect, &ran.verdict);
        result = CaseResult {
            went,
            told,
            directory,
            ..result
        };
        if matches!(went, Went::Sang | Went::Broken) {
            return result;
        }
    }
    result
}

/// What a case is before anything was seen.
fn first_word(expect: Expect) -> Went {
    match expect {
        Expect::Kept => Went::Undecided,
        Expect::Broken(_) => Went::Silent,
    }
}

fn judge(expect: Expect, verdict: &Verdict) -> (Went, String) {
    match expect {
        Expect::Kept => match verdict.outcome {
            Outcome::Kept => (Went::Kept, String::new()),
            Outcome::Broken => (Went::Broken, titles(verdict, Ruling::Broken)),
            Outcome::Undecided => (Went::Undecided, titles(verdict, Ruling::Undecided)),
        },
        Expect::Broken(guarantee) => {
            let row = verdict.row(guarantee);
            match row.filter(|row| row.ruling == Ruling::Broken) {
                Some(row) => (
                    Went::Sang,
                    format!("{} {}", row.finding.seen, guarantee.anomaly_name()),
                ),
                None => (Went::Silent, format!("no {}", guarantee.anomaly_name())),
            }
        }
    }
}

fn titles(verdict: &Verdict, ruling: Ruling) -> String {
    let rows = verdict
        .rows
        .iter()
        .filter(|row| row.ruling == ruling && row.promise.promised);
    rows.map(|row| row.promise.guarantee.title())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use quorate_checkers::guarantee::Guarantee;

    use super::{Expect, load};

    fn loaded(text: &str) -> Result<Vec<super::Case>, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("gate.toml");
        std::fs::write(&path, text).expect("a file");
        load(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn cases_become_plans_with_a_seed_each() {
        let cases = loaded(
            "[[case]]\nname = \"a\"\nexpect = \"kept\"\nruns = 3\nplan.for = \"2s\"\nplan.seed = 7\n\
             [[case]]\nname = \"b\"\nexpect = \"broken:fresh-reads\"\nplan = { r = 1, w = 1, claim = \"3/2/2\" }\n",
        )
        .expect("a gate");
        let seeds: Vec<u64> = cases[0].plans.iter().map(|plan| plan.seed).collect();
        assert_eq!(seeds, [7, 8, 9]);
        assert_eq!(cases[1].expect, Expect::Broken(Guarantee::FreshReads));
        assert!(cases[1].plans[0].claim.is_some());
    }

    #[test]
    fn what_is_wrong_is_said_with_the_file_and_the_case() {
        let refused = |text: &str| loaded(text).expect_err("refused");
        assert!(
            refused("[[case]]\nname = \"a\"\nexpect = \"kept\"\nplam = 1\n")
                .contains("did you mean `plan`?")
        );
        let error = refused("[[case]]\nname = \"a\"\nexpect = \"broken:fresh-read\"\n");
        assert!(
            error.contains("gate.toml")
                && error.contains("case `a`")
                && error.contains("fresh-reads"),
            "{error}"
        );
        assert!(
            refused("[[case]]\nname = \"a\"\nexpect = \"green\"\n").contains("broken:<guarantee>")
        );
        assert!(
            refused("[[case]]\nname = \"a\"\nexpect = \"kept\"\nplan.r = 9\n").contains("R = 9")
        );
    }
}
