//! The trace that the running code belongs to.

use opentelemetry::{
    Context,
    trace::{TraceContextExt as _, TraceId},
};
use tracing::Span;

use crate::traces::{self, ParentError};

/// The id of the trace that the code runs in, sampled or not; its `Display` is the 32 hexadecimal
/// digits of log lines and answers.
///
/// `None` outside every span, and when the subscriber in force has no layer of this crate.
#[must_use]
pub fn current_trace_id() -> Option<TraceId> {
    traces::current_ids().map(|ids| ids.trace)
}

/// The span that the code runs in as OpenTelemetry's context: what a propagator puts into the headers of
/// an outgoing request, and the parent for libraries that make OpenTelemetry spans themselves.
///
/// It is made when it is asked for. Outside every span it is the context of the thread.
#[must_use]
pub fn current_context() -> Context {
    let context = Context::current();
    match traces::current_span_context() {
        Some(span) => context.with_remote_span_context(span),
        None => context,
    }
}

/// Makes the span continue the trace that the context is of, as a message or a request brings it. A
/// context without a span changes nothing, and neither does a span that is disabled.
///
/// # Errors
/// When the span has begun, or the subscriber has no layer of this crate.
pub fn set_parent(span: &Span, context: &Context) -> Result<(), ParentError> {
    let parent = context.span().span_context().clone();
    if parent.is_valid() {
        traces::set_parent(span, &parent)
    } else {
        Ok(())
    }
}
