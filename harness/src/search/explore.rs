//! Seeds on threads, and their results in order again.
//!
//! Threads take seeds as they come; the results are looked at strictly by seed. So the lowest seed that shows what is sought is the
//! answer, and what was counted on the way is the same, whatever the number of threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::tally::{Tally, Tried};
use super::{Explored, Found, Hunt, SearchError};
use crate::plan::{Plan, PlanError};
use crate::target::Target;
use crate::trial::{TrialError, trial, trial_for};

/// How often the caller is asked whether to go on.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What came of a seed; none = its load gives no evidence of what is sought.
type Attempt = Result<Option<Tried>, TrialError>;

/// Tries seeds until one shows what is sought, all are tried, or `goes_on` says no. It is asked now and then, and shown how far it is.
///
/// # Errors
/// When the plan of a seed is not possible or cannot be simulated.
pub fn explore(
    plan_of: &(impl Fn(u64) -> Result<Plan, PlanError> + Sync),
    hunt: &Hunt,
    mut goes_on: impl FnMut(&Tally) -> bool,
) -> Result<Explored, SearchError> {
    let began = Instant::now();
    let seeds = Seeds::of(hunt);
    let mut tally = Tally::default();
    let ended = thread::scope(|scope| {
        let (results, come) = channel();
        for _ in 0..hunt.threads.max(1) {
            let results = results.clone();
            let (seeds, target) = (&seeds, hunt.target);
            scope.spawn(move || seeds.work(plan_of, target, &results));
        }
        drop(results);
        let ended = in_order(hunt.seeds.start, &come, &mut tally, &mut goes_on);
        seeds.end_at(0);
        ended
    });
    let (found, interrupted) = match ended? {
        Ended::Found(seed) => {
            let plan = plan_of(seed).map_err(|error| SearchError {
                seed,
                source: error.into(),
            })?;
            (Some(Found { seed, plan }), false)
        }
        Ended::AllTried => (None, false),
        Ended::Interrupted => (None, true),
    };
    Ok(Explored {
        found,
        tally,
        interrupted,
        took: began.elapsed(),
    })
}

/// Why a search is over.
enum Ended {
    Found(u64),
    AllTried,
    Interrupted,
}

/// Looks at results in the order of their seeds, from the first.
fn in_order(
    first: u64,
    come: &Receiver<(u64, Attempt)>,
    tally: &mut Tally,
    goes_on: &mut impl FnMut(&Tally) -> bool,
) -> Result<Ended, SearchError> {
    let mut next = first;
    let mut ahead: BTreeMap<u64, Attempt> = BTreeMap::new();
    let mut looked = Instant::now();
    loop {
        match come.recv_timeout(LOOK_EVERY) {
            Ok((seed, attempt)) => drop(ahead.insert(seed, attempt)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(Ended::AllTried),
        }
        while let Some(attempt) = ahead.remove(&next) {
            let tried = attempt.map_err(|source| SearchError { seed: next, source })?;
            tally.add(tried.as_ref());
            if tried.is_some_and(|tried| tried.shows) {
                return Ok(Ended::Found(next));
            }
            next += 1;
        }
        if looked.elapsed() >= LOOK_EVERY {
            looked = Instant::now();
            if !goes_on(tally) {
                return Ok(Ended::Interrupted);
            }
        }
    }
}

/// The seeds that are still to be handed out.
struct Seeds {
    next: AtomicU64,
    /// Those from here on are of no interest.
    end: AtomicU64,
}

impl Seeds {
    fn of(hunt: &Hunt) -> Seeds {
        Seeds {
            next: AtomicU64::new(hunt.seeds.start),
            end: AtomicU64::new(hunt.seeds.end),
        }
    }

    fn take(&self) -> Option<u64> {
        let end = self.end.load(Ordering::Relaxed);
        self.next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seed| {
                (seed < end).then(|| seed + 1)
            })
            .ok()
    }

    fn end_at(&self, seed: u64) {
        self.end.fetch_min(seed, Ordering::Relaxed);
    }

    /// What one thread does.
    fn work(
        &self,
        plan_of: &impl Fn(u64) -> Result<Plan, PlanError>,
        target: Target,
        results: &Sender<(u64, Attempt)>,
    ) {
        let _end = EndsWithPanic(self);
        while let Some(seed) = self.take() {
            let attempt = attempt(plan_of, seed, target);
            // Whatever this seed came to, higher ones change the answer no more.
            if !matches!(&attempt, Ok(tried) if tried.as_ref().is_none_or(|tried| !tried.shows)) {
                self.end_at(seed);
            }
            if results.send((seed, attempt)).is_err() {
                break;
            }
        }
    }
}

/// A panic of one thread is the end of all, so that it is heard.
struct EndsWithPanic<'a>(&'a Seeds);

impl Drop for EndsWithPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end_at(0);
        }
    }
}

fn attempt(
    plan_of: &impl Fn(u64) -> Result<Plan, PlanError>,
    seed: u64,
    target: Target,
) -> Attempt {
    let plan = plan_of(seed)?;
    let trial = match target {
        Target::AnyBreach => trial(&plan)?,
        // Exploring, nothing else is of interest; what is found is judged whole when it is run again.
        Target::Breach(guarantee) | Target::Anomaly(guarantee) => {
            let judges = plan.header()?.judges;
            let is_judged = |names: Vec<String>| names.iter().any(|name| name == guarantee.name());
            if !judges.is_none_or(is_judged) {
                return Ok(None);
            }
            trial_for(&plan, guarantee)?
        }
    };
    Ok(Some(Tried::of(&trial, target)))
}

#[cfg(test)]
mod tests {
    use super::explore;
    use crate::plan::{Plan, PlanError, PlanSpec};
    use crate::search::{Explored, Hunt, plan_of};
    use crate::target::Target;

    fn small(sabotage: &[&str]) -> PlanSpec {
        PlanSpec {
            world: Some("sim".to_owned()),
            lasts: Some("500ms".to_owned()),
            rate: Some(300),
            sabotage: Some(sabotage.iter().map(|&name| name.to_owned()).collect()),
            ..PlanSpec::default()
        }
    }

    fn hunt(end: u64, threads: usize) -> Hunt {
        Hunt {
            seeds: 0..end,
            target: Target::AnyBreach,
            threads,
        }
    }

    fn explored(spec: &PlanSpec, hunt: &Hunt) -> Explored {
        explore(&|seed| plan_of(spec, seed), hunt, |_| true).expect("seeds that can be tried")
    }

    #[test]
    fn the_answer_does_not_depend_on_the_number_of_threads() {
        let spec = small(&["refuse-after-sending"]);
        let alone = explored(&spec, &hunt(400, 1));
        let seed = alone.found.as_ref().map(|found| found.seed);
        assert!(
            seed.is_some_and(|seed| seed > 0),
            "{seed:?} is no test of an order"
        );
        assert_eq!(alone.tally.seeds(), seed.map_or(0, |seed| seed + 1));
        for threads in [2, 5] {
            let together = explored(&spec, &hunt(400, threads));
            assert_eq!(together.found.map(|found| found.seed), seed);
            assert_eq!(together.tally, alone.tally);
        }
    }

    #[test]
    fn all_seeds_are_tried_if_none_shows_it() {
        let explored = explored(&small(&[]), &hunt(5, 2));
        assert!(explored.found.is_none() && !explored.interrupted);
        assert_eq!(explored.tally.tried, 5);
        assert!(explored.tally.operations > 0 && explored.tally.virtual_ns > 0);
    }

    #[test]
    fn whoever_attends_may_end_it() {
        let spec = small(&[]);
        let ended = explore(&|seed| plan_of(&spec, seed), &hunt(u64::MAX, 2), |_| false)
            .expect("seeds that can be tried");
        assert!(ended.interrupted && ended.found.is_none());
    }

    #[test]
    fn a_seed_without_a_plan_ends_it_by_its_number() {
        let spec = small(&[]);
        let fails = |seed: u64| -> Result<Plan, PlanError> {
            let spec = PlanSpec {
                r: (seed >= 3).then_some(9),
                ..spec.clone()
            };
            plan_of(&spec, seed)
        };
        let error =
            explore(&fails, &hunt(u64::MAX, 2), |_| true).expect_err("seed 3 is not possible");
        assert_eq!(error.seed, 3);
        assert!(error.to_string().contains("R = 9"), "{error}");
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_of_one_thread_is_heard() {
        let panics = |_: u64| -> Result<Plan, PlanError> { panic!("on purpose") };
        drop(explore(&panics, &hunt(u64::MAX, 2), |_| true));
    }
}
