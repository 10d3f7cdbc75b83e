//! A cache that has read its feed and has every key in memory.

use std::{
    num::NonZeroUsize,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, ApiKeyCacheBuilder, Denied, NewKey, Peppers, Principal, Tier,
    feed::ChangeFeed,
    secrets::VersionedSecrets,
    store::{KeyStore, MemoryKeyStore},
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

/// The pepper is 32 times this byte.
pub(crate) fn builder<S: KeyStore + ChangeFeed + 'static>(
    store: Arc<S>,
    pepper: u8,
) -> ApiKeyCacheBuilder {
    let secret = SecretBox::new(Box::new([pepper; 32]));
    let peppers = Peppers::new(VersionedSecrets::single(secret)).expect("its version is 1");
    ApiKeyCache::builder(store.clone(), store, peppers).clock(Arc::new(StoppedClock::new()))
}

impl Ours {
    /// So many issued keys, each of which was used once.
    pub(crate) fn with_keys(count: usize, pepper: u8) -> Self {
        let store = Arc::new(MemoryKeyStore::new());
        let capacity = NonZeroUsize::new(2 * count).expect("there are keys");
        let cache = builder(store, pepper).capacity(capacity).build();
        block_on(async {
            let ours = Self::over(cache, count).await;
            ours.fill().await;
            ours
        })
    }

    /// So many issued keys, of which the cache has none in memory yet.
    pub(crate) async fn over(cache: ApiKeyCache, count: usize) -> Self {
        let keys = issue(&cache, count).await;
        Self::of(cache, keys).await
    }

    /// These keys, which were issued already.
    pub(crate) async fn of(cache: ApiKeyCache, keys: Vec<String>) -> Self {
        let confirmed = async {
            while cache.stats().confirmed_for == Duration::ZERO {
                yield_now().await;
            }
        };
        select! {
            () = cache.follow() => {}
            () = confirmed => {}
        }
        Self { cache, keys }
    }

    /// Each key is used once.
    pub(crate) async fn fill(&self) {
        for key in &self.keys {
            let accepted = self.cache.validate(&parsed(key)).await;
            accepted.expect("it was issued");
        }
    }

    pub(crate) fn keys(&self) -> &[String] {
        &self.keys
    }

    pub(crate) fn cache(&self) -> &ApiKeyCache {
        &self.cache
    }

    /// What a request with this text costs, which never waits: the record is in memory.
    pub(crate) fn validate(&self, text: &str) -> Result<Principal, Denied> {
        let key = ApiKey::parse(text).map_err(|_| Denied::Unauthorized)?;
        self.validate_key(&key)
    }

    /// The same without parsing.
    pub(crate) fn validate_key(&self, key: &ApiKey) -> Result<Principal, Denied> {
        let answer = pin!(self.cache.validate(key));
        match answer.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("a cached key waited for the store"),
        }
    }
}

pub(crate) fn parsed(text: &str) -> ApiKey {
    ApiKey::parse(text).expect("its checksum is good")
}

/// For what has no time to be measured in.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime of one thread").block_on(work)
}

pub(crate) async fn issue(cache: &ApiKeyCache, count: usize) -> Vec<String> {
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
