//! Values that wait for their trace to be kept.

use opentelemetry::trace::{SpanId, TraceId};

use super::{
    entered,
    trace::{Fate, HeldSpans},
};
use crate::metrics::ExemplarHistogram;

/// A value that becomes its bucket's exemplar when its trace is kept.
pub(super) struct WaitingExemplar {
    histogram: ExemplarHistogram,
    value: f64,
    span: SpanId,
}

/// Values that wait in a trace. With as many traces as the tail holds, they take some 2 MiB.
const MAX_WAITING: usize = 4;

/// Notes that a value was observed in the span that this thread is in.
pub(crate) fn note_exemplar(histogram: &ExemplarHistogram, value: f64) {
    entered::innermost(|entered| match &entered.trace.fate {
        Fate::Ignored => {}
        Fate::Sampled => histogram.name(value, entered.trace.id, entered.span),
        Fate::Open(held) => {
            held.with(|spans| {
                if spans.exemplars.len() < MAX_WAITING {
                    spans.exemplars.push(WaitingExemplar {
                        histogram: histogram.clone(),
                        value,
                        span: entered.span,
                    });
                }
            });
        }
    });
}

impl HeldSpans {
    /// The trace is exported.
    pub(super) fn name_exemplars(&mut self, trace: TraceId) {
        for waiting in self.exemplars.drain(..) {
            waiting.histogram.name(waiting.value, trace, waiting.span);
        }
    }
}
