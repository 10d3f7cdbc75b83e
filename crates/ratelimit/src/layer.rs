//! A tower layer that checks requests before a service sees them.

mod extract;
mod future;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{StatusCode, request::Parts};
use tower_layer::Layer;
use tower_service::Service;

use crate::{decision::Decision, limiter::RateLimiter, observer::Event};

pub use self::{
    extract::{ByClientAddress, KeyExtractor, OnExtractError, PeerAddress, RateLimitKey},
    future::RateLimitFuture,
};
pub use crate::error::ExtractError;

/// Checks requests before an HTTP service sees them.
///
/// An admitted request goes on with its [`Decision`] among its extensions, and
/// its answer gains the fields `RateLimit-Policy` and `RateLimit`. A refused one is answered 429
/// with `Retry-After` and a problem body, or 503 where a fallback with reduced limits has refused it. If there is no policy for the request or the store does
/// not decide, the answer is 503. If the extractor fails, [`OnExtractError`] decides; default:
/// 503 too. Both are reported to the limiter's [`Observer`](crate::observer::Observer) with the
/// reason.
///
/// ```
/// use std::{convert::Infallible, net::IpAddr, num::NonZeroUsize, sync::Arc};
///
/// use http::{Request, Response, StatusCode};
/// use portcullis_ratelimit::{
///     RateLimiter,
///     address::TrustedProxies,
///     layer::{ByClientAddress, PeerAddress, RateLimitLayer},
///     policy::{Limit, Policies, Rate, Rule},
///     store::{MemoryStore, WhenFull},
/// };
/// use tower::{Service as _, ServiceBuilder, ServiceExt as _};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let one_a_minute = Rule::new(Limit::new(Rate::tokens_per_minute(1), 1)?);
/// let capacity = NonZeroUsize::new(10_000).expect("above zero");
/// let limiter = RateLimiter::builder()
///     .policies(Policies::builder().client_address(one_a_minute).build()?)
///     .store(Arc::new(MemoryStore::new(capacity, WhenFull::SharedOverflow)))
///     .build()?;
/// let proxies = TrustedProxies::new(["10.0.0.0/8"])?;
///
/// let mut service = ServiceBuilder::new()
///     .layer(RateLimitLayer::new(limiter, Arc::new(ByClientAddress::new(proxies))))
///     .service_fn(|_request: Request<()>| async { Ok::<_, Infallible>(Response::new(String::new())) });
///
/// let peer = PeerAddress(IpAddr::from([192, 0, 2, 1]));
/// let request = || Request::builder().extension(peer).body(());
/// assert_eq!(service.ready().await?.call(request()?).await?.status(), StatusCode::OK);
/// let refused = service.ready().await?.call(request()?).await?;
/// assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
/// assert_eq!(refused.headers()["ratelimit-policy"], "\"client-address\";q=1;w=60");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RateLimitLayer {
    limiter: RateLimiter,
    extractor: Arc<dyn KeyExtractor>,
    on_extract_error: OnExtractError,
}

/// The service that [`RateLimitLayer`] makes.
#[derive(Clone, Debug)]
pub struct RateLimit<S> {
    inner: S,
    layer: RateLimitLayer,
}

/// The head of a request and what the limiter says about it.
type Check = Pin<Box<dyn Future<Output = (Parts, Result<Option<Decision>, Unchecked>)> + Send>>;

/// The request was not checked, and is answered with this status.
#[derive(Debug)]
struct Unchecked(StatusCode);

impl RateLimitLayer {
    /// Checks with `limiter` what `extractor` finds in a request.
    #[must_use]
    pub fn new(limiter: RateLimiter, extractor: Arc<dyn KeyExtractor>) -> Self {
        Self {
            limiter,
            extractor,
            on_extract_error: OnExtractError::default(),
        }
    }

    /// What happens to a request if the extractor fails; default: it is answered 503.
    #[must_use]
    pub fn on_extract_error(self, then: OnExtractError) -> Self {
        Self {
            on_extract_error: then,
            ..self
        }
    }

    fn check(self, head: Parts) -> Check {
        Box::pin(async move {
            let checked = self.decide(&head).await;
            (head, checked)
        })
    }

    /// `None` for a request that passes without being counted.
    async fn decide(&self, head: &Parts) -> Result<Option<Decision>, Unchecked> {
        let decision = match self.key(head)? {
            RateLimitKey::Exempt => return Ok(None),
            RateLimitKey::Tenant(request) => self.limiter.check(&request).await,
            RateLimitKey::Address(address) => self.limiter.check_address(address).await,
        };
        decision.map(Some).map_err(|error| {
            self.limiter.observe(&Event::CheckFailed { error: &error });
            Unchecked(StatusCode::SERVICE_UNAVAILABLE)
        })
    }

    fn key<'a>(&'a self, head: &'a Parts) -> Result<RateLimitKey<'a>, Unchecked> {
        self.extractor.extract(head).or_else(|error| {
            self.limiter
                .observe(&Event::KeyNotExtracted { error: &error });
            match self.on_extract_error {
                OnExtractError::Reject(status) => Err(Unchecked(status)),
                OnExtractError::CountAs(address) => Ok(RateLimitKey::Address(address)),
                OnExtractError::Admit => Ok(RateLimitKey::Exempt),
            }
        })
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimit<S>;

    fn layer(&self, inner: S) -> RateLimit<S> {
        RateLimit {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S, ReqBody, ResBody> Service<http::Request<ReqBody>> for RateLimit<S>
where
    S: Service<http::Request<ReqBody>, Response = http::Response<ResBody>> + Clone,
    ResBody: From<String>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RateLimitFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<ReqBody>) -> Self::Future {
        let (parts, body) = request.into_parts();
        // The service that was polled ready is the one to call; its clone may not be ready.
        let next = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, next);
        RateLimitFuture::new(self.layer.clone().check(parts), ready, body)
    }
}

#[cfg(test)]
mod tests;
