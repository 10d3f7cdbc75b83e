//! Authenticates HTTP requests.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::cache::{ApiKeyCache, Denied};
use crate::key::ApiKey;

const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"api\"");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Lets requests pass that carry a good API key, and puts the [`Principal`](crate::Principal) into
/// their extensions.
///
/// The key is read from `Authorization: Bearer` or `X-API-Key`. Without a good one the answer is
/// 401 with `WWW-Authenticate`, the same for no key, an unknown, a wrong and a revoked one; if
/// keys cannot be checked it is 503 with `Retry-After`. Both have a body of
/// `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
#[derive(Clone, Debug)]
pub struct ApiKeyLayer {
    cache: ApiKeyCache,
}

impl ApiKeyLayer {
    /// A layer that asks this cache.
    #[must_use]
    pub fn new(cache: ApiKeyCache) -> Self {
        Self { cache }
    }
}

impl<S> Layer<S> for ApiKeyLayer {
    type Service = ApiKeyService<S>;

    fn layer(&self, inner: S) -> ApiKeyService<S> {
        ApiKeyService {
            inner,
            cache: self.cache.clone(),
        }
    }
}

/// The service that [`ApiKeyLayer`] makes.
#[derive(Clone, Debug)]
pub struct ApiKeyService<S> {
    inner: S,
    cache: ApiKeyCache,
}

impl<S, B, R> Service<Request<B>> for ApiKeyService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: Send + 'static,
    R: From<&'static str>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> ResponseFuture<S, B> {
        let Ok(key) = ApiKey::from_headers(request.headers()) else {
            return ResponseFuture {
                state: State::Refused {
                    denied: Denied::Unauthorized,
                },
            };
        };
        let cache = self.cache.clone();
        let validation = async move {
            let principal = cache.validate(&key).await?;
            request.extensions_mut().insert(principal);
            Ok(request)
        };
        // The service that was found ready goes with the request; its clone may not be.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        ResponseFuture {
            state: State::Validating {
                validation: validation.boxed(),
                inner,
            },
        }
    }
}

pin_project! {
    /// The answer of an [`ApiKeyService`].
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = Projection]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Validating {
            validation: BoxFuture<'static, Result<Request<B>, Denied>>,
            inner: S,
        },
        Passed {
            #[pin]
            answer: S::Future,
        },
        Refused {
            denied: Denied,
        },
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<&'static str>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                Projection::Passed { answer } => return answer.poll(context),
                Projection::Refused { denied } => return Poll::Ready(Ok(refusal(*denied))),
                Projection::Validating { validation, inner } => {
                    match ready!(validation.poll_unpin(context)) {
                        Ok(request) => State::Passed {
                            answer: inner.call(request),
                        },
                        Err(denied) => State::Refused { denied },
                    }
                }
            };
            state.set(next);
        }
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

fn refusal<R: From<&'static str>>(denied: Denied) -> Response<R> {
    let (status, header, value, body) = match denied {
        Denied::Unauthorized => (
            StatusCode::UNAUTHORIZED,
            WWW_AUTHENTICATE,
            CHALLENGE,
            r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"send a valid API key as Authorization: Bearer or as X-API-Key"}"#,
        ),
        Denied::Unavailable { retry_after } => (
            StatusCode::SERVICE_UNAVAILABLE,
            RETRY_AFTER,
            HeaderValue::from(whole_seconds(retry_after)),
            r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"API keys cannot be checked at the moment; try again later"}"#,
        ),
    };
    let mut response = Response::new(R::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header, value);
    response.headers_mut().insert(CONTENT_TYPE, PROBLEM);
    response
}

/// Rounded up: trying again too early would be in vain.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
