//! How often the keys of the store have changed, as last read: one number for all tenants.

use std::time::Duration;

use tokio::sync::RwLock;

use crate::store::{DekStore, StoreError};

/// The number of changes, as last read.
#[derive(Debug, Default)]
pub(super) struct Changes {
    last: RwLock<Option<Counted>>,
}

/// A number of changes, and when the read of it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) number: u64,
    pub(super) read_at: Duration,
}

impl Changes {
    /// What is known, if `still_good` says so of the moment it was read; else what the store says by
    /// `now`, which may be that it does not count. Callers who come together wait for one read.
    pub(super) async fn read_unless(
        &self,
        still_good: impl Fn(Duration) -> bool,
        store: &dyn DekStore,
        now: Duration,
    ) -> Result<Option<Counted>, StoreError> {
        let good = |counted: &Counted| still_good(counted.read_at);
        if let Some(counted) = self.last.read().await.filter(good) {
            return Ok(Some(counted));
        }
        let mut last = self.last.write().await;
        if let Some(counted) = last.filter(good) {
            return Ok(Some(counted));
        }
        let number = store.changes().await?;
        *last = number.map(|number| Counted {
            number,
            read_at: now,
        });
        Ok(*last)
    }
}
