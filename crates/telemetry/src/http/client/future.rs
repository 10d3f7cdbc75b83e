//! The future of an answer, polled inside the request's span.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use pin_project_lite::pin_project;
use tracing::Span;

use super::outcome::Outgoing;

pin_project! {
    /// The response future of an [`HttpClientService`](super::HttpClientService), polled inside the request's
    /// span. One that is dropped before its answer counts as cancelled.
    #[derive(Debug)]
    pub struct HttpClientFuture<F> {
        #[pin]
        inner: F,
        span: Span,
        outgoing: Outgoing,
    }
}

impl<F> HttpClientFuture<F> {
    pub(super) fn new(inner: F, span: Span, outgoing: Outgoing) -> Self {
        Self {
            inner,
            span,
            outgoing,
        }
    }
}

impl<F, R, E> Future for HttpClientFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.span.enter();
        let result = ready!(this.inner.poll(context));
        match &result {
            Ok(response) => this
                .outgoing
                .answered(response.status(), response.version()),
            Err(_) => this.outgoing.failed("transport"),
        }
        Poll::Ready(result)
    }
}
