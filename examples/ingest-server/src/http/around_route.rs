//! What stands around every route but its trace: a check of the head, a bound on requests in flight, an
//! answer to panics, and headers.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, DATE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
};
use portcullis_telemetry::current_trace_id;

use super::{
    check_head,
    guards::{Guards, admit_request},
    problem::Problem,
};
use crate::{pipeline::rejection::Rejection, quality::Reason, timestamp};

/// How many header fields every answer gets here.
const ADDED: usize = 6;

/// All that stands around a route but its trace. It is one layer and not six: each has what it stands around
/// cloned and boxed for every request, with all layers in it.
pub(super) async fn around_route(
    State(guards): State<Arc<Guards>>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let promise = guards.promise(&request);
    let answer = async {
        match check_head::refuse_head(&guards, &mut request) {
            Some(refusal) => refusal,
            None => admit_request(&guards, request, next).await,
        }
    };
    let mut response = answer_panics(answer).await;
    if let Some(promise) = promise {
        guards.settle(&promise, response.status());
    }
    let headers = response.headers_mut();
    // At once for these and for the length: a map that grows is copied.
    headers.reserve(ADDED + 1);
    add_security_headers(headers);
    add_date(&guards, headers);
    add_trace_id(headers);
    response
}

/// A bug costs one request, not the connection, and the answer says nothing of it.
async fn answer_panics(answer: impl Future<Output = Response>) -> Response {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        tracing::error!("a request handler panicked");
        Problem::from(Rejection::plain(Reason::Internal)).into_response()
    })
}

/// The trace of a request, whatever came of it; a problem has it in its body too.
static TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// Says under which trace the log has the request.
fn add_trace_id(headers: &mut HeaderMap) {
    let trace = current_trace_id().map(|trace| HeaderValue::try_from(trace.to_string()));
    if let Some(Ok(trace)) = trace {
        headers.insert(TRACE_ID.clone(), trace);
    }
}

/// Answers hold personal data or secrets: they are never cached, sniffed or framed.
fn add_security_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
}

/// Says when it was answered: by a clock that may be set to anything.
fn add_date(guards: &Guards, headers: &mut HeaderMap) {
    let date = timestamp::format_http(guards.clock.wall());
    if let Ok(date) = HeaderValue::try_from(date) {
        headers.insert(DATE, date);
    }
}
