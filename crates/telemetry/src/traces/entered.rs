//! The spans that this thread is in.

use std::{cell::RefCell, sync::Arc};

use opentelemetry::trace::{SpanContext, SpanId, TraceId};
use tracing::span;

use super::trace::Trace;

/// A span that this thread is in.
pub(super) struct Entered {
    id: span::Id,
    /// The number of its recorder.
    pub(super) recorder: u64,
    pub(super) trace: Arc<Trace>,
    pub(super) span: SpanId,
}

thread_local! {
    static STACK: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn push(id: &span::Id, recorder: u64, trace: &Arc<Trace>, span: SpanId) {
    let entered = Entered {
        id: id.clone(),
        recorder,
        trace: Arc::clone(trace),
        span,
    };
    // Gone when a thread that ends enters a span.
    let _ = STACK.try_with(|stack| stack.borrow_mut().push(entered));
}

/// Spans may be left in another order than they were entered in.
pub(super) fn pop(id: &span::Id) {
    // Gone when a thread that ends leaves its spans.
    let _ = STACK.try_with(|stack| {
        let mut stack = stack.borrow_mut();
        let found = stack.iter().rposition(|entered| entered.id == *id);
        found.map(|index| stack.remove(index))
    });
}

/// What `read` makes of the innermost of them.
pub(super) fn innermost<T>(read: impl FnOnce(&Entered) -> T) -> Option<T> {
    STACK
        .try_with(|stack| stack.borrow().last().map(read))
        .ok()
        .flatten()
}

/// The ids that log lines carry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
}

/// The ids of the span that the code runs in.
pub(crate) fn current_ids() -> Option<Ids> {
    innermost(|entered| Ids {
        trace: entered.trace.id,
        span: entered.span,
    })
}

/// The span that the code runs in, as other services are told of it.
pub(crate) fn current_span_context() -> Option<SpanContext> {
    innermost(|entered| entered.trace.span_context(entered.span))
}
