//! What sessions saw by the versions that answers claim, beside what their values prove.
//!
//! A version is the stamp in the evidence of our own nodes, or a whole number in a field `version` of any log. Whoever answers may
//! claim what he likes, so nothing here changes an answer of the report.

use serde::Serialize;

use super::report::ModelAnomaly;
use super::subject::{KeyOperations, Subject};
use crate::log::{Datum, LogOperation};
use crate::register::ValueId;
use crate::session::exposed::{Older, judge};
use crate::session::{Action, Kind, SessionOp};
use crate::statistics::Rate;
use crate::tale::Tale;

/// What one guarantee of sessions comes to by the versions that answers claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// The guarantee.
    pub part: &'static str,
    /// Pairs of operations of one session whose later one claims an older version, of all pairs that the guarantee speaks of.
    pub older: Rate,
    /// The first of them, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<ModelAnomaly>,
}

/// A version with a total order: larger is newer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version<'a> {
    number: i64,
    node: &'a str,
}

impl<'a> Version<'a> {
    fn of(operation: &LogOperation, subject: &Subject<'a>) -> Option<Version<'a>> {
        let log: &'a crate::log::Log = subject.log;
        let event = log.events.get(operation.completion?)?;
        let claimed = match event.extra("evidence") {
            Some(evidence) => evidence.field("version")?,
            None => event.extra("version")?,
        };
        match claimed {
            Datum::Int(number) => Some(Version {
                number: *number,
                node: "",
            }),
            stamp => match (stamp.field("wall_ns")?, stamp.field("node")?) {
                (&Datum::Int(number), Datum::Text(node)) => Some(Version { number, node }),
                _ => None,
            },
        }
    }
}

/// What the versions of all keys claim, a line per guarantee of which they tell anything.
pub(super) fn judge_claims(
    subject: &Subject<'_>,
    keys: &[KeyOperations],
    parts: [(Kind, &'static str); 4],
) -> Vec<Claim> {
    let mut judged = [0; 4];
    let mut older: [Vec<(&KeyOperations, usize, usize)>; 4] = Default::default();
    for key in keys {
        let versions: Vec<Option<Version<'_>>> = key
            .1
            .iter()
            .map(|&place| Version::of(&subject.operations[place], subject))
            .collect();
        if versions.iter().all(Option::is_none) {
            continue;
        }
        let report = judge(&operations(subject, &key.1, &versions), &versions);
        for (sum, more) in judged.iter_mut().zip(report.judged) {
            *sum += more;
        }
        for Older {
            later,
            kind,
            earlier,
        } in report.violations
        {
            older[kind as usize].push((key, key.1[earlier as usize], key.1[later as usize]));
        }
    }
    let told = parts
        .into_iter()
        .filter(|&(kind, _)| judged[kind as usize] > 0);
    told.map(|(kind, part)| {
        let older = &older[kind as usize];
        let first = older.iter().min_by_key(|(.., later)| later);
        Claim {
            part,
            older: Rate::new(older.len() as u64, judged[kind as usize]),
            first: first.map(|&((key, _), earlier, later)| {
                subject.anomaly(
                    &format!("not {part} by claim"),
                    key.as_ref(),
                    tale(subject, earlier, later),
                )
            }),
        }
    })
    .collect()
}

fn tale(subject: &Subject<'_>, earlier: usize, later: usize) -> Tale {
    let version = |place: usize| match Version::of(&subject.operations[place], subject) {
        Some(Version { number, node: "" }) => format!("version {number}"),
        Some(Version { number, node }) => format!("version {number} of {node}"),
        None => "no version".to_owned(),
    };
    Tale {
        lets: vec![earlier, later],
        then: vec![format!(
            "One client did A, whose answer claims {}, and then B.",
            version(earlier)
        )],
        however: format!(
            "However, the answer to B claims {}, which is not as new as it must be. That is a claim, not a proof.",
            version(later)
        ),
    }
}

/// The operations of a key, one for each place. Their values matter only where nothing was read and no version says which nothing.
fn operations(
    subject: &Subject<'_>,
    places: &[usize],
    versions: &[Option<Version<'_>>],
) -> Vec<SessionOp> {
    let unwritten = subject.nil_is_initial(places);
    let all = places.iter().zip(versions).map(|(&place, version)| {
        let operation = &subject.operations[place];
        let is_read = &*operation.f == "read";
        let is_nil = is_read && subject.result(operation).is_nil() && version.is_none();
        let action = match (is_read, is_nil && unwritten) {
            (true, true) => Action::Read(ValueId::INITIAL),
            (true, false) => Action::Read(ValueId(1)),
            (false, _) => Action::Write(ValueId(1)),
        };
        SessionOp {
            process: subject.session(place),
            key: 0,
            action,
            call: subject.call(operation),
            ret: subject.ret(operation),
            status: operation.status,
            place: u32::try_from(place).unwrap_or(u32::MAX),
        }
    });
    all.collect()
}
