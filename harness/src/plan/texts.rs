//! Short texts of people that stand for values: durations, quorums, policies.
//!
//! What a value may be in a plan is another question, which `legality.rs` answers.

use jiff::SignedDuration;
use quorate_checkers::history::Quorum;
use quorate_node::config::SyncPolicy;

use super::PlanError;

/// Reads `each-write` or `every 10ms`.
pub fn parse_sync(text: &str) -> Result<SyncPolicy, PlanError> {
    if text == "each-write" {
        return Ok(SyncPolicy::EachWrite);
    }
    let Some(interval) = text.strip_prefix("every ") else {
        return Err(PlanError::Malformed {
            field: "sync",
            text: text.to_owned(),
            expected: "`each-write` or `every <duration>`, such as `every 10ms`",
        });
    };
    parse_duration_ms("sync", interval).map(SyncPolicy::EveryMs)
}

/// Reads `N/R/W`, such as `3/2/2`.
pub fn parse_claim(text: &str) -> Result<Quorum, PlanError> {
    let malformed = || PlanError::Malformed {
        field: "claim",
        text: text.to_owned(),
        expected: "N/R/W with 1 <= R, W <= N, such as 3/2/2",
    };
    let numbers: Vec<u32> = text
        .split('/')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|_| malformed())?;
    let &[n, r, w] = numbers.as_slice() else {
        return Err(malformed());
    };
    if r == 0 || w == 0 || r > n || w > n {
        return Err(malformed());
    }
    Ok(Quorum { n, r, w })
}

/// Reads a duration such as `20s`, `500ms` or `2m`, in ms.
pub fn parse_duration_ms(field: &'static str, text: &str) -> Result<u64, PlanError> {
    parse_duration(field, text, SignedDuration::as_millis)
}

/// Reads a duration such as `1500us` or `2ms`, in ns.
pub(super) fn parse_duration_ns(field: &'static str, text: &str) -> Result<u64, PlanError> {
    parse_duration(field, text, SignedDuration::as_nanos)
}

fn parse_duration(
    field: &'static str,
    text: &str,
    in_units: fn(&SignedDuration) -> i128,
) -> Result<u64, PlanError> {
    let malformed = || PlanError::Malformed {
        field,
        text: text.to_owned(),
        expected: "a duration, such as 500ms, 20s or 2m",
    };
    let duration: SignedDuration = text.parse().map_err(|_| malformed())?;
    u64::try_from(in_units(&duration)).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use quorate_node::config::SyncPolicy;

    use super::*;

    #[test]
    fn texts_become_values_or_errors() {
        assert_eq!(parse_sync("every 10ms").ok(), Some(SyncPolicy::EveryMs(10)));
        assert!(parse_sync("sometimes").is_err());
        assert_eq!(
            parse_claim("3/2/1").map(|q| (q.n, q.r, q.w)).ok(),
            Some((3, 2, 1))
        );
        for bad in ["3/2", "3/4/1", "a/b/c", "3/0/1", ""] {
            assert!(parse_claim(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_duration_ms("for", "2m").ok(), Some(120_000));
        assert!(parse_duration_ms("for", "-2s").is_err());
    }
}
