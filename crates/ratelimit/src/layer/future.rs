use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::Check;
use crate::decision::{Decision, Refused};

const NOT_CHECKED: &str = r#"{"type":"about:blank","title":"Service Unavailable","status":503}"#;

pin_project! {
    /// The answer of [`RateLimit`](crate::RateLimit): the service's own, or a refusal.
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
                    let Ok(decision) = checked else {
                        return Poll::Ready(Ok(not_checked()));
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
                        append(&mut response, decision);
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

fn not_checked<B: From<String>>() -> Response<B> {
    problem(StatusCode::SERVICE_UNAVAILABLE, NOT_CHECKED.to_owned())
}

fn refusal<B: From<String>>(decision: &Decision, refused: &Refused) -> Response<B> {
    let body = serde_json::to_string(&refused.problem()).expect("text and a number serialise");
    let mut response = problem(StatusCode::TOO_MANY_REQUESTS, body);
    append(&mut response, decision);
    response
}

fn problem<B: From<String>>(status: StatusCode, body: String) -> Response<B> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Added to what is there: the fields are lists, and another layer may have written its own.
fn append<B>(response: &mut Response<B>, decision: &Decision) {
    for (name, value) in decision.fields() {
        let value = HeaderValue::try_from(value).expect("limit names and numbers are ASCII");
        response.headers_mut().append(name, value);
    }
}
