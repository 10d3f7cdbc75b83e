//! `ApiKeyLayer` in axum: each group of routes demands scopes of its own.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{error::Error, sync::Arc};

use axum::{
    Extension, Router,
    body::Body,
    http::{Request, StatusCode},
    routing::{get, post},
};
use portcullis_apikey_cache::{
    ApiKeyCache, NewKey, Peppers, Principal, Tier, layer::ApiKeyLayer, secrets::VersionedSecrets,
    store::MemoryKeyStore,
};
use secrecy::SecretBox;
use tower::ServiceExt;

fn router(cache: &ApiKeyCache) -> Result<Router, Box<dyn Error>> {
    let layer = |scopes: &str| -> Result<ApiKeyLayer, Box<dyn Error>> {
        Ok(ApiKeyLayer::new(cache.clone()).require_scopes(scopes.parse()?))
    };
    let whoami = async |Extension(principal): Extension<Principal>| principal.tenant().to_string();
    let accept = async || StatusCode::ACCEPTED;
    Ok(Router::new()
        .merge(
            Router::new()
                .route("/whoami", get(whoami))
                .route_layer(layer("")?),
        )
        .merge(
            Router::new()
                .route("/events", post(accept))
                .route_layer(layer("events:write")?),
        ))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Arc::new(MemoryKeyStore::new());
    let secret = SecretBox::new(Box::new([7; 32]));
    let peppers = Peppers::new(VersionedSecrets::single(secret))?;
    let cache = ApiKeyCache::builder(store.clone(), store, peppers).build();
    tokio::spawn(cache.follow());
    let new = NewKey::new("tenant-7".parse()?, Tier::FREE, "leads:read".parse()?);
    let key = cache.issue(new).await?.into_key();
    // EXPOSE: the owner of the key sends it.
    let key = key.hazmat_expose();

    let router = router(&cache)?;
    for (method, path, key, expected) in [
        ("GET", "/whoami", key, StatusCode::OK),
        ("GET", "/whoami", "mistyped", StatusCode::UNAUTHORIZED),
        ("POST", "/events", key, StatusCode::FORBIDDEN),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("x-api-key", key).body(Body::empty())?;
        let response = router.clone().oneshot(request).await?;
        assert_eq!(response.status(), expected);
        println!("{method} {path}: {expected}");
    }
    Ok(())
}
