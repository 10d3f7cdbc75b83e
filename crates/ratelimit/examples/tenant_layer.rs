//! The layer after authentication: a key extractor of your own counts tenants, requests without
//! one are answered 401, and an observer is told why.
//!
//! `cargo run -p portcullis-ratelimit --example tenant_layer --features tower`

use std::{
    convert::Infallible,
    error::Error,
    num::NonZeroUsize,
    sync::{Arc, OnceLock},
};

use http::{Request, Response, StatusCode, request::Parts};
use portcullis_ratelimit::{
    Category, RateLimitRequest, RateLimiter, Tier,
    layer::{ExtractError, KeyExtractor, OnExtractError, RateLimitKey, RateLimitLayer},
    observer::{Event, Observer},
    policy::Policies,
    store::{MemoryStore, WhenFull},
};
use tower::{ServiceBuilder, ServiceExt as _};

/// What a layer that authenticates leaves among the extensions of a request.
#[derive(Clone, Debug)]
struct Caller(String);

#[derive(Debug)]
struct ByCaller;

impl KeyExtractor for ByCaller {
    fn extract<'a>(&'a self, head: &'a Parts) -> Result<RateLimitKey<'a>, ExtractError> {
        if head.uri.path() == "/healthz" {
            return Ok(RateLimitKey::Exempt);
        }
        let missing = ExtractError::Missing("an authenticated caller");
        let Caller(tenant) = head.extensions.get().ok_or(missing)?;
        let request = RateLimitRequest::new(tenant, &Tier::FREE, &Category::READ);
        Ok(RateLimitKey::Tenant(request))
    }
}

#[derive(Debug, Default)]
struct FirstFault(OnceLock<String>);

impl Observer for FirstFault {
    fn observe(&self, event: &Event<'_>) {
        if let Event::KeyNotExtracted { error } = event {
            self.0.get_or_init(|| error.to_string());
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let fault = Arc::new(FirstFault::default());
    let capacity = NonZeroUsize::new(10_000).ok_or("above zero")?;
    let store = MemoryStore::new(capacity, WhenFull::SharedOverflow);
    let limiter = RateLimiter::builder()
        .policies(Policies::tier_defaults())
        .store(Arc::new(store))
        .observer(fault.clone())
        .build()?;
    let layer = RateLimitLayer::new(limiter, Arc::new(ByCaller))
        .on_extract_error(OnExtractError::Reject(StatusCode::UNAUTHORIZED));
    let service = ServiceBuilder::new()
        .layer(layer)
        .service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));

    let known = Request::get("/").extension(Caller("acme".to_owned()));
    let known = service.clone().oneshot(known.body(())?).await?;
    assert_eq!(known.headers()["ratelimit"], "\"category\";r=9;t=1");
    let health = Request::get("/healthz").body(())?;
    assert!(service.clone().oneshot(health).await?.status().is_success());
    let unknown = service.oneshot(Request::get("/").body(())?).await?;
    assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
    let fault = fault.0.get();
    assert!(fault.is_some_and(|fault| fault.contains("an authenticated caller")));
    Ok(())
}
