//! The caller's trace, read from request headers.

use http::HeaderMap;
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

/// The caller's span by its `traceparent` header (W3C Trace Context, level 1).
///
/// `tracestate` and `baggage` are not read: they would carry the caller's text past the redactor into
/// every exported span and on to other services.
pub(super) fn remote_context(headers: &HeaderMap) -> Option<Context> {
    let context =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &TraceParent(headers));
    context.span().span_context().is_valid().then_some(context)
}

struct TraceParent<'a>(&'a HeaderMap);

const TRACE_PARENT: &str = "traceparent";

impl Extractor for TraceParent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let header = (key == TRACE_PARENT).then(|| self.0.get(key))??;
        header.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACE_PARENT]
    }
}
