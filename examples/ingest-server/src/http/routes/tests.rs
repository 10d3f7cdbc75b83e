//! What stands around every route, and what becomes of a panic in one.

mod panics;
mod recorded;

use axum::response::Response;
use http::StatusCode;
use http_body_util::BodyExt as _;
use portcullis_telemetry::{Environment, HttpLayer, Telemetry};
use tower::ServiceExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::{clock::SystemClock, json};

async fn bug() -> Response {
    panic!("canary")
}

#[tokio::test]
async fn a_panic_costs_one_request_and_is_counted_and_traced() {
    let (layer, telemetry) = Telemetry::builder("test")
        .environment(Environment::empty())
        .layer()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    let _active = tracing::subscriber::set_default(subscriber);
    let registry = telemetry.registry();
    let trace = HttpLayer::new(registry, |extensions| {
        extensions.get::<MatchedPath>().map(MatchedPath::as_str)
    });
    // One request in flight: a permit that a panic kept would refuse the second.
    let guards = Guards::new(
        RequestsInFlight::new(1),
        Arc::new(SystemClock),
        trace.unwrap(),
    );
    let router = guarded(serve([get("/bug", Never("a test"), bug)]), guards);
    for _ in 0..2 {
        let request = Request::get("/bug")
            .header("host", "x")
            .body(Body::empty())
            .unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let problem = json::read(&body).unwrap();
        assert_eq!(problem["reason"], "internal");
        assert_eq!(problem["trace_id"].as_str().unwrap().len(), 32);
        assert!(!problem.to_string().contains("canary"));
    }
    let metrics = registry.render(None).unwrap().body;
    let count = metrics
        .lines()
        .find(|line| line.starts_with("http_server_request_duration_seconds_count"));
    let count = count.unwrap();
    assert!(
        count.contains("status_code=\"500\"") && count.ends_with(" 2"),
        "{count}"
    );
}
