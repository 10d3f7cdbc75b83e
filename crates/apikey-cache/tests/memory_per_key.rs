//! What a full cache takes of this process's memory. On its own, so that nothing else counts.
#![cfg(target_os = "linux")]

#[path = "process/memory.rs"]
mod memory;

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, ApiKeyCacheBuilder, NewKey, Peppers, Tier, clock::FakeClock,
    secrets::VersionedSecrets, store::MemoryKeyStore,
};
use secrecy::SecretBox;

use self::memory::resident_bytes;

const KEYS: usize = 1_000_000;
/// Issued by one cache, which remembers for two minutes that it did.
const PART: usize = 100_000;

fn builder(store: &Arc<MemoryKeyStore>) -> ApiKeyCacheBuilder {
    let secret = SecretBox::new(Box::new([7; 32]));
    let peppers = Peppers::new(VersionedSecrets::single(secret)).expect("its version is 1");
    let clock = Arc::new(FakeClock::default());
    ApiKeyCache::builder(store.clone(), store.clone(), peppers).clock(clock)
}

async fn issue(store: &Arc<MemoryKeyStore>) -> Vec<ApiKey> {
    let mut keys = Vec::with_capacity(KEYS);
    for _ in 0..KEYS / PART {
        let cache = builder(store).build();
        for _ in 0..PART {
            let tenant = "018f6d2e-7c41-7b1a-9a37-5f0c2d4e6b81".parse();
            let tenant = tenant.expect("it is a tenant id");
            let scopes = "events:write".parse().expect("it is a scope");
            let issued = cache
                .issue(NewKey::new(tenant, Tier::STANDARD, scopes))
                .await;
            keys.push(issued.expect("the store is in memory").into_key());
        }
    }
    keys
}

#[tokio::test]
async fn a_million_cached_keys_take_at_most_700_bytes_each() {
    let store = Arc::new(MemoryKeyStore::new());
    let keys = issue(&store).await;
    // More than there are keys, since they do not fall evenly on the shards.
    let capacity = NonZeroUsize::new(KEYS * 11 / 10).unwrap();
    let cache = builder(&store).capacity(capacity).build();
    let follower = tokio::spawn(cache.follow());
    while cache.stats().confirmed_for == Duration::ZERO {
        tokio::task::yield_now().await;
    }
    let before = resident_bytes();
    for key in &keys {
        cache.validate(key).await.unwrap();
    }
    let taken = resident_bytes() - before;
    assert_eq!(cache.stats().entries, KEYS as u64);
    let hits = cache.stats().hits;
    cache.validate(&keys[0]).await.unwrap();
    assert_eq!(cache.stats().hits, hits + 1, "the first is still there");
    let bytes_each = taken as f64 / KEYS as f64;
    println!("{bytes_each:.0} bytes a key");
    assert!(
        (450.0..=700.0).contains(&bytes_each),
        "{bytes_each} bytes a key"
    );
    follower.abort();
}
