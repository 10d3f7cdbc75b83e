//! What became of the spans that were chosen for export.

use prometheus_client::metrics::counter::Counter;

use crate::metrics::{ClosedCounters, MetricError, Registry};

/// What became of the spans that were chosen for export.
#[derive(Clone, Debug)]
pub(crate) struct SpanCounts {
    pub(crate) selected: Counter,
    exported: ClosedCounters<2>,
    dropped: ClosedCounters<4>,
}

/// Why a span that was chosen did not reach the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// Too many waited.
    QueueSpans,
    /// Those that waited took too much memory.
    QueueBytes,
    /// The collector refused it or was not reached.
    Export,
    /// The time for the end was up, or it came after the end.
    ShutDown,
}

impl Dropped {
    /// In the order of the variants.
    const NAMES: [&str; 4] = ["queue_spans", "queue_bytes", "export", "shutdown"];
}

impl SpanCounts {
    pub(crate) fn new() -> Self {
        Self {
            selected: Counter::default(),
            exported: ClosedCounters::new("outcome", ["delivered", "failed"]),
            dropped: ClosedCounters::new("reason", Dropped::NAMES),
        }
    }

    pub(crate) fn delivered(&self) -> &Counter {
        self.exported.at(0)
    }

    pub(super) fn failed(&self) -> &Counter {
        self.exported.at(1)
    }

    pub(super) fn dropped(&self, reason: Dropped, spans: usize) {
        self.dropped.at(reason as usize).inc_by(spans as u64);
    }

    /// Whatever the reason.
    pub(crate) fn all_dropped(&self) -> u64 {
        self.dropped.iter().map(|counter| counter.get()).sum()
    }

    pub(crate) fn register(&self, registry: &Registry) -> Result<(), MetricError> {
        registry.register(
            "telemetry_spans_selected",
            "Spans chosen for export, at the start of their trace or at its end",
            self.selected.clone(),
        )?;
        self.exported.register(
            registry,
            "telemetry_spans_exported",
            "Spans handed to the collector, by whether it took them",
        )?;
        self.dropped.register(
            registry,
            "telemetry_spans_dropped",
            "Spans chosen for export that did not reach the collector, by why",
        )
    }
}
