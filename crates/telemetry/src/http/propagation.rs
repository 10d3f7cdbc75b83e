//! The trace in a request's headers: the caller's is read, one's own is written.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// The caller's span by its `traceparent` header (W3C Trace Context, level 1). One that is malformed,
/// or there twice, is ignored.
///
/// `tracestate` is not read: it would carry the caller's text past the redactor into every exported span
/// and on to other services.
pub(super) fn remote_span(headers: &HeaderMap) -> Option<SpanContext> {
    let mut lines = headers.get_all(TRACE_PARENT).iter();
    let line = lines.next()?;
    if lines.next().is_some() {
        return None;
    }
    parse(line.as_bytes())
}

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");

/// Replaces what the headers say of a trace by this span.
pub(super) fn put_span(headers: &mut HeaderMap, span: &SpanContext) {
    let (trace, id) = (span.trace_id(), span.span_id());
    let flags = span.trace_flags() & TraceFlags::SAMPLED;
    let parent = format!("00-{trace}-{id}-{:02x}", flags.to_u8());
    if let Ok(parent) = HeaderValue::try_from(parent) {
        headers.insert(TRACE_PARENT, parent);
    }
    headers.remove(TRACE_STATE);
    let state = span.trace_state().header();
    if !state.is_empty()
        && let Ok(state) = HeaderValue::try_from(state)
    {
        headers.insert(TRACE_STATE, state);
    }
}

/// `version "-" trace-id "-" parent-id "-" trace-flags`, digits in lower case (section 3.2.2).
fn parse(text: &[u8]) -> Option<SpanContext> {
    let (fields, rest) = text.split_at_checked(55)?;
    let (version, fields) = hex::<1>(fields)?;
    let (trace, fields) = hex::<16>(after_dash(fields)?)?;
    let (parent, fields) = hex::<8>(after_dash(fields)?)?;
    let (flags, _) = hex::<1>(after_dash(fields)?)?;
    let is_known = match version {
        [0] => rest.is_empty(),
        // Never a version.
        [0xff] => false,
        // A later version may have more fields (section 3.2.4).
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    let span = SpanContext::new(
        TraceId::from_bytes(trace),
        SpanId::from_bytes(parent),
        TraceFlags::new(flags[0]) & TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    // An id of zeros is none.
    (is_known && span.is_valid()).then_some(span)
}

fn after_dash(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"-")
}

/// The bytes that the digits at the beginning say, and what follows them.
fn hex<const N: usize>(text: &[u8]) -> Option<([u8; N], &[u8])> {
    let (digits, rest) = text.split_at_checked(2 * N)?;
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some((bytes, rest))
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
