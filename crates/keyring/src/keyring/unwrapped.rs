//! Unwrapped data keys, bounded in number and age, and every call of the key-encryption key.

mod key;
mod slot;

use std::{sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use moka::{notification::RemovalCause, sync::Cache};

use self::{
    key::{Asked, MAX_AGE},
    slot::Slot,
};
use super::{budget::Budget, flight::Share as _, negative::Refusals};
use crate::{
    clock::Clock,
    entropy::Entropy,
    kek::{KekContext, KekError, KekProvider, WrappedKey},
    observer::{Event, EvictionCause, KekOperation, KekOutcome, NegativeCause, Observer},
    store::StoredKey,
};

pub(crate) use self::key::UnwrappedKey;
pub(super) use self::{key::nanoseconds, slot::MadeKey};

/// The cache of unwrapped keys.
#[derive(Debug)]
pub(super) struct UnwrappedKeys {
    // The whole context is the cache key: an edited store cannot make one tenant's unwrapped key
    // answer for another's.
    slots: Cache<KekContext, Arc<Slot>>,
    refusals: Refusals,
    kek: Arc<dyn KekProvider>,
    budget: Budget,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn Observer>,
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
        let slots = Cache::builder()
            .max_capacity(capacity)
            .time_to_live(MAX_AGE)
            .eviction_listener(move |key, slot: Arc<Slot>, cause| {
                let cause = match cause {
                    RemovalCause::Size => EvictionCause::Capacity,
                    RemovalCause::Expired => EvictionCause::Age,
                    // What the keyring removes itself, it tells itself.
                    RemovalCause::Explicit | RemovalCause::Replaced => return,
                };
                if slot.key().is_some() {
                    listener.observe(&Event::KeyEvicted { key: &key, cause });
                }
            })
            .build();
        Self {
            slots,
            refusals: Refusals::new(),
            kek,
            budget,
            clock,
            entropy,
            observer,
        }
    }

    /// The keys in the clear, in any order. Nothing waits, or is set up to wait, for those at hand, which
    /// nearly all are.
    pub(super) async fn all_unwrapped(
        &self,
        stored: impl Iterator<Item = &StoredKey>,
    ) -> Result<Vec<Arc<UnwrappedKey>>, KekError> {
        let now = self.clock.monotonic();
        let (mut keys, mut others) = (Vec::new(), Vec::new());
        for stored in stored {
            match self.at_hand(stored.context(), now) {
                Some(key) => keys.push(key),
                None => others.push(self.unwrapped(stored)),
            }
        }
        if !others.is_empty() {
            keys.extend(try_join_all(others).await?);
        }
        Ok(keys)
    }

    /// The key in the clear, if it is cached and no refresh is due.
    fn at_hand(&self, context: &KekContext, now: Duration) -> Option<Arc<UnwrappedKey>> {
        let slot = self.slots.get(context)?;
        let key = slot.key()?;
        let age = key.age(now);
        if age >= MAX_AGE || key.is_refresh_due(now) {
            return None;
        }
        self.observer.observe(&Event::CacheHit { key: context });
        Some(Arc::clone(key))
    }

    /// The key in the clear, at most 24 h after it was unwrapped.
    async fn unwrapped(&self, stored: &StoredKey) -> Result<Arc<UnwrappedKey>, KekError> {
        let context = stored.context();
        let key = self.cached(stored).await?;
        let now = self.clock.monotonic();
        let age = key.age(now);
        if age >= MAX_AGE {
            self.evict(context, EvictionCause::Age);
            return self.cached(stored).await;
        }
        if !key.claims_refresh(now) {
            return Ok(key);
        }
        let (serves_for, answer) = match self.unwrap_key(stored).await {
            Ok(fresh) => {
                let slot = Slot::of(Arc::clone(&fresh));
                self.remove(context);
                self.slots.insert(context.clone(), Arc::new(slot));
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

    /// Makes a key, for [`keep`](Self::keep).
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
    pub(super) fn keep(&self, made: MadeKey) {
        self.slot(&made.key.context.clone()).keep(made);
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

    fn remove(&self, context: &KekContext) -> bool {
        let removed = self.slots.remove(context);
        if removed.is_some() {
            // The cache would let go of the value only now and then.
            self.slots.run_pending_tasks();
        }
        removed.is_some_and(|slot| slot.key().is_some())
    }

    /// From the cache, or unwrapped into it; callers who want the same key wait for one call.
    async fn cached(&self, stored: &StoredKey) -> Result<Arc<UnwrappedKey>, KekError> {
        let key = stored.context();
        let slot = self.slot(key);
        if let Some(cached) = slot.key_of(stored) {
            self.observer.observe(&Event::CacheHit { key });
            return Ok(Arc::clone(cached));
        }
        self.observer.observe(&Event::CacheMiss { key });
        let unwrap = async {
            let key = self.unwrap_key(stored).await?;
            Ok(Arc::clone(slot.set(key)))
        };
        let unwrapped = || slot.key().cloned();
        slot.unwrapping.run(unwrapped, unwrap).await
    }

    fn slot(&self, context: &KekContext) -> Arc<Slot> {
        match self.slots.get(context) {
            Some(slot) => slot,
            None => self.slots.get_with(context.clone(), Arc::default),
        }
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
        let is_refusal = matches!(
            error,
            KekError::Rejected | KekError::UnknownVersion(_) | KekError::UnknownKey(_)
        );
        if !is_refusal || self.kek.is_local() {
            return error;
        }
        let error = Arc::new(error);
        let now = self.clock.monotonic();
        self.refusals.insert(context, wrapped, &error, now);
        KekError::share(&error)
    }
}
