//! What was asked for in vain, so that nobody can have it asked for without end.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;

use crate::{
    KeyId, TenantId,
    kek::{KekContext, KekError, WrappedKey},
};

/// Ids that tenants do not have: each costs a reading of the store only once in a while.
///
/// That an id is unknown can be kept, since ids are random: no key gets one that was asked for before.
#[derive(Debug)]
pub(super) struct UnknownIds {
    // Since when, by the clock of the keyring.
    ids: Cache<(TenantId, KeyId), Duration>,
}

/// Wrapped keys that the key-encryption key has refused to open.
#[derive(Debug)]
pub(super) struct Refusals {
    keys: Cache<KekContext, Refusal>,
}

#[derive(Debug, Clone)]
struct Refusal {
    wrapped: WrappedKey,
    since: Duration,
    error: Arc<KekError>,
}

impl UnknownIds {
    pub(super) fn new() -> Self {
        let ids = Cache::builder()
            .max_capacity(KEPT)
            .time_to_live(UNKNOWN_FOR)
            .build();
        Self { ids }
    }

    pub(super) fn contains(&self, tenant: &TenantId, id: KeyId, now: Duration) -> bool {
        let since = self.ids.get(&(tenant.clone(), id));
        since.is_some_and(|since| now.saturating_sub(since) < UNKNOWN_FOR)
    }

    pub(super) fn insert(&self, tenant: &TenantId, id: KeyId, now: Duration) {
        self.ids.insert((tenant.clone(), id), now);
    }
}

impl Refusals {
    pub(super) fn new() -> Self {
        let keys = Cache::builder()
            .max_capacity(KEPT)
            .time_to_live(REFUSED_FOR)
            .build();
        Self { keys }
    }

    /// Why this very key was refused a moment ago. One that was wrapped again since is another.
    pub(super) fn find(
        &self,
        context: &KekContext,
        wrapped: &WrappedKey,
        now: Duration,
    ) -> Option<Arc<KekError>> {
        let refusal = self.keys.get(context)?;
        let stands = refusal.wrapped == *wrapped && now.saturating_sub(refusal.since) < REFUSED_FOR;
        stands.then_some(refusal.error)
    }

    pub(super) fn insert(
        &self,
        context: &KekContext,
        wrapped: &WrappedKey,
        error: &Arc<KekError>,
        since: Duration,
    ) {
        let refusal = Refusal {
            wrapped: wrapped.clone(),
            since,
            error: Arc::clone(error),
        };
        self.keys.insert(context.clone(), refusal);
    }
}

/// Of each kind: what is too much pushes out what was not asked for lately.
const KEPT: u64 = 8192;
const UNKNOWN_FOR: Duration = Duration::from_secs(60);
/// A version of the key-encryption key that is configured late, or enabled again, is tried again after this.
const REFUSED_FOR: Duration = Duration::from_secs(30);
