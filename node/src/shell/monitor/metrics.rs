//! What a node counts, under the names that Prometheus sees. It counts nothing itself.
//!
//! Names follow Prometheus' conventions: base units, the unit last, `_total` for what only grows.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::protocol::Histogram;
use crate::wire::Counters;

use super::Look;

/// The format of [`text`], for `Content-Type`.
pub(super) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Nanoseconds in a second.
const SECOND_NS: f64 = 1e9;

/// Everything, each name with the label `node`.
pub(super) fn text(look: &Look) -> String {
    let node = [("node".into(), look.node.to_string().into())];
    let mut registry = Registry::with_prefix_and_labels("quorate", node.into_iter());
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    registry.register(
        "build",
        "Which build of the node this is",
        Info::new(version),
    );
    registry.register_collector(Box::new(Told(look.clone())));
    let mut text = String::new();
    // Writing to a string fails only if a metric says so, and none of ours does.
    match prometheus_text::encode(&mut text, &registry) {
        Ok(()) => text,
        Err(fmt::Error) => String::new(),
    }
}

/// A look, as a source of metrics.
#[derive(Debug)]
struct Told(Look);

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let look = &self.0;
        for (name, help, value) in counters(&look.status.counters) {
            put(&mut encoder, name, help, &ConstCounter::new(value))?;
        }
        for (name, help, value) in gauges(look) {
            put(&mut encoder, name, help, &ConstGauge::new(value))?;
        }
        for (name, help, value) in rates(look) {
            put(&mut encoder, name, help, &ConstGauge::new(value))?;
        }
        let took = &look.took;
        histogram(
            &mut encoder,
            "read_seconds",
            "How long reads coordinated here took to their reply",
            &took.reads,
        )?;
        histogram(
            &mut encoder,
            "write_seconds",
            "How long writes and deletes coordinated here took to their reply",
            &took.writes,
        )
    }
}

fn put(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> fmt::Result {
    let help = format!("{help}.");
    metric.encode(encoder.encode_descriptor(name, &help, None, metric.metric_type())?)
}

fn histogram(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    histogram: &Histogram,
) -> fmt::Result {
    let help = format!("{help}.");
    let classes = histogram.classes();
    let classes: Vec<(f64, u64)> = classes.map(|(ns, count)| (seconds(ns), count)).collect();
    let (sum, count) = (seconds(histogram.sum_ns()), histogram.count());
    encoder
        .encode_descriptor(name, &help, None, MetricType::Histogram)?
        .encode_histogram::<NoLabelSet>(sum, count, &classes, None)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "durations and counts for a dashboard: 53 bits are plenty"
)]
fn float(value: u64) -> f64 {
    value as f64
}

fn seconds(ns: u64) -> f64 {
    float(ns) / SECOND_NS
}

/// A name, what it means, and its value now.
type Row<T> = (&'static str, &'static str, T);

/// What only grows while the node lives.
#[rustfmt::skip]
fn counters(counters: &Counters) -> [Row<u64>; 26] {
    // Taken apart, so that a counter that is added is not forgotten here.
    let Counters {
        reads, reads_ok, writes, writes_ok, refused, unknown, reads_repaired, repairs_sent, digest_mismatches, speculations, fallbacks,
        hints_kept, hints_refused, hints_delivered, hints_expired, siblings_met, siblings_made, tombstones_purged, comparisons, tree_nodes,
        keys_moved, bytes_moved, hints_pending: _, hint_bytes_pending: _, not_held, unheard,
        keys_transferred, gossip_refused,
    } = *counters;
    [
        ("reads", "Reads coordinated, whatever came of them", reads),
        ("reads_answered", "Reads answered with a value", reads_ok),
        ("writes", "Writes and deletes coordinated, whatever came of them", writes),
        ("writes_acknowledged", "Writes and deletes acknowledged by their quorum", writes_ok),
        ("requests_refused", "Requests refused before anything was sent", refused),
        ("requests_unknown", "Requests that did not find their quorum in time", unknown),
        ("read_repairs", "Reads that found a stale replica", reads_repaired),
        ("read_repair_versions_sent", "Versions sent to stale replicas by reads", repairs_sent),
        ("read_digest_mismatches", "Reads whose digests differed", digest_mismatches),
        ("read_speculations", "Reads that turned to a replica that they had not asked at first", speculations),
        ("fallbacks", "Nodes that stood in for a replica in requests coordinated here", fallbacks),
        ("hints_kept", "Hints taken into keeping", hints_kept),
        ("hints_refused", "Hints not taken: too many bytes, or their owner gone for too long", hints_refused),
        ("hints_delivered", "Hints handed over and acknowledged by their owners", hints_delivered),
        ("hints_expired", "Hints that became too old", hints_expired),
        ("conflicts_met", "Reads and writes that met more than one sibling", siblings_met),
        ("conflicts_made", "Writes that left more than one sibling", siblings_made),
        ("tombstones_purged", "Tombstones forgotten", tombstones_purged),
        ("repair_comparisons", "Comparisons with a peer that came to their end", comparisons),
        ("repair_tree_nodes", "Nodes of hash trees compared", tree_nodes),
        ("repair_keys_sent", "Keys sent to peers because trees differed", keys_moved),
        ("repair_sent_bytes", "Bytes of the keys and values sent because trees differed", bytes_moved),
        ("writes_not_held", "What this node was asked to hold and did not, for want of room", not_held),
        ("messages_unheard", "Messages of peers that were not heard: from no node of the cluster, or too large", unheard),
        ("ring_keys_sent", "Keys sent to new owners because the ring changes", keys_transferred),
        ("gossip_refused", "Packets of gossip that could not be used", gossip_refused),
    ]
}

/// What there is now.
#[rustfmt::skip]
fn gauges(look: &Look) -> Vec<Row<u64>> {
    let status = &look.status;
    let counters = &status.counters;
    let connected = look.peers.iter().filter(|peer| peer.connected).count() as u64;
    let mut rows = vec![
        ("epoch", "How often the node was started", status.epoch),
        ("requests_coordinating", "Requests under way, and hints due to peers within reach", status.coordinating),
        ("records_unsynced", "Records not yet synced to the log", status.unsynced),
        ("messages_queued", "Messages waiting to be sent to peers", status.queued),
        ("hints", "Hints in keeping", counters.hints_pending),
        ("hint_bytes", "Bytes of the keys and values of hints in keeping", counters.hint_bytes_pending),
        ("keys", "Keys held and visible, tombstones included", look.keys),
        ("held_bytes", "Memory that keys, values and version vectors take by the node's reckoning", look.bytes),
        ("clients_connected", "Clients that are connected", look.clients),
        ("peers_connected", "Peers that there is a connection to", connected),
        ("healthy", "1 if no health check fails, else 0", u64::from(look.health().healthy)),
    ];
    if let Some(bytes) = look.log_bytes {
        rows.push(("log_bytes", "Bytes of the log's files", bytes));
    }
    rows
}

/// What is no count.
#[rustfmt::skip]
fn rates(look: &Look) -> Vec<Row<f64>> {
    let counters = &look.status.counters;
    let done = counters.reads_ok + counters.writes_ok;
    let all = done + counters.refused + counters.unknown;
    let mut rows = vec![("up_seconds", "How long ago the node was started", float(look.up_ms) / 1e3)];
    if all > 0 {
        let help = "Share of the requests finished since the start that found their quorum, 0 to 1";
        rows.push(("quorum_success_ratio", help, float(done) / float(all)));
    }
    if counters.reads_ok > 0 {
        let help = "Share of the reads answered since the start that found a stale replica, 0 to 1";
        rows.push(("read_repair_ratio", help, float(counters.reads_repaired) / float(counters.reads_ok)));
    }
    if let Some(ns) = look.read_p99_ns {
        rows.push(("read_p99_seconds", "What 99 of 100 of the last 128 reads did not exceed", seconds(ns)));
    }
    if let Some(ms) = look.repaired_ms_ago {
        rows.push(("repair_age_seconds", "How long ago a comparison with a peer came to its end", float(ms) / 1e3));
    }
    rows
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use crate::shell::monitor::tests::look;

    use super::*;

    #[test]
    fn every_metric_has_a_help_a_type_and_a_value() {
        let mut look = look();
        look.read_p99_ns = Some(1);
        look.repaired_ms_ago = Some(1);
        look.status.counters.reads_ok = 1;
        let text = text(&look);
        let names = |kind: &str| -> BTreeSet<String> {
            let lines = text.lines().filter_map(|line| line.strip_prefix(kind));
            lines
                .filter_map(|line| line.split_whitespace().next())
                .map(str::to_owned)
                .collect()
        };
        let (helped, typed) = (names("# HELP "), names("# TYPE "));
        assert_eq!(helped, typed);
        assert_eq!(helped.len(), 1 + 26 + 12 + 5 + 2, "{text}");
        for name in helped {
            assert!(name.starts_with("quorate_"), "{name}");
            let valued = text.lines().any(|line| {
                line.starts_with(&name) && line.contains("node=\"n1\"") && !line.contains("NaN")
            });
            assert!(valued, "{name} has no value");
        }
    }

    #[test]
    fn values_are_what_was_counted() {
        let mut look = look();
        look.status.counters = Counters {
            reads_ok: 3,
            unknown: 1,
            reads_repaired: 2,
            hint_bytes_pending: 77,
            ..Counters::default()
        };
        look.took.reads.note(Duration::from_millis(2));
        look.took.reads.note(Duration::from_secs(3));
        let text = text(&look);
        for line in [
            "quorate_read_repairs_total{node=\"n1\"} 2",
            "quorate_hint_bytes{node=\"n1\"} 77",
            "quorate_quorum_success_ratio{node=\"n1\"} 0.75",
            "quorate_read_seconds_bucket{le=\"0.001\",node=\"n1\"} 0",
            "quorate_read_seconds_bucket{le=\"0.0025\",node=\"n1\"} 1",
            "quorate_read_seconds_bucket{le=\"+Inf\",node=\"n1\"} 2",
            "quorate_read_seconds_count{node=\"n1\"} 2",
        ] {
            let (name, value) = line.split_once('{').expect("labels");
            let (labels, value) = value.split_once("} ").expect("a value");
            let told = text.lines().any(|line| {
                line.starts_with(&format!("{name}{{"))
                    && labels.split(',').all(|label| line.contains(label))
                    && line.ends_with(&format!(" {value}"))
            });
            assert!(told, "{line} is not in:\n{text}");
        }
    }
}
