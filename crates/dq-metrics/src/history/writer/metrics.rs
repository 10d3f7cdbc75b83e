//! What the writer of a history tells of itself.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
    registry::Registry,
};

use super::{Counts, HistoryWriter};
use crate::{reason::Reason, score::as_f64};

/// One metric of a [`HistoryWriter`], read at each scrape.
#[derive(Clone, Debug)]
pub struct HistoryMetric {
    name: &'static str,
    help: &'static str,
    metric_type: MetricType,
    counts: Arc<Counts>,
    encode: fn(&Counts, MetricEncoder<'_>) -> fmt::Result,
}

impl<R: Reason> HistoryWriter<R> {
    /// Adds all metrics to a registry; call it once for each registry.
    pub fn register(&self, registry: &mut Registry) {
        for metric in self.metrics() {
            registry.register(metric.name(), metric.help(), metric);
        }
    }

    /// All metrics, 9 series, for a registry that takes them one by one.
    pub fn metrics(&self) -> [HistoryMetric; 4] {
        use MetricType::{Counter, Gauge};
        let metric = |name, help, metric_type, encode| HistoryMetric {
            name,
            help,
            metric_type,
            counts: Arc::clone(&self.counts),
            encode,
        };
        [
            metric(
                "dq_history_written",
                "Events and samples that are in the history",
                Counter,
                written,
            ),
            metric(
                "dq_history_dropped",
                "What waited too long to be written, and is in no history",
                Counter,
                dropped,
            ),
            metric(
                "dq_history_pending",
                "Events and samples that wait to be written, or were not known to be after a failure",
                Gauge,
                pending,
            ),
            metric(
                "dq_history_failures",
                "How often the history could not be written",
                Counter,
                failures,
            ),
        ]
    }
}

impl HistoryMetric {
    /// The name, without the suffix that a counter gets in the exposition.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it tells, without a full stop: the registry adds one.
    pub const fn help(&self) -> &'static str {
        self.help
    }
}

impl EncodeMetric for HistoryMetric {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        (self.encode)(&self.counts, encoder)
    }

    fn metric_type(&self) -> MetricType {
        self.metric_type
    }
}

fn written(counts: &Counts, mut encoder: MetricEncoder<'_>) -> fmt::Result {
    for (what, count) in [
        ("events", &counts.written_events),
        ("samples", &counts.written_samples),
    ] {
        let count = count.load(Ordering::Relaxed);
        encoder
            .encode_family(&[("what", what)])?
            .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
    }
    Ok(())
}

fn dropped(counts: &Counts, mut encoder: MetricEncoder<'_>) -> fmt::Result {
    for (what, count) in [
        ("events", &counts.dropped_events),
        ("receipts", &counts.dropped_receipts),
        ("versions", &counts.dropped_versions),
        ("samples", &counts.dropped_samples),
    ] {
        let count = count.load(Ordering::Relaxed);
        encoder
            .encode_family(&[("what", what)])?
            .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
    }
    Ok(())
}

fn pending(counts: &Counts, mut encoder: MetricEncoder<'_>) -> fmt::Result {
    for (what, count) in [
        ("events", &counts.pending_events),
        ("samples", &counts.pending_samples),
    ] {
        let count = as_f64(count.load(Ordering::Relaxed));
        encoder
            .encode_family(&[("what", what)])?
            .encode_gauge(&count)?;
    }
    Ok(())
}

fn failures(counts: &Counts, mut encoder: MetricEncoder<'_>) -> fmt::Result {
    let count = counts.failures.load(Ordering::Relaxed);
    encoder.encode_counter::<NoLabelSet, _, u64>(&count, None)
}
