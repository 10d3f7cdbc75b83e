//! The response future, polled inside the request's span.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderName, HeaderValue, Response, StatusCode};
use opentelemetry::Context as OtelContext;
use pin_project_lite::pin_project;
use tracing::Span;

use super::requests::{Abort, RunningRequest};
use crate::current::current_trace_id;

pin_project! {
    /// The response future of an [`HttpService`](super::HttpService), polled inside the request's span.
    pub struct HttpFuture<F> {
        #[pin]
        inner: F,
        span: Span,
        running: RunningRequest,
        trace_id_header: Option<HeaderName>,
        baggage: Option<OtelContext>,
    }
}

impl<F> HttpFuture<F> {
    pub(super) fn new(
        inner: F,
        span: Span,
        running: RunningRequest,
        trace_id_header: Option<HeaderName>,
        baggage: Option<OtelContext>,
    ) -> Self {
        Self {
            inner,
            span,
            running,
            trace_id_header,
            baggage,
        }
    }
}

impl<F, R, E> Future for HttpFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _attached = this.baggage.clone().map(OtelContext::attach);
        let _entered = this.span.enter();
        let mut result = ready!(this.inner.poll(context));
        match &mut result {
            Ok(response) => {
                this.running.answered(response.status());
                record_status(this.span, response.status());
                let id = this.trace_id_header.take().zip(current_trace_id());
                if let Some((header, id)) = id
                    && let Ok(id) = HeaderValue::try_from(id.to_string())
                {
                    response.headers_mut().insert(header, id);
                }
            }
            Err(_) => {
                this.running.aborted(Abort::Failed);
                record_error(this.span, "service");
            }
        }
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for HttpFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Baggage is the caller's text.
        f.debug_struct("HttpFuture")
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}

/// A server's span has failed with 5xx only: 4xx is the client's fault.
fn record_status(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        record_error(span, status.as_str());
    }
}

fn record_error(span: &Span, kind: &str) {
    span.record("error.type", kind);
    span.record("otel.status_code", "error");
}
