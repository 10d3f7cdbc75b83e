//! The layer around a service.

use std::{
    convert::Infallible,
    net::IpAddr,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use http::{Request, Response, StatusCode, request::Parts};
use tower::{Service, ServiceBuilder, ServiceExt as _};

use super::{
    ByClientAddress, ExtractError, KeyExtractor, OnExtractError, PeerAddress, RateLimitKey,
    RateLimitLayer,
};
use crate::{
    address::TrustedProxies,
    clock::FakeClock,
    decision::Decision,
    error::CheckError,
    jitter::Jitter,
    limiter::RateLimiter,
    name::{Category, Tier},
    observer::{Event, Observer},
    policy::{Limit, Policies, Rate, Rule},
    request::RateLimitRequest,
    store::{Charge, ChargeFuture, FallbackStore, MemoryStore, Store, StoreError, WhenFull},
};

/// Takes the tenant from a header, as a layer that authenticates would have left it.
#[derive(Debug)]
struct ByHeader(Category);

impl KeyExtractor for ByHeader {
    fn extract<'a>(&'a self, head: &'a Parts) -> Result<RateLimitKey<'a>, ExtractError> {
        if head.uri.path() == "/healthz" {
            return Ok(RateLimitKey::Exempt);
        }
        let tenant = head
            .headers
            .get("tenant")
            .and_then(|value| value.to_str().ok());
        let tenant = tenant.ok_or(ExtractError::Missing("a tenant"))?;
        Ok(RateLimitKey::Tenant(RateLimitRequest::new(
            tenant,
            &Tier::FREE,
            &self.0,
        )))
    }
}

/// The text of each event that is no decision.
#[derive(Debug, Default)]
struct Faults(Mutex<Vec<String>>);

impl Faults {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Faults {
    fn observe(&self, event: &Event<'_>) {
        let text = match event {
            Event::KeyNotExtracted { error } => error.to_string(),
            Event::CheckFailed { error } => error.to_string(),
            _ => return,
        };
        self.0.lock().unwrap().push(text);
    }
}

fn limiter() -> RateLimiter {
    observed(Arc::default())
}

fn observed(faults: Arc<Faults>) -> RateLimiter {
    let capacity = NonZeroUsize::new(100).unwrap();
    with_store(faults, MemoryStore::new(capacity, WhenFull::EvictLeast))
}

fn with_store(faults: Arc<Faults>, store: impl Store + 'static) -> RateLimiter {
    let rule = |burst| Rule::new(Limit::new(Rate::tokens_per_minute(60), burst).unwrap());
    let policies = Policies::builder()
        .client_address(rule(2))
        .category(Tier::FREE, Category::INGEST, rule(1))
        .build()
        .unwrap();
    RateLimiter::builder()
        .policies(policies)
        .store(Arc::new(store))
        .clock(Arc::new(FakeClock::new()))
        .observer(faults)
        .jitter(Jitter::none())
        .build()
        .unwrap()
}

fn by_header(category: Category) -> RateLimitLayer {
    RateLimitLayer::new(limiter(), Arc::new(ByHeader(category)))
}

fn by_address() -> RateLimitLayer {
    let proxies = TrustedProxies::new(["10.0.0.0/8"]).unwrap();
    RateLimitLayer::new(limiter(), Arc::new(ByClientAddress::new(proxies)))
}

/// Answers whether the limiter's decision reached it. As with many services, a clone of a ready
/// one is not ready.
#[derive(Debug)]
struct Inner {
    is_ready: bool,
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        Self { is_ready: false }
    }
}

impl Service<Request<()>> for Inner {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.is_ready),
            "called without being polled ready"
        );
        let decided = request
            .extensions()
            .get::<Decision>()
            .is_some_and(Decision::is_admitted);
        std::future::ready(Ok(Response::new(format!("decided: {decided}"))))
    }
}

fn service(
    layer: RateLimitLayer,
) -> impl Service<Request<()>, Response = Response<String>, Error = Infallible> {
    ServiceBuilder::new()
        .layer(layer)
        .service(Inner { is_ready: false })
}

async fn call(
    service: &mut impl Service<Request<()>, Response = Response<String>, Error = Infallible>,
    request: http::request::Builder,
) -> Response<String> {
    service
        .ready()
        .await
        .unwrap()
        .call(request.body(()).unwrap())
        .await
        .unwrap()
}

fn of_tenant(tenant: &str) -> http::request::Builder {
    Request::get("/").header("tenant", tenant)
}

fn from(peer: [u8; 4]) -> http::request::Builder {
    Request::get("/").extension(PeerAddress(IpAddr::from(peer)))
}

fn fields<'a>(response: &'a Response<String>, name: &str) -> Vec<&'a str> {
    response
        .headers()
        .get_all(name)
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_admitted_request_goes_on_with_its_decision_and_the_answer_says_what_is_left() {
    let mut service = service(by_header(Category::INGEST));
    let response = call(&mut service, of_tenant("acme")).await;
    assert_eq!(
        (response.status(), response.body().as_str()),
        (StatusCode::OK, "decided: true")
    );
    assert_eq!(
        fields(&response, "ratelimit-policy"),
        [r#""category";q=1;w=1"#]
    );
    assert_eq!(fields(&response, "ratelimit"), [r#""category";r=0;t=1"#]);
    assert_eq!(fields(&response, "retry-after"), [""; 0]);
}

#[tokio::test]
async fn a_refused_request_is_answered_429_with_a_problem() {
    let mut service = service(by_header(Category::INGEST));
    call(&mut service, of_tenant("acme")).await;
    let response = call(&mut service, of_tenant("acme")).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        fields(&response, "content-type"),
        ["application/problem+json"]
    );
    assert_eq!(fields(&response, "retry-after"), ["1"]);
    assert_eq!(
        fields(&response, "ratelimit-policy"),
        [r#""category";q=1;w=1"#]
    );
    let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
    let expected = serde_json::json!({
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Request cannot be satisfied as assigned quota has been exceeded",
        "status": 429,
        "detail": "Try again after the time that Retry-After gives.",
        "violated-policies": ["category"],
    });
    assert_eq!(body, expected);
    let other = call(&mut service, of_tenant("other")).await;
    assert_eq!(other.status(), StatusCode::OK);
}

/// A store that is down.
#[derive(Debug)]
struct Down;

impl Store for Down {
    fn charge<'a>(&'a self, _: &'a Charge<'a>) -> ChargeFuture<'a> {
        ChargeFuture::ready(Err(StoreError::Unavailable("down".into())))
    }
}

#[tokio::test]
async fn a_request_refused_by_a_fallback_is_answered_503_with_its_problem() {
    let fallback = FallbackStore::builder(Arc::new(Down)).build();
    let limiter = with_store(Arc::default(), fallback);
    let proxies = TrustedProxies::none();
    let layer = RateLimitLayer::new(limiter, Arc::new(ByClientAddress::new(proxies)));
    let mut service = service(layer);
    let peer = PeerAddress(IpAddr::from([192, 0, 2, 1]));
    let request = || Request::get("/").extension(peer);
    // A half of the burst of two.
    assert_eq!(call(&mut service, request()).await.status(), StatusCode::OK);
    let response = call(&mut service, request()).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(fields(&response, "retry-after"), ["2"]);
    let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
    let expected = serde_json::json!({
        "type": "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
        "title": "Request cannot be satisfied due to temporary server capacity constraints",
        "status": 503,
        "detail": "Try again after the time that Retry-After gives.",
        "violated-policies": ["client-address"],
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn exempt_requests_pass_without_being_counted() {
    let mut service = service(by_header(Category::INGEST));
    for _ in 0..3 {
        let response = call(&mut service, Request::get("/healthz")).await;
        assert_eq!(response.body(), "decided: false");
        assert_eq!(fields(&response, "ratelimit"), [""; 0]);
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_checked_does_not_pass() {
    let unknown = call(&mut service(by_header(Category::INGEST)), Request::get("/")).await;
    let no_policy = call(&mut service(by_header(Category::READ)), of_tenant("acme")).await;
    let no_peer = call(&mut service(by_address()), Request::get("/")).await;
    for response in [unknown, no_policy, no_peer] {
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            fields(&response, "content-type"),
            ["application/problem+json"]
        );
        let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        assert_eq!(body["status"], 503);
    }
}

#[tokio::test]
async fn an_event_says_why_a_request_could_not_be_checked() {
    let faults = Arc::new(Faults::default());
    let layer = |extractor| RateLimitLayer::new(observed(Arc::clone(&faults)), extractor);
    let by_address = || Arc::new(ByClientAddress::new(TrustedProxies::none()));

    call(&mut service(layer(by_address())), Request::get("/")).await;
    let [no_peer] = &faults.take()[..] else {
        panic!("one event")
    };
    assert!(no_peer.contains("PeerAddress"), "{no_peer}");

    let by_header = |category| Arc::new(ByHeader(category));
    call(
        &mut service(layer(by_header(Category::INGEST))),
        Request::get("/"),
    )
    .await;
    let [no_tenant] = &faults.take()[..] else {
        panic!("one event")
    };
    assert!(no_tenant.contains("a tenant"), "{no_tenant}");

    let no_policy = &mut service(layer(by_header(Category::READ)));
    call(no_policy, of_tenant("acme")).await;
    assert_eq!(faults.take(), [CheckError::NoPolicy.to_string()]);
    let checked = &mut service(layer(by_header(Category::INGEST)));
    call(checked, of_tenant("acme")).await;
    assert_eq!(faults.take(), [""; 0]);
}

#[tokio::test]
async fn what_happens_without_a_key_can_be_chosen() {
    let layer = |then| by_address().on_extract_error(then);
    let mut unauthorized = service(layer(OnExtractError::Reject(StatusCode::UNAUTHORIZED)));
    let response = call(&mut unauthorized, Request::get("/")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!(
        (&body["status"], &body["title"]),
        (&401.into(), &"Unauthorized".into())
    );

    let shared = OnExtractError::CountAs(IpAddr::from([192, 0, 2, 9]));
    let mut counted = service(layer(shared));
    for (request, status) in [
        (Request::get("/"), 200),
        (from([192, 0, 2, 9]), 200),
        (Request::get("/"), 429),
        (from([192, 0, 2, 1]), 200),
    ] {
        assert_eq!(call(&mut counted, request).await.status(), status);
    }

    let mut admitted = service(layer(OnExtractError::Admit));
    for _ in 0..3 {
        let response = call(&mut admitted, Request::get("/")).await;
        assert_eq!(response.body(), "decided: false");
    }
}

#[tokio::test]
async fn addresses_are_those_that_trusted_proxies_name() {
    let mut service = service(by_address());
    let behind = |client: &str| from([10, 0, 0, 1]).header("x-forwarded-for", client);
    for (request, status) in [
        (behind("192.0.2.1"), 200),
        (
            behind("192.0.2.1").header("x-forwarded-for", "10.0.0.9"),
            200,
        ),
        (behind("spoofed, 192.0.2.1"), 429),
        (behind("192.0.2.2"), 200),
        (
            from([192, 0, 2, 3]).header("x-forwarded-for", "192.0.2.1"),
            200,
        ),
    ] {
        assert_eq!(call(&mut service, request).await.status(), status);
    }
}

#[tokio::test]
async fn two_layers_each_add_their_fields() {
    let mut service = ServiceBuilder::new()
        .layer(by_address())
        .layer(by_header(Category::INGEST))
        .service(Inner { is_ready: false });
    let request = from([192, 0, 2, 1]).header("tenant", "acme");
    let response = call(&mut service, request).await;
    assert_eq!(
        fields(&response, "ratelimit-policy"),
        [r#""category";q=1;w=1"#, r#""client-address";q=2;w=2"#]
    );
}
