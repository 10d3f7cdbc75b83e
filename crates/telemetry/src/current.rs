//! The trace that the running code belongs to.

use opentelemetry::{
    Context,
    trace::{TraceContextExt, TraceId},
};

/// The id of the trace that the code runs in, sampled or not; its `Display` is the 32 hexadecimal
/// digits of log lines and answers.
///
/// `None` outside every span, and when the subscriber in force has no layer of this crate.
#[must_use]
pub fn current_trace_id() -> Option<TraceId> {
    let id = Context::map_current(|context| context.span().span_context().trace_id());
    (id != TraceId::INVALID).then_some(id)
}
