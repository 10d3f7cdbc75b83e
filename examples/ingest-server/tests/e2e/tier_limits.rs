//! Limits of a tier that a test can count with.

use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::harness::Server;

/// The free tier with another limit of one category.
pub(crate) async fn limit(server: &Server, category: &str, limit: Value) {
    limit_all(server, [(category, limit)]).await;
}

/// The free tier with bursts to which no token comes back while a test lasts, however long it is held up.
pub(crate) async fn limit_for_good<const N: usize>(server: &Server, bursts: [(&str, u32); N]) {
    let limits = bursts.map(|(category, burst)| {
        let limit = json!({ "per-hour": 1, "burst": burst });
        (category, limit)
    });
    limit_all(server, limits).await;
}

async fn limit_all<const N: usize>(server: &Server, limits: [(&str, Value); N]) {
    let categories: Map<String, Value> = limits
        .into_iter()
        .map(|(category, limit)| (category.to_owned(), json!({ "tenant": limit })))
        .collect();
    let policies = json!({ "tier": { "free": { "category": categories } } });
    let put = server.admin(Method::PUT, "/admin/limits").json(&policies);
    assert_eq!(put.send().await.unwrap().status(), StatusCode::NO_CONTENT);
}
