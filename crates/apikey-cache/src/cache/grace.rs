//! Answers from memory while neither the feed nor the store can be asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    ApiKeyCache, Denied, MAX_TTL, Shared,
    load::LoadFailed,
    nanoseconds,
    validate::{Decision, Source},
};
use crate::{
    key::ApiKey,
    observer::{Event, Hit},
    principal::Principal,
    scope::Scopes,
};

/// How long a store that was found unreachable is not waited for again by who need not.
const STORE_LEFT_ALONE: Duration = Duration::from_millis(500);

impl ApiKeyCache {
    /// Who presents this key, for a request that needs these scopes; whether the key has them is for the caller
    /// to see.
    ///
    /// As [`validate`](Self::validate), unless the cache has a [grace](super::ApiKeyCacheBuilder::grace) for
    /// all of the scopes: then a cached record is also used when neither the feed nor the store could be asked.
    /// Such a principal has no scopes but those in grace, and [is not confirmed](Principal::is_confirmed).
    /// A request that needs no scope has no grace.
    ///
    /// # Errors
    ///
    /// [`Denied::Unauthorized`] if the key is not accepted, [`Denied::Unavailable`] if that could
    /// not be checked.
    pub async fn validate_for(&self, key: &ApiKey, needed: &Scopes) -> Result<Principal, Denied> {
        match self.shared.validate_from_memory(key) {
            Decision::Made(answer) => answer,
            Decision::Renew(principal) => self.shared.renew(key, principal).await,
            Decision::Open(Source::OwnLoad) => self.shared.validate_unconfirmed(key, needed).await,
            Decision::Open(source) => self.shared.validate_from_store(key, source).await,
        }
    }
}

impl Shared {
    async fn validate_unconfirmed(
        self: &Arc<Self>,
        key: &ApiKey,
        needed: &Scopes,
    ) -> Result<Principal, Denied> {
        let Some(grace) = self.grace.as_ref().filter(|grace| grace.is_for(needed)) else {
            return self.validate_from_store(key, Source::OwnLoad).await;
        };
        // Each request would wait for as long as the store is given to answer.
        if grace.spares_store(nanoseconds(self.clock.monotonic()))
            && let Some(answer) = self.decide_in_grace(key, grace)
        {
            return answer;
        }
        let loaded = self.load_from(key, Source::OwnLoad).await;
        if let Err(LoadFailed::StoreFailed) = loaded
            && let Some(answer) = self.decide_in_grace(key, grace)
        {
            return answer;
        }
        self.decide_on_load(key, loaded).await
    }

    /// The answer from memory, if there is a record and there has been confirmation lately enough.
    fn decide_in_grace(&self, key: &ApiKey, grace: &Grace) -> Option<Result<Principal, Denied>> {
        let now = self.clock.monotonic();
        let confirmed_until = self.confirmed_until.load(Ordering::SeqCst);
        let ends_at = confirmed_until.saturating_add(nanoseconds(self.longest_grace()));
        if confirmed_until == 0 || nanoseconds(now) >= ends_at {
            return None;
        }
        let entry = self.fenced.key(key.kid(), now)?;
        self.emit(&Event::Hit(Hit::Unconfirmed));
        let decided = self.decide(key, entry);
        Some(decided.map(|accepted| accepted.principal.restricted_to(&grace.scopes)))
    }

    /// For how long after its memory ceased to be confirmed this cache may accept a key; zero without a grace.
    pub(super) fn longest_grace(&self) -> Duration {
        self.grace
            .as_ref()
            .map_or(Duration::ZERO, |grace| grace.longest)
    }

    /// A load found out whether the store can be asked.
    pub(super) fn note_store(&self, reachable: Reachable) {
        if let Some(grace) = &self.grace {
            grace.note_store(reachable, nanoseconds(self.clock.monotonic()));
        }
    }
}

/// Whether the store answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reachable {
    Yes,
    No,
}

/// Which scopes are granted unconfirmed, and for how long.
#[derive(Debug)]
pub(super) struct Grace {
    scopes: Scopes,
    longest: Duration,
    /// Until when the store is left alone, in nanoseconds of the monotonic clock; zero while it answers.
    store_left_alone_until: AtomicU64,
}

impl Grace {
    /// `None` if it would never be used.
    pub(super) fn new(scopes: Scopes, longest: Duration) -> Option<Self> {
        let is_used = !longest.is_zero() && scopes.iter().next().is_some();
        is_used.then(|| Self {
            scopes,
            longest: longest.min(MAX_TTL),
            store_left_alone_until: AtomicU64::new(0),
        })
    }

    fn is_for(&self, needed: &Scopes) -> bool {
        needed.iter().next().is_some() && self.scopes.contains_all(needed)
    }

    /// Whether a request is not to ask the store, since it was found unreachable a moment ago. Every half of a
    /// second one request does.
    fn spares_store(&self, now: u64) -> bool {
        let pause = nanoseconds(STORE_LEFT_ALONE);
        let until = self.store_left_alone_until.load(Ordering::Relaxed);
        if now < until {
            return true;
        }
        // Of a store that nobody has asked since, nothing is known.
        let is_known = until != 0 && now < until.saturating_add(pause);
        let asks = || {
            self.store_left_alone_until.compare_exchange(
                until,
                now + pause,
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
        };
        is_known && asks().is_err()
    }

    fn note_store(&self, reachable: Reachable, now: u64) {
        let until = match reachable {
            Reachable::No => now + nanoseconds(STORE_LEFT_ALONE),
            Reachable::Yes if self.store_left_alone_until.load(Ordering::Relaxed) == 0 => return,
            Reachable::Yes => 0,
        };
        self.store_left_alone_until.store(until, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
