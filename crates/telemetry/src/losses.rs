//! What telemetry itself has lost.

use crate::{metrics::ClosedCounters, traces::SpanCounts};

/// Knows what was to be exported or written and was not. Clones are one.
#[derive(Clone, Debug)]
pub struct Losses {
    spans: SpanCounts,
    lines: ClosedCounters<2>,
}

impl Losses {
    pub(crate) const fn new(spans: SpanCounts, lines: ClosedCounters<2>) -> Self {
        Self { spans, lines }
    }

    /// Spans that were chosen for export and did not reach the collector, and log lines that were not written, since
    /// the start: the sum of `telemetry_spans_dropped_total` and `telemetry_log_lines_dropped_total`.
    #[must_use]
    pub fn total(&self) -> u64 {
        let lines = self.lines.iter().map(|lines| lines.get());
        self.spans.all_dropped() + lines.sum::<u64>()
    }
}
