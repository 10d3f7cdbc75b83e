//! Caches of several processes on one database.

use std::sync::Arc;

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, EffectiveBy, NewKey, Peppers, secrets::VersionedSecrets,
};
use secrecy::SecretBox;

use super::*;

/// A cache as another process would make it, which follows the outbox.
async fn cache(server: &Server) -> ApiKeyCache {
    let store = Arc::new(migrated(server.schema("shared").await).await);
    let secret = SecretBox::new(Box::new([1; 32]));
    let peppers = Peppers::new(VersionedSecrets::single(secret)).unwrap();
    let cache = ApiKeyCache::builder(Arc::clone(&store) as _, store, peppers);
    let cache = cache.store_timeout(DEADLINE).build();
    tokio::spawn(cache.follow());
    cache
}

async fn issued(by: &ApiKeyCache) -> ApiKey {
    let new = NewKey::new("tenant-7".parse().unwrap(), Tier::FREE, "".parse().unwrap());
    by.issue(new).await.unwrap().into_key()
}

async fn until_from_memory(cache: &ApiKeyCache, key: &ApiKey) {
    let before = cache.stats().hits;
    let from_memory = async {
        while cache.stats().hits == before {
            cache.validate(key).await.unwrap();
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, from_memory).await.unwrap();
}

async fn until_refused(cache: &ApiKeyCache, key: &ApiKey) {
    let refused = async {
        while cache.validate(key).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, refused).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_by_another_process_is_applied_and_known_to_be() {
    let server = Server::start();
    let (serving, admin) = (cache(&server).await, cache(&server).await);
    let key = issued(&admin).await;
    until_from_memory(&serving, &key).await;
    let revocation = admin.revoke(key.kid()).await.unwrap();
    let effective = timeout(DEADLINE, revocation.effective()).await.unwrap();
    assert_eq!(effective.how, EffectiveBy::Acknowledged);
    assert!(serving.validate(&key).await.is_err());
    assert_eq!(serving.stats().feed_gaps, 0);
}

/// The row of the last number goes back with the rows of the keys.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_restored_from_a_copy_is_noticed() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let (serving, admin) = (cache(&server).await, cache(&server).await);
    issued(&admin).await;
    run(
        &pool,
        "CREATE TABLE kept_key AS SELECT * FROM apikey_cache_api_key;
         CREATE TABLE kept_change AS SELECT * FROM apikey_cache_outbox;
         CREATE TABLE kept_feed AS SELECT * FROM apikey_cache_feed",
    )
    .await;
    let key = issued(&admin).await;
    until_from_memory(&serving, &key).await;
    // What it has read by then, it would not read again.
    let other = issued(&admin).await;
    let revocation = admin.revoke(other.kid()).await.unwrap();
    let effective = timeout(DEADLINE, revocation.effective()).await.unwrap();
    assert_eq!(effective.how, EffectiveBy::Acknowledged);
    run(
        &pool,
        "BEGIN; TRUNCATE apikey_cache_api_key, apikey_cache_outbox, apikey_cache_feed;
         INSERT INTO apikey_cache_api_key SELECT * FROM kept_key;
         INSERT INTO apikey_cache_outbox SELECT * FROM kept_change;
         INSERT INTO apikey_cache_feed SELECT * FROM kept_feed; COMMIT",
    )
    .await;
    until_refused(&serving, &key).await;
}
