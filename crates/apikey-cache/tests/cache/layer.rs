//! The answers of the tower layer.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{
    Request, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use portcullis_apikey_cache::{
    Principal, layer::ApiKeyLayer, observer::Event, store::MemoryKeyStore,
};
use tower::{ServiceExt, service_fn};
use tower_layer::Layer;

use crate::support::{Node, with_wrong_secret};

/// Sends a request through the layer; the service behind it answers with the tenant.
async fn send(node: &Node, key: Option<&str>) -> Response<String> {
    send_through(ApiKeyLayer::new(node.cache.clone()), key).await
}

async fn send_through(layer: ApiKeyLayer, key: Option<&str>) -> Response<String> {
    let tenant = service_fn(async |request: Request<()>| {
        let principal: &Principal = request.extensions().get().unwrap();
        Ok::<_, Infallible>(Response::new(principal.tenant().to_string()))
    });
    let mut request = Request::new(());
    if let Some(key) = key {
        request
            .headers_mut()
            .insert("x-api-key", key.parse().unwrap());
    }
    layer.layer(tenant).oneshot(request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_good_key_passes_with_its_owner() {
    let node = Node::new();
    let response = send(&node, Some(node.issue().await.key().hazmat_expose())).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.body(), "tenant-7");
}

#[tokio::test(start_paused = true)]
async fn every_denial_is_the_same_401() {
    let node = Node::new();
    let revoked = node.issue().await;
    node.cache.revoke(revoked.kid()).await.unwrap();
    let unknown = Node::new().issue().await;
    let good = node.issue().await;
    let wrong = with_wrong_secret(&good);
    let mistyped = good.key().hazmat_expose().replacen("pcl", "pcx", 1);

    let missing = send(&node, None).await;
    assert_eq!(missing.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(missing.headers()[WWW_AUTHENTICATE], "Bearer realm=\"api\"");
    assert_eq!(missing.headers()[CONTENT_TYPE], "application/problem+json");
    assert!(
        missing
            .body()
            .starts_with(r#"{"type":"about:blank","title":"Unauthorized","#)
    );
    for key in [
        revoked.key().hazmat_expose(),
        unknown.key().hazmat_expose(),
        wrong.hazmat_expose(),
        &mistyped,
        "x",
    ] {
        let response = send(&node, Some(key)).await;
        assert_eq!(response.status(), missing.status());
        assert_eq!(response.headers(), missing.headers());
        assert_eq!(response.body(), missing.body());
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_asked_is_a_503() {
    let node = Node::new();
    let issued = node.issue().await;
    node.store.cut();
    let response = send(&node, Some(issued.key().hazmat_expose())).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    assert!(response.body().contains(r#""status":503"#));
}

#[tokio::test(start_paused = true)]
async fn a_key_without_the_required_scopes_is_a_403_that_names_them() {
    let node = Node::new();
    let issued = node.issue().await;
    let key = issued.key().hazmat_expose();
    let requiring =
        |scopes: &str| ApiKeyLayer::new(node.cache.clone()).require_scopes(scopes.parse().unwrap());
    for granted in ["", "leads:read", "events:write leads:read"] {
        let response = send_through(requiring(granted), Some(key)).await;
        assert_eq!(response.status(), StatusCode::OK, "{granted}");
    }

    let response = send_through(requiring("leads:read pii:read"), Some(key)).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        response.headers()[WWW_AUTHENTICATE],
        r#"Bearer realm="api", error="insufficient_scope", scope="leads:read pii:read""#
    );
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    assert!(response.body().contains(r#""status":403"#));
    let missing = |event: &Event| matches!(event, Event::ScopesMissing);
    assert_eq!(node.events.count(missing), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_key_may_do_is_told_to_its_owner_alone() {
    let node = Node::new();
    let wrong = with_wrong_secret(&node.issue().await);
    let layer = ApiKeyLayer::new(node.cache.clone()).require_scopes("pii:read".parse().unwrap());
    let response = send_through(layer, Some(wrong.hazmat_expose())).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn required_scopes_in_grace_pass_while_keys_cannot_be_checked_and_no_others() {
    let mut node = Node::on(Arc::new(MemoryKeyStore::new()), |builder| {
        let scopes = "leads:read pii:read".parse().unwrap();
        builder.grace(scopes, Duration::from_secs(10))
    });
    node.follow();
    let issued = node.issue().await;
    let key = issued.key().hazmat_expose();
    assert!(node.accepts(issued.key()).await);
    node.store.cut();
    node.pass(Duration::from_secs(3)).await;
    for (required, status) in [
        ("leads:read", StatusCode::OK),
        ("pii:read", StatusCode::FORBIDDEN),
        ("leads:read pii:read", StatusCode::FORBIDDEN),
        ("events:write", StatusCode::SERVICE_UNAVAILABLE),
        ("events:write leads:read", StatusCode::SERVICE_UNAVAILABLE),
        ("", StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let scopes = required.parse().unwrap();
        let layer = ApiKeyLayer::new(node.cache.clone()).require_scopes(scopes);
        let response = send_through(layer, Some(key)).await;
        assert_eq!(response.status(), status, "{required}");
    }
    let wrong = with_wrong_secret(&issued);
    let layer = ApiKeyLayer::new(node.cache.clone()).require_scopes("leads:read".parse().unwrap());
    let response = send_through(layer, Some(wrong.hazmat_expose())).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}
