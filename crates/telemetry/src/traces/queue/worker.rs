//! The exporter's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::Context;

use super::{QueuedSpan, Shared};
use crate::traces::{counts::Dropped, export::Exporter};

/// Exports until the queue is closed and empty.
pub(super) fn run(queue: &Shared, exporter: Exporter) {
    // An exporter's own requests are no spans.
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    while let Some(batch) = next(queue) {
        let spans = batch.len();
        let bytes: usize = batch.iter().map(|one| one.bytes).sum();
        // An exporter with a bug loses its batch, not those that come after it.
        let exported = catch_unwind(AssertUnwindSafe(|| exporter.export(batch)));
        if matches!(exported, Ok(Ok(()))) {
            queue.counts.delivered().inc_by(spans as u64);
        } else {
            queue.counts.failed().inc_by(spans as u64);
            queue.counts.dropped(Dropped::Export, spans);
        }
        queue.waiting().bytes -= bytes;
    }
    // What it holds is given back before the one who shuts down goes on.
    let _ = catch_unwind(AssertUnwindSafe(|| exporter.shut_down()));
    queue.waiting().has_ended = true;
    queue.changed.notify_all();
}

/// The next batch: as soon as there are enough spans, or the delay is over. `None` at the end.
fn next(queue: &Shared) -> Option<Vec<QueuedSpan>> {
    let bounds = &queue.bounds;
    loop {
        let (mut waiting, _) = queue
            .changed
            .wait_timeout_while(queue.waiting(), bounds.delay, |waiting| {
                !waiting.is_closed && waiting.spans.len() < bounds.batch_spans
            })
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let most = waiting.spans.len().min(bounds.batch_spans);
        if most > 0 {
            return Some(waiting.spans.drain(..most).collect());
        }
        if waiting.is_closed {
            return None;
        }
    }
}
