//! Unwrapped data keys, bounded in number and age, and every call of the key-encryption key.

mod cached;
mod key;

use std::{sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use moka::{notification::RemovalCause, sync::Cache};

use self::{
    cached::{Cached, Slot},
    key::{Asked, MAX_AGE},
};
use super::{
    Shared,
    budget::Budget,
    flight::Share as _,
    negative::Refusals,
    under_way::{Fetch, Held},
};
use crate::{
    TenantId,
    clock::Clock,
    entropy::Entropy,
    kek::{KekContext, KekError, KekProvider, WrappedKey},
    observer::{Event, EvictionCause, KekOperation, KekOutcome, NegativeCause, Observer},
    store::StoredKey,
};

pub(crate) use self::key::UnwrappedKey;
pub(super) use self::{cached::MadeKey, key::nanoseconds};

/// The cache of unwrapped keys.
#[derive(Debug)]
pub(super) struct UnwrappedKeys {
    // The whole context is the cache key: an edited store cannot make one tenant's unwrapped key
    // answer for another's.
    cache: Cache<KekContext, Slot>,
    fetches: Held<KekContext, Fetch<Arc<UnwrappedKey>, KekError>>,
    refusals: Refusals,
    kek: Arc<dyn KekProvider>,
    budget: Budget,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn Observer>,
}

/// Keys that were asked for together.
#[derive(Debug, Default)]
pub(super) struct Opened<'k> {
    pub(super) keys: Vec<Arc<UnwrappedKey>>,
    /// Those that the key-encryption key refuses, and why.
    pub(super) refused: Vec<(&'k StoredKey, KekError)>,
}

impl UnwrappedKeys {
    pub(super) fn new(
        kek: Arc<dyn KekProvider>,
        budget: Budget,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        observer: Arc<dyn Observer>,
        capacity: u64,
    ) -> Self {
        // The time to live lets the cache drop keys that nobody asks for; `unwrapped` itself
        // enforces the limit, by the clock of the keyring.
        let listener = Arc::clone(&observer);
        let cache = Cache::builder()
            .max_capacity(capacity)
            .time_to_live(MAX_AGE)
            .eviction_listener(move |key, dropped: Slot, cause| {
                dropped.empty();
                let cause = match cause {
                    RemovalCause::Size => EvictionCause::Capacity,
                    RemovalCause::Expired => EvictionCause::Age,
                    // What the keyring removes itself, it tells itself.
                    RemovalCause::Explicit | RemovalCause::Replaced => return,
                };
                listener.observe(&Event::KeyEvicted { key: &key, cause });
            })
            .build();
        Self {
            cache,
            fetches: Held::default(),
            refusals: Refusals::new(),
            kek,
            budget,
            clock,
            entropy,
            observer,
        }
    }

    /// The keys in the clear, in any order; without those that the key-encryption key refuses, each by itself. Nothing waits, or is set up to wait, for those at hand, which
    /// nearly all are.
    pub(super) async fn all_unwrapped<'k>(
        &self,
        shared: &Shared,
        stored: impl Iterator<Item = &'k StoredKey>,
    ) -> Result<Opened<'k>, KekError> {
        let now = self.clock.monotonic();
        let (mut opened, mut others) = (Opened::default(), Vec::new());
        for stored in stored {
            match self.at_hand(stored.context(), now) {
                Some(key) => opened.keys.push(key),
                None => others.push(self.unwrapped_or_refused(shared, stored)),
            }
        }
        if !others.is_empty() {
            for other in try_join_all(others).await? {
                match other {
                    Ok(key) => opened.keys.push(key),
                    Err(refused) => opened.refused.push(refused),
                }
            }
        }
        Ok(opened)
    }

    async fn unwrapped_or_refused<'k>(
        &self,
        shared: &Shared,
        stored: &'k StoredKey,
    ) -> Result<Result<Arc<UnwrappedKey>, (&'k StoredKey, KekError)>, KekError> {
        match self.unwrapped(shared, stored).await {
            Ok(key) => Ok(Ok(key)),
            Err(error) if error.is_refusal() => Ok(Err((stored, error))),
            Err(error) => Err(error),
        }
    }

    /// The key in the clear, if it is cached and no refresh is due.
    fn at_hand(&self, context: &KekContext, now: Duration) -> Option<Arc<UnwrappedKey>> {
        let Some(Cached::Unwrapped(key)) = self.look(context) else {
            return None;
        };
        let age = key.age(now);
        if age >= MAX_AGE || key.is_refresh_due(now) {
            return None;
        }
        self.observer.observe(&Event::CacheHit { key: context });
        Some(key)
    }

    /// The key in the clear, at most 24 h after it was unwrapped.
    async fn unwrapped(
        &self,
        shared: &Shared,
        stored: &StoredKey,
    ) -> Result<Arc<UnwrappedKey>, KekError> {
        let context = stored.context();
        let key = self.cached(shared, stored).await?;
        let now = self.clock.monotonic();
        let age = key.age(now);
        if age >= MAX_AGE {
            self.evict(context, EvictionCause::Age);
            return self.cached(shared, stored).await;
        }
        if !key.claims_refresh(now) {
            return Ok(key);
        }
        let fetch = self.fetches.of(context);
        let (serves_for, answer) = match self.unwrap_key(stored).await {
            Ok(fresh) => {
                self.keep_fetched(shared, &fetch, &fresh).await;
                let refreshed = Event::KeyRefreshed { key: context };
                self.observer.observe(&refreshed);
                return Ok(fresh);
            }
            // The cached key outlives an outage, up to its hard limit.
            Err(KekError::Unavailable(_)) => (MAX_AGE - age, Ok(key)),
            Err(refused) => {
                self.remove(context);
                (Duration::ZERO, Err(refused))
            }
        };
        self.observer.observe(&Event::RefreshFailed {
            key: context,
            serves_for,
        });
        answer
    }

    /// Makes a key, for [`keep_made`](Self::keep_made).
    pub(super) async fn make(&self, context: &KekContext) -> Result<MadeKey, KekError> {
        let asked = Asked::at(self.clock.monotonic(), &*self.entropy)?;
        let generate = KekOperation::Generate;
        let made = self.call(generate, context, |kek| kek.generate(context));
        let made = made.await?;
        let (mut key, wrapped) = (made.key, made.wrapped);
        // That what is stored opens costs nothing to see where the key-encryption key is in memory. Of any
        // other it is the contract.
        if self.kek.is_local() {
            key = self.kek.unwrap_key(context, &wrapped).await?;
        }
        let key = Arc::new(UnwrappedKey::new(context.clone(), key, asked));
        Ok(MadeKey { key, wrapped })
    }

    /// Lets a key that was made serve, as soon as the store says that it has it.
    pub(super) fn keep_made(&self, made: MadeKey) {
        let context = made.key.context.clone();
        let made = Cached::Made(Arc::new(made));
        self.cache.insert(context, Slot::new(made));
    }

    /// Drops a key that was made in vain.
    pub(super) fn forget(&self, context: &KekContext) {
        self.remove(context);
    }

    /// What wraps the keys.
    pub(super) fn kek(&self) -> &dyn KekProvider {
        &*self.kek
    }

    /// Asks the key-encryption key, within the budget of calls.
    pub(super) async fn call<'a, T, F>(
        &'a self,
        operation: KekOperation,
        key: &KekContext,
        ask: impl FnOnce(&'a dyn KekProvider) -> F,
    ) -> Result<T, KekError>
    where
        F: Future<Output = Result<T, KekError>>,
    {
        let permit = self.budget.enter().await.map_err(|exhausted| {
            let exhausted_event = Event::CallsExhausted { operation, key };
            self.observer.observe(&exhausted_event);
            KekError::Unavailable(exhausted.into())
        })?;
        let started = self.clock.monotonic();
        let answer = ask(&*self.kek).await;
        let took = self.clock.monotonic().saturating_sub(started);
        drop(permit);
        let error = answer.as_ref().err();
        self.observer.observe(&Event::KekCalled {
            operation,
            key,
            outcome: KekOutcome::of(error),
            error,
            took,
        });
        answer
    }

    /// Drops a key, if it is there, and says so. It is wiped as soon as nobody holds it.
    pub(super) fn evict(&self, context: &KekContext, cause: EvictionCause) {
        if self.remove(context) {
            let key = context;
            self.observer.observe(&Event::KeyEvicted { key, cause });
        }
    }

    /// Drops every key of a tenant, and those that are being unwrapped as soon as they are.
    pub(super) fn evict_tenant(&self, tenant: &TenantId) {
        let is_theirs = |context: &KekContext| context.tenant() == tenant;
        let mut keys = self.fetches.keys(is_theirs);
        keys.extend(self.held().filter(is_theirs));
        for context in keys {
            self.evict(&context, EvictionCause::State);
        }
    }

    /// Which keys are cached in the clear.
    pub(super) fn held(&self) -> impl Iterator<Item = KekContext> {
        self.cache.iter().map(|(context, _)| (*context).clone())
    }

    /// In this order: what is unwrapped meanwhile is not kept.
    fn remove(&self, context: &KekContext) -> bool {
        if let Some(fetch) = self.fetches.take(context) {
            fetch.call_back();
        }
        self.cache.remove(context).is_some()
    }

    fn look(&self, context: &KekContext) -> Option<Cached> {
        self.cache.get(context)?.get()
    }

    /// From the cache, or unwrapped into it; callers who want the same key wait for one call.
    async fn cached(
        &self,
        shared: &Shared,
        stored: &StoredKey,
    ) -> Result<Arc<UnwrappedKey>, KekError> {
        let key = stored.context();
        // Before the look at the cache: what is evicted after it is not put back.
        let fetch = self.fetches.of(key);
        if let Some(found) = self.find(stored, &fetch).or_else(|| fetch.last()) {
            self.observer.observe(&Event::CacheHit { key });
            return Ok(found);
        }
        self.observer.observe(&Event::CacheMiss { key });
        let unwrap = async {
            let key = self.unwrap_key(stored).await?;
            self.keep_fetched(shared, &fetch, &key).await;
            Ok(key)
        };
        fetch.flight.run(|| fetch.last(), unwrap).await
    }

    /// A key that was made here serves only for the very bytes that it was wrapped as: what a store has cut short
    /// or mixed up has to unwrap.
    fn find(
        &self,
        stored: &StoredKey,
        fetch: &Fetch<Arc<UnwrappedKey>, KekError>,
    ) -> Option<Arc<UnwrappedKey>> {
        let context = stored.context();
        match self.look(context)? {
            Cached::Unwrapped(key) => Some(key),
            Cached::Made(made) if stored.wrapped() == Some(&made.wrapped) => {
                self.keep(fetch, &made.key);
                Some(Arc::clone(&made.key))
            }
            Cached::Made(_) => {
                self.cache.invalidate(context);
                None
            }
        }
    }

    /// Keeps a key that the key-encryption key has opened just now, if it still may be used: the states that it
    /// was asked for on can be 5 s old, and the call took its time.
    async fn keep_fetched(
        &self,
        shared: &Shared,
        fetch: &Fetch<Arc<UnwrappedKey>, KekError>,
        key: &Arc<UnwrappedKey>,
    ) {
        if !shared.still_opens(&key.context).await {
            self.fetches.take(&key.context);
            fetch.call_back();
        }
        self.keep(fetch, key);
    }

    fn keep(&self, fetch: &Fetch<Arc<UnwrappedKey>, KekError>, key: &Arc<UnwrappedKey>) {
        fetch.finish(Arc::clone(key), |key| {
            let context = key.context.clone();
            self.cache
                .insert(context, Slot::new(Cached::Unwrapped(key)));
        });
    }

    async fn unwrap_key(&self, stored: &StoredKey) -> Result<Arc<UnwrappedKey>, KekError> {
        let context = stored.context();
        let wrapped = stored.wrapped().ok_or(KekError::Rejected)?;
        let now = self.clock.monotonic();
        if let Some(refused) = self.refusals.find(context, wrapped, now) {
            self.observer.observe(&Event::NegativeHit {
                tenant: context.tenant(),
                key: context.key_id(),
                cause: NegativeCause::Refused,
            });
            return Err(KekError::share(&refused));
        }
        let asked = Asked::at(now, &*self.entropy)?;
        let unwrap_key = KekOperation::UnwrapKey;
        let key = self.call(unwrap_key, context, |kek| kek.unwrap_key(context, wrapped));
        let key = key
            .await
            .map_err(|error| self.note_refusal(context, wrapped, error))?;
        let context = context.clone();
        Ok(Arc::new(UnwrappedKey::new(context, key, asked)))
    }
}

impl UnwrappedKeys {
    /// A refusal stands for a while; a key-encryption key in memory may as well be asked again.
    fn note_refusal(
        &self,
        context: &KekContext,
        wrapped: &WrappedKey,
        error: KekError,
    ) -> KekError {
        if !error.is_refusal() || self.kek.is_local() {
            return error;
        }
        let error = Arc::new(error);
        let now = self.clock.monotonic();
        self.refusals.insert(context, wrapped, &error, now);
        KekError::share(&error)
    }
}
