//! A tower layer that authenticates HTTP requests, and demands scopes of them.

use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use http::{
    Request, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    cache::{ApiKeyCache, Denied},
    key::ApiKey,
    observer::Event,
    principal::Principal,
    scope::Scopes,
};

const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"api\"");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Lets requests pass that carry a good API key, and puts the [`Principal`] into
/// their extensions.
///
/// The key is read from `Authorization: Bearer` or `X-API-Key`. The answers of the layer itself
/// have a body of `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)):
///
/// | status | when | header |
/// |---|---|---|
/// | 401 | no key, or an unknown, wrong, expired or revoked one: the same answer | `WWW-Authenticate` |
/// | 403 | a good key without the [required scopes](Self::require_scopes) | `WWW-Authenticate`, with `insufficient_scope` and the scopes ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)) |
/// | 503 | keys cannot be checked | `Retry-After` |
///
/// Where the cache has a [grace](crate::ApiKeyCacheBuilder::grace) for all required scopes, requests go on for
/// that time while neither feed nor store can be asked, with a principal that has no other scopes. A layer that
/// requires none has no grace, whatever the service behind it demands.
#[derive(Clone, Debug)]
pub struct ApiKeyLayer {
    cache: ApiKeyCache,
    required: Arc<Scopes>,
}

impl ApiKeyLayer {
    /// A layer that asks this cache, and demands no scope.
    #[must_use]
    pub fn new(cache: ApiKeyCache) -> Self {
        Self {
            cache,
            required: Arc::default(),
        }
    }

    /// Lets only those keys pass that have all of these scopes. Routes that demand others get a
    /// layer of their own.
    #[must_use]
    pub fn require_scopes(self, scopes: Scopes) -> Self {
        Self {
            required: Arc::new(scopes),
            ..self
        }
    }
}

impl<S> Layer<S> for ApiKeyLayer {
    type Service = ApiKeyService<S>;

    fn layer(&self, inner: S) -> ApiKeyService<S> {
        ApiKeyService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`ApiKeyLayer`] makes.
#[derive(Clone, Debug)]
pub struct ApiKeyService<S> {
    inner: S,
    layer: ApiKeyLayer,
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
                state: State::Stopped {
                    stop: Stop::Denied(Denied::Unauthorized),
                },
            };
        };
        let layer = self.layer.clone();
        let validation = async move {
            let principal = layer.authorize(&key).await?;
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
            validation: BoxFuture<'static, Result<Request<B>, Stop>>,
            inner: S,
        },
        Passed {
            #[pin]
            answer: S::Future,
        },
        Stopped {
            stop: Stop,
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
                Projection::Stopped { stop } => return Poll::Ready(Ok(stop.response())),
                Projection::Validating { validation, inner } => {
                    match ready!(validation.poll_unpin(context)) {
                        Ok(request) => State::Passed {
                            answer: inner.call(request),
                        },
                        Err(stop) => State::Stopped { stop },
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

impl ApiKeyLayer {
    async fn authorize(&self, key: &ApiKey) -> Result<Principal, Stop> {
        let validated = self.cache.validate_for(key, &self.required).await;
        let principal = validated.map_err(Stop::Denied)?;
        if principal.allows_all(&self.required) {
            Ok(principal)
        } else {
            self.cache.emit(&Event::ScopesMissing);
            Err(Stop::ScopesMissing(Arc::clone(&self.required)))
        }
    }
}

/// Why a request does not reach the inner service.
enum Stop {
    Denied(Denied),
    ScopesMissing(Arc<Scopes>),
}

impl Stop {
    fn response<R: From<&'static str>>(&self) -> Response<R> {
        let (status, header, value, body) = match self {
            Self::Denied(Denied::Unauthorized) => (
                StatusCode::UNAUTHORIZED,
                WWW_AUTHENTICATE,
                CHALLENGE,
                r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"send a valid API key as Authorization: Bearer or as X-API-Key"}"#,
            ),
            Self::ScopesMissing(required) => (
                StatusCode::FORBIDDEN,
                WWW_AUTHENTICATE,
                scope_challenge(required),
                r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"the API key lacks a scope that this request needs; WWW-Authenticate names them"}"#,
            ),
            Self::Denied(Denied::Unavailable { retry_after }) => (
                StatusCode::SERVICE_UNAVAILABLE,
                RETRY_AFTER,
                HeaderValue::from(whole_seconds(*retry_after)),
                r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"API keys cannot be checked at the moment; try again later"}"#,
            ),
        };
        let mut response = Response::new(R::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert(header, value);
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM);
        response
    }
}

/// RFC 6750, section 3: what is lacking, and the scopes that are needed.
fn scope_challenge(required: &Scopes) -> HeaderValue {
    let challenge =
        format!(r#"Bearer realm="api", error="insufficient_scope", scope="{required}""#);
    HeaderValue::try_from(challenge).expect("a scope has no character that a header cannot have")
}

/// Rounded up: trying again too early would be in vain.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
