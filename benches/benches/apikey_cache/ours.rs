//! A cache that has read its feed and has every key in memory.

use std::{
    num::NonZeroUsize,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, Denied, NewKey, Peppers, Principal, Tier, secrets::VersionedSecrets,
    store::MemoryKeyStore,
};
use secrecy::SecretBox;
use tokio::{runtime, select, task::yield_now};

use super::clock::StoppedClock;

/// As long as ids of tenants often are.
pub(crate) const TENANT: &str = "018f6d2e-7c41-7b1a-9a37-5f0c2d4e6b81";

pub(crate) struct Ours {
    cache: ApiKeyCache,
    keys: Vec<String>,
}

impl Ours {
    /// So many issued keys, each of which was used once; the pepper is 32 times this byte.
    pub(crate) fn with_keys(count: usize, pepper: u8) -> Self {
        let store = Arc::new(MemoryKeyStore::new());
        let secret = SecretBox::new(Box::new([pepper; 32]));
        let peppers = Peppers::new(VersionedSecrets::single(secret)).expect("its version is 1");
        let cache = ApiKeyCache::builder(store.clone(), store, peppers)
            .capacity(NonZeroUsize::new(2 * count).expect("there are keys"))
            .clock(Arc::new(StoppedClock::new()))
            .build();
        let runtime = runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime of one thread");
        let keys = runtime.block_on(async {
            let keys = issue(&cache, count).await;
            let confirmed = async {
                while cache.stats().confirmed_for == Duration::ZERO {
                    yield_now().await;
                }
            };
            select! {
                () = cache.follow() => {}
                () = confirmed => {}
            }
            for key in &keys {
                let key = ApiKey::parse(key).expect("it was issued");
                cache.validate(&key).await.expect("it was issued");
            }
            keys
        });
        Self { cache, keys }
    }

    pub(crate) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// What a request with this text costs, which never waits: the record is in memory.
    pub(crate) fn validate(&self, text: &str) -> Result<Principal, Denied> {
        let key = ApiKey::parse(text).map_err(|_| Denied::Unauthorized)?;
        let answer = pin!(self.cache.validate(&key));
        match answer.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("a cached key waited for the store"),
        }
    }
}

async fn issue(cache: &ApiKeyCache, count: usize) -> Vec<String> {
    let mut keys = Vec::with_capacity(count);
    for _ in 0..count {
        let tenant = TENANT.parse().expect("it is a tenant id");
        let scopes = "events:write".parse().expect("it is a scope");
        let new = NewKey::new(tenant, Tier::STANDARD, scopes);
        let key = cache.issue(new).await.expect("the store is in memory");
        keys.push(key.key().hazmat_expose().to_owned());
    }
    keys
}
