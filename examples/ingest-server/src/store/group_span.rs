//! How a group that was written, or not, is joined to the requests that it served.

use portcullis_telemetry::{SpanLink, add_links};
use tracing::{Span, info_span};

/// The span of one group: the root of a trace, since the group belongs to no request alone. It links to
/// those that it serves.
pub(super) fn group_span(rows: usize, origins: &[SpanLink]) -> Span {
    let span = info_span!(parent: None, "write_group", rows, served = origins.len());
    add_links(&span, origins);
    span
}

/// The same for a group of the audit log.
pub(super) fn audit_span(rows: usize, origins: &[SpanLink]) -> Span {
    let span = info_span!(parent: None, "write_audit", rows, served = origins.len());
    add_links(&span, origins);
    span
}

/// The trace ids of the first requests of a group, for a log line: where traces are not exported, or
/// this one is not, the line alone has to tell which requests failed.
pub(super) fn traces(origins: &[SpanLink]) -> String {
    const MOST: usize = 16;
    let ids = origins.iter().take(MOST);
    let ids: Vec<String> = ids.map(|origin| origin.trace_id().to_string()).collect();
    ids.join(" ")
}
