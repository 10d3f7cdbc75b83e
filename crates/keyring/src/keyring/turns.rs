//! What is done for one tenant at a time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use moka::sync::Cache;

use super::{PrepareError, flight::Flight, under_way::Held};
use crate::{TenantId, store::StoreError};

/// The turns of each tenant.
#[derive(Debug)]
pub(super) struct Turns {
    held: Held<TenantId, TenantTurns>,
    // When a look for ids would be due, if they came evenly.
    due: Cache<TenantId, Arc<Mutex<Duration>>>,
}

/// The turns of one tenant.
#[derive(Debug, Default)]
pub(super) struct TenantTurns {
    /// To make primary keys.
    pub(super) making: Flight<PrepareError>,
    /// To look for ids that are not known.
    pub(super) looking: Flight<StoreError>,
}

impl Turns {
    pub(super) fn new(tenants: u64) -> Self {
        Self {
            held: Held::default(),
            due: Cache::new(tenants),
        }
    }

    pub(super) fn of(&self, tenant: &TenantId) -> Arc<TenantTurns> {
        self.held.of(tenant)
    }

    /// How long from now the next look for ids waits: ten at once, then ten in a second.
    pub(super) fn next_look(&self, tenant: &TenantId, now: Duration) -> Duration {
        let Some(due) = self.due.get(tenant) else {
            return Duration::ZERO;
        };
        lock(&due).saturating_sub(now + LOOKS_AT_ONCE * BETWEEN_LOOKS)
    }

    /// Counts a look that has waited, and begins. One that is given up before has cost nobody anything.
    pub(super) fn count_look(&self, tenant: &TenantId, now: Duration) {
        let due = match self.due.get(tenant) {
            Some(due) => due,
            None => self.due.get_with(tenant.clone(), Arc::default),
        };
        let mut due = lock(&due);
        *due = now.max(*due) + BETWEEN_LOOKS;
    }
}

fn lock(due: &Mutex<Duration>) -> MutexGuard<'_, Duration> {
    due.lock().unwrap_or_else(PoisonError::into_inner)
}

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
const LOOKS_AT_ONCE: u32 = 9;
