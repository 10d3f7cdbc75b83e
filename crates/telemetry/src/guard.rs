//! Holds telemetry open, and ends it.

use std::{sync::Arc, time::Duration};

use crate::{
    losses::Losses,
    metrics::Registry,
    redact::Redactor,
    traces::{Recorder, SpanCounts},
};

/// Holds telemetry open. Dropping it flushes spans for up to two seconds and blocks meanwhile;
/// [`shutdown`](Self::shutdown) waits as long as you say, and reports what became of them.
#[derive(Debug)]
#[must_use = "telemetry ends when the guard is dropped"]
pub struct Guard {
    recorder: Arc<Recorder>,
    registry: Registry,
    redactor: Arc<Redactor>,
    counts: SpanCounts,
    losses: Losses,
    has_exporter: bool,
    propagates: bool,
}

/// What became of the spans that were chosen for export, since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Spans that the collector has taken.
    pub flushed: u64,
    /// Spans that were chosen and did not reach it: the queue was full, the collector refused
    /// them or was unreachable, or the time was up.
    pub dropped: u64,
}

const DROP_TIMEOUT: Duration = Duration::from_secs(2);

impl Guard {
    pub(crate) fn new(
        recorder: Arc<Recorder>,
        registry: Registry,
        redactor: Arc<Redactor>,
        counts: SpanCounts,
        losses: Losses,
        has_exporter: bool,
        propagates: bool,
    ) -> Self {
        Self {
            recorder,
            registry,
            redactor,
            counts,
            losses,
            has_exporter,
            propagates,
        }
    }

    /// The metrics of the process, those of telemetry itself among them.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Whether `OTEL_PROPAGATORS` leaves the caller's trace to be looked for, as it does by default.
    /// With [`RemoteParent::Ignore`](crate::RemoteParent::Ignore) the layer of feature `tower` does
    /// not look.
    #[must_use]
    pub const fn propagates(&self) -> bool {
        self.propagates
    }

    /// The redactor that logs and spans pass, for use where else the program shows data of others.
    #[must_use]
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }

    /// Whether chosen spans are exported; without an exporter they have ids and go nowhere.
    #[must_use]
    pub fn has_exporter(&self) -> bool {
        self.has_exporter
    }

    /// What has been lost of spans and lines, for who tells that telemetry is incomplete.
    #[must_use]
    pub const fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Exports what is queued, for at most `timeout`, and ends tracing. Blocks the thread; the
    /// exporter has one of its own, so that a blocked runtime cannot hold it up.
    pub fn shutdown(self, timeout: Duration) -> Report {
        self.recorder.shut_down(timeout);
        let flushed = self.counts.delivered().get();
        Report {
            flushed,
            dropped: self.counts.selected.get().saturating_sub(flushed),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // After `shutdown` this does nothing.
        self.recorder.shut_down(DROP_TIMEOUT);
    }
}
