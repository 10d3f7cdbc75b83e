//! Spans on their way to the exporter's thread, within bounds.

mod worker;

use std::{
    collections::VecDeque,
    fmt, io,
    num::NonZeroUsize,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use super::{
    SpanCounts, counts::Dropped, ended::EndedSpan, export::Exporter, lock, recorder::SpanSink,
    trace::Trace,
};
use crate::metrics::{MetricError, Registry};

/// How much may wait, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueBounds {
    pub(super) spans: usize,
    /// Of all spans, those that are being exported too, as estimated from their texts.
    pub(super) bytes: NonZeroUsize,
    pub(super) batch_spans: usize,
    pub(super) delay: Duration,
}

/// Spans that were chosen, as records still: they become OpenTelemetry's spans on the exporter's thread.
///
/// Nobody waits for it. What has no room is dropped and counted by the bound that was reached.
pub(super) struct ExportQueue(Arc<Shared>);

struct Shared {
    bounds: QueueBounds,
    counts: SpanCounts,
    waiting: Mutex<Waiting>,
    /// Told when there is something to do, or nothing any more.
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    spans: VecDeque<QueuedSpan>,
    /// The memory of these and of those that are being exported.
    bytes: usize,
    is_closed: bool,
    has_ended: bool,
}

/// A span that waits for its export.
pub(super) struct QueuedSpan {
    pub(super) trace: Arc<Trace>,
    pub(super) span: EndedSpan,
    bytes: usize,
}

impl ExportQueue {
    /// A queue whose spans this exporter takes, on a thread of its own.
    pub(super) fn start(
        exporter: Exporter,
        bounds: QueueBounds,
        counts: SpanCounts,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            bounds,
            counts,
            waiting: Mutex::default(),
            changed: Condvar::new(),
        });
        let queue = Arc::clone(&shared);
        thread::Builder::new()
            .name("telemetry-export".to_owned())
            .spawn(move || worker::run(&queue, exporter))?;
        Ok(Self(shared))
    }

    pub(super) fn register(&self, registry: &Registry) -> Result<(), MetricError> {
        let queue = Arc::clone(&self.0);
        registry.observed_gauge(
            "telemetry_export_queue_spans",
            "Spans that wait for their export",
            move || queue.waiting().spans.len() as f64,
        )?;
        let queue = Arc::clone(&self.0);
        registry.observed_gauge(
            "telemetry_export_queue_bytes",
            "Memory of spans that wait for their export or are being exported, as estimated",
            move || queue.waiting().bytes as f64,
        )
    }
}

impl SpanSink for ExportQueue {
    fn take(&self, trace: &Arc<Trace>, span: EndedSpan) {
        let Shared {
            bounds,
            counts,
            changed,
            ..
        } = &*self.0;
        counts.selected.inc();
        let bytes = span.bytes();
        let mut waiting = self.0.waiting();
        let reached = if waiting.is_closed {
            Some(Dropped::ShutDown)
        } else if waiting.spans.len() >= bounds.spans {
            Some(Dropped::QueueSpans)
        } else if waiting.bytes.saturating_add(bytes) > bounds.bytes.get() {
            Some(Dropped::QueueBytes)
        } else {
            None
        };
        if let Some(reason) = reached {
            drop(waiting);
            counts.dropped(reason, 1);
            return;
        }
        waiting.bytes += bytes;
        waiting.spans.push_back(QueuedSpan {
            trace: Arc::clone(trace),
            span,
            bytes,
        });
        let is_batch = waiting.spans.len() == bounds.batch_spans;
        drop(waiting);
        if is_batch {
            changed.notify_all();
        }
    }

    /// Waits until everything is exported, for at most `timeout`. What is left then is dropped; what the
    /// exporter is busy with may still arrive.
    fn shut_down(&self, timeout: Duration) {
        let mut waiting = self.0.waiting();
        waiting.is_closed = true;
        self.0.changed.notify_all();
        let (mut waiting, _) = self
            .0
            .changed
            .wait_timeout_while(waiting, timeout, |waiting| !waiting.has_ended)
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let left = std::mem::take(&mut waiting.spans);
        waiting.bytes -= left.iter().map(|one| one.bytes).sum::<usize>();
        drop(waiting);
        self.0.counts.dropped(Dropped::ShutDown, left.len());
    }
}

/// A queue that nobody can put anything into has no use for its thread.
impl Drop for ExportQueue {
    fn drop(&mut self) {
        self.0.waiting().is_closed = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }
}

impl fmt::Debug for ExportQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportQueue")
            .field("bounds", &self.0.bounds)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
