//! What is done for one tenant at a time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use moka::sync::Cache;

use super::{PrepareError, flight::Flight};
use crate::{TenantId, store::StoreError};

/// The turns of each tenant.
#[derive(Debug)]
pub(super) struct Turns {
    tenants: Cache<TenantId, Arc<TenantTurns>>,
}

/// The turns of one tenant.
#[derive(Debug, Default)]
pub(super) struct TenantTurns {
    /// To make primary keys.
    pub(super) making: Flight<PrepareError>,
    /// To look for ids that are not known.
    pub(super) looking: Flight<StoreError>,
    /// When a look for ids would be due, if they came evenly.
    due: Mutex<Duration>,
}

impl Turns {
    pub(super) fn new(tenants: u64) -> Self {
        Self {
            tenants: Cache::new(tenants),
        }
    }

    pub(super) fn of(&self, tenant: &TenantId) -> Arc<TenantTurns> {
        match self.tenants.get(tenant) {
            Some(turns) => turns,
            None => self.tenants.get_with(tenant.clone(), Arc::default),
        }
    }
}

impl TenantTurns {
    /// How long from now the next look for ids waits, which is counted: ten at once, then ten in a second.
    pub(super) fn next_look(&self, now: Duration) -> Duration {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = due.saturating_sub(now + LOOKS_AT_ONCE * BETWEEN_LOOKS);
        *due = now.max(*due) + BETWEEN_LOOKS;
        wait
    }
}

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
const LOOKS_AT_ONCE: u32 = 9;
