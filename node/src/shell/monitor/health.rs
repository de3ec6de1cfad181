//! Whether a node is well: its peers answer, hints do not pile up, replicas are compared often enough.
//!
//! Pure judgement of one [`Look`]; what was seen is not its business.

use crate::wire::{Check, Health, PeerSeen};

use super::Look;

/// Looks at everything.
pub(super) fn judge(look: &Look) -> Health {
    let checks = vec![peers(look), hints(look), repair(look)];
    Health {
        node: look.node,
        healthy: checks.iter().all(|check| check.ok),
        checks,
        peers: look.peers.clone(),
    }
}

fn check(name: &str, ok: bool, found: String) -> Check {
    let name = name.to_owned();
    Check { name, ok, found }
}

/// Every peer is connected, and was heard of lately.
fn peers(look: &Look) -> Check {
    let most = look.thresholds.silent_ms_max;
    let wrong = |peer: &PeerSeen| {
        let node = peer.node;
        // Who has never been heard of is given the time since the start.
        let silent_ms = peer.heard_ms_ago.unwrap_or(look.up_ms);
        match (peer.connected, peer.heard_ms_ago) {
            (false, _) => Some(format!("{node} is not connected")),
            (true, _) if silent_ms <= most => None,
            (true, Some(_)) => Some(format!(
                "{node} has been silent for {silent_ms} ms (at most {most})"
            )),
            (true, None) => Some(format!(
                "{node} has not been heard of in {silent_ms} ms (at most {most})"
            )),
        }
    };
    let wrong: Vec<String> = look.peers.iter().filter_map(wrong).collect();
    let found = if wrong.is_empty() {
        format!("all {} peers answer", look.peers.len())
    } else {
        wrong.join(", ")
    };
    check("peers", wrong.is_empty(), found)
}

/// Few hints are in keeping.
fn hints(look: &Look) -> Check {
    let counters = &look.status.counters;
    let (hints, bytes) = (counters.hints_pending, counters.hint_bytes_pending);
    let most = look.thresholds.hints_max;
    let found = format!("{hints} hints in keeping, {bytes} bytes (at most {most} hints)");
    check("hints", hints <= most, found)
}

/// A comparison with a peer came to its end lately.
fn repair(look: &Look) -> Check {
    let age_ms = look.repaired_ms_ago.unwrap_or(look.up_ms);
    let last = match look.repaired_ms_ago {
        Some(ms) => format!("compared with a peer {ms} ms ago"),
        None => format!("not compared with any peer in the {age_ms} ms since the start"),
    };
    match look.repair_age_ms_max {
        Some(most) => check("repair", age_ms <= most, format!("{last} (at most {most})")),
        None => check("repair", true, format!("{last} (no limit is set)")),
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::monitor::tests::look;

    use super::*;

    fn verdict(change: impl FnOnce(&mut Look)) -> (bool, Vec<(bool, String)>) {
        let mut look = look();
        change(&mut look);
        let health = judge(&look);
        let checks = health.checks.into_iter();
        let checks = checks.map(|check| (check.ok, check.found)).collect();
        (health.healthy, checks)
    }

    #[test]
    fn a_node_is_well_if_nothing_is_wrong() {
        let (healthy, checks) = verdict(|_| {});
        assert!(healthy, "{checks:?}");
    }

    #[test]
    fn a_peer_that_is_gone_or_silent_makes_it_ill() {
        let (healthy, checks) = verdict(|look| look.peers[0].connected = false);
        assert!(!healthy);
        assert_eq!(checks[0], (false, "n2 is not connected".to_owned()));
        let (healthy, _) = verdict(|look| look.peers[1].heard_ms_ago = Some(5_000));
        assert!(healthy);
        let (healthy, checks) = verdict(|look| look.peers[1].heard_ms_ago = Some(5_001));
        assert!(!healthy && checks[0].1.contains("n3 has been silent for 5001 ms"));
        // Never heard of: ill only once there was time enough.
        for (up_ms, well) in [(5_000, true), (5_001, false)] {
            let (healthy, _) = verdict(|look| {
                look.peers[0].heard_ms_ago = None;
                look.up_ms = up_ms;
            });
            assert_eq!(healthy, well);
        }
    }

    #[test]
    fn hints_above_the_threshold_make_it_ill() {
        for (hints, well) in [(1_000, true), (1_001, false)] {
            let (healthy, checks) = verdict(|look| look.status.counters.hints_pending = hints);
            assert_eq!((healthy, checks[1].0), (well, well));
        }
    }

    #[test]
    fn replicas_that_were_not_compared_for_too_long_make_it_ill() {
        let aged = |repaired_ms_ago, up_ms| {
            verdict(|look| {
                look.repair_age_ms_max = Some(500);
                (look.repaired_ms_ago, look.up_ms) = (repaired_ms_ago, up_ms);
            })
        };
        assert!(aged(Some(500), 9_000).0);
        assert!(!aged(Some(501), 9_000).0);
        assert!(aged(None, 500).0);
        let (healthy, checks) = aged(None, 501);
        assert!(!healthy && checks[2].1.starts_with("not compared with any peer"));
        // Where nobody asks for it, it never does.
        assert!(verdict(|look| look.up_ms = u64::MAX).0);
    }
}
