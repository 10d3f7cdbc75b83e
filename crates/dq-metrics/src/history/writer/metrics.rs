//! What the writer of a history tells of itself.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::MetricType,
    registry::Registry,
};

use super::{Counts, HistoryWriter};
use crate::{
    metrics::{MetricLabel, Series},
    reason::Reason,
    score::as_f64,
};

/// One metric of a [`HistoryWriter`], read at each scrape.
#[derive(Clone, Debug)]
pub struct HistoryMetric {
    name: &'static str,
    help: &'static str,
    metric_type: MetricType,
    counts: Arc<Counts>,
    labels: Vec<MetricLabel>,
    encode: fn(&Counts, &mut Series<'_, '_>) -> fmt::Result,
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
        let metric = |name, help, metric_type, labels: &[MetricLabel], encode| HistoryMetric {
            name,
            help,
            metric_type,
            labels: labels.to_vec(),
            counts: Arc::clone(&self.counts),
            encode,
        };
        let what = MetricLabel::closed("what", WHAT);
        [
            metric(
                "dq_history_written",
                "Events and samples that are in the history",
                Counter,
                std::slice::from_ref(&what),
                written,
            ),
            metric(
                "dq_history_dropped",
                "What waited too long to be written, and is in no history",
                Counter,
                &[MetricLabel::closed("what", DROPPED)],
                dropped,
            ),
            metric(
                "dq_history_pending",
                "Events and samples that wait to be written, or were not known to be after a failure",
                Gauge,
                &[what],
                pending,
            ),
            metric(
                "dq_history_failures",
                "How often the history could not be written",
                Counter,
                &[],
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

    /// What its series are told apart by, in the order in which they have it.
    pub fn labels(&self) -> &[MetricLabel] {
        &self.labels
    }
}

impl EncodeMetric for HistoryMetric {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        (self.encode)(&self.counts, &mut Series::new(&self.labels, encoder))
    }

    fn metric_type(&self) -> MetricType {
        self.metric_type
    }
}

const WHAT: [&str; 2] = ["events", "samples"];
const DROPPED: [&str; 4] = ["events", "receipts", "versions", "samples"];

fn written(counts: &Counts, series: &mut Series<'_, '_>) -> fmt::Result {
    for (what, count) in by_what(&counts.written_events, &counts.written_samples) {
        series.counter(&[what], count)?;
    }
    Ok(())
}

fn dropped(counts: &Counts, series: &mut Series<'_, '_>) -> fmt::Result {
    let dropped = [
        &counts.dropped_events,
        &counts.dropped_receipts,
        &counts.dropped_versions,
        &counts.dropped_samples,
    ];
    for (what, count) in DROPPED.into_iter().zip(dropped) {
        series.counter(&[what], count.load(Ordering::Relaxed))?;
    }
    Ok(())
}

fn pending(counts: &Counts, series: &mut Series<'_, '_>) -> fmt::Result {
    for (what, count) in by_what(&counts.pending_events, &counts.pending_samples) {
        series.gauge(&[what], as_f64(count))?;
    }
    Ok(())
}

fn failures(counts: &Counts, series: &mut Series<'_, '_>) -> fmt::Result {
    series.counter(&[], counts.failures.load(Ordering::Relaxed))
}

fn by_what(events: &AtomicU64, samples: &AtomicU64) -> impl Iterator<Item = (&'static str, u64)> {
    let counts = [events, samples].map(|count| count.load(Ordering::Relaxed));
    WHAT.into_iter().zip(counts)
}
