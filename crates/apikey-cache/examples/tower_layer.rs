//! `ApiKeyLayer` around a plain tower service: 401 without a key, 403 without the scope, and the
//! owner of the key in the request's extensions.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{convert::Infallible, error::Error, sync::Arc};

use http::{Request, Response, StatusCode, header::WWW_AUTHENTICATE};
use portcullis_apikey_cache::{
    ApiKeyCache, NewKey, Peppers, Principal, Tier, layer::ApiKeyLayer, secrets::VersionedSecrets,
    store::MemoryKeyStore,
};
use secrecy::SecretBox;
use tower::{ServiceExt, service_fn};
use tower_layer::Layer;

/// The service behind the layer, which answers with the tenant of the key.
async fn tenant(request: Request<()>) -> Result<Response<String>, Infallible> {
    let principal = request.extensions().get::<Principal>();
    let tenant = principal.map_or("nobody", |principal| principal.tenant().as_str());
    Ok(Response::new(tenant.to_owned()))
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

    let reading = ApiKeyLayer::new(cache.clone()).require_scopes("leads:read".parse()?);
    let writing = ApiKeyLayer::new(cache).require_scopes("leads:write".parse()?);
    let send = async |layer: &ApiKeyLayer, credential: Option<&str>| {
        let mut request = Request::new(());
        if let Some(credential) = credential {
            let value = format!("Bearer {credential}").parse()?;
            request.headers_mut().insert("authorization", value);
        }
        let response = layer.layer(service_fn(tenant)).oneshot(request).await?;
        println!("{} {}", response.status(), response.body());
        Ok::<_, Box<dyn Error>>(response)
    };

    // EXPOSE: the owner of the key sends it.
    let good = send(&reading, Some(key.hazmat_expose())).await?;
    assert_eq!(good.status(), StatusCode::OK);
    assert_eq!(good.body(), "tenant-7");

    let missing = send(&reading, None).await?;
    assert_eq!(missing.status(), StatusCode::UNAUTHORIZED);

    let narrow = send(&writing, Some(key.hazmat_expose())).await?;
    assert_eq!(narrow.status(), StatusCode::FORBIDDEN);
    let challenge = narrow.headers()[WWW_AUTHENTICATE].to_str()?;
    assert!(challenge.ends_with(r#"error="insufficient_scope", scope="leads:write""#));
    Ok(())
}
