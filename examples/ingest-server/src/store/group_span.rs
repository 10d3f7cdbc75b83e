//! How a group that was written, or not, is joined to the requests that it served.

use portcullis_telemetry::{SpanLink, add_links};
use tracing::{Span, info_span};

use super::{Group, StoreError};

/// The span of one group: the root of a trace, since the group belongs to no request alone. It links to
/// those that it serves.
pub(super) fn group_span(group: &Group, origins: &[SpanLink]) -> Span {
    let served = origins.len();
    let span = info_span!(parent: None, "write_group", rows = group.writes.len(), served);
    add_links(&span, origins);
    span
}

/// Logs why a group was not written.
pub(super) fn tell_not_written(error: &StoreError, origins: &[SpanLink]) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        requests = traces(origins),
        "a group was not written"
    );
}

/// The trace ids of the first requests of a group, for a log line: where traces are not exported, or
/// this one is not, the line alone has to tell which requests failed.
fn traces(origins: &[SpanLink]) -> String {
    const MOST: usize = 16;
    let ids = origins.iter().take(MOST);
    let ids: Vec<String> = ids.map(|origin| origin.trace_id().to_string()).collect();
    ids.join(" ")
}
