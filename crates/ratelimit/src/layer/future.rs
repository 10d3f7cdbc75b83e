//! The future of an answer: checked first, then the service called.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{
    Request, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{Check, Unchecked};
use crate::decision::{Decision, Refused};

pin_project! {
    /// The answer of [`RateLimit`](super::RateLimit): the service's own, or a refusal.
    pub struct RateLimitFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, ReqBody>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        Checking { check: Check, then: Option<(S, ReqBody)> },
        Calling { #[pin] answer: S::Future, decision: Option<Decision> },
    }
}

impl<S, ReqBody> RateLimitFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(super) fn new(check: Check, ready: S, body: ReqBody) -> Self {
        Self {
            state: State::Checking {
                check,
                then: Some((ready, body)),
            },
        }
    }
}

impl<S, ReqBody, ResBody> Future for RateLimitFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: From<String>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProjection::Checking { check, then } => {
                    let (mut head, checked) = ready!(check.as_mut().poll(cx));
                    let decision = match checked {
                        Ok(decision) => decision,
                        Err(Unchecked(status)) => return Poll::Ready(Ok(rejection(status))),
                    };
                    if let Some(decision) = &decision {
                        if let Decision::Refused(refused) = decision {
                            return Poll::Ready(Ok(refusal(decision, refused)));
                        }
                        head.extensions.insert(decision.clone());
                    }
                    let (mut service, body) = then.take().expect("polled after completion");
                    let answer = service.call(Request::from_parts(head, body));
                    state.set(State::Calling { answer, decision });
                }
                StateProjection::Calling { answer, decision } => {
                    let mut response = ready!(answer.poll(cx)?);
                    if let Some(decision) = decision {
                        decision.append_to(response.headers_mut());
                    }
                    return Poll::Ready(Ok(response));
                }
            }
        }
    }
}

impl<S, ReqBody> fmt::Debug for RateLimitFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitFuture").finish_non_exhaustive()
    }
}

/// A problem without a type of its own (RFC 9457, section 4.2.1).
fn rejection<B: From<String>>(status: StatusCode) -> Response<B> {
    let title = status.canonical_reason().unwrap_or("Request Not Checked");
    let body = serde_json::json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
    });
    problem(status, body.to_string())
}

fn refusal<B: From<String>>(decision: &Decision, refused: &Refused) -> Response<B> {
    let parts = refused.problem();
    let status = StatusCode::from_u16(parts.status).expect("a problem has 429 or 503");
    let body = serde_json::to_string(&parts).expect("text and a number serialise");
    let mut response = problem(status, body);
    decision.append_to(response.headers_mut());
    response
}

fn problem<B: From<String>>(status: StatusCode, body: String) -> Response<B> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
