//! Entries by their time.

use std::num::NonZeroUsize;

use portcullis_audit_log::{
    event::{Leaf, Timestamp},
    store::{EntryBatch, StoreError},
};

use super::AuditReads;

/// What is read at once.
const BATCH: NonZeroUsize = NonZeroUsize::new(256 << 10).expect("256 KiB are some bytes");

impl AuditReads<'_> {
    /// The first entry that is not before a time, but for the seconds that one may have waited to be written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn first_since(&self, time: Timestamp) -> Result<u64, StoreError> {
        let store = self.audit.store();
        let (mut low, mut high) = (store.first().await?, store.size().await?);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.time_of(middle).await?.is_some_and(|at| at < time) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Entries in their order; where they are pruned, from the first on that is left.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn entries(&self, from: u64) -> Result<EntryBatch, StoreError> {
        let store = self.audit.store();
        match store.entries(from, BATCH).await {
            Err(StoreError::Pruned { first, .. }) => store.entries(first, BATCH).await,
            batch => batch,
        }
    }

    async fn time_of(&self, n: u64) -> Result<Option<Timestamp>, StoreError> {
        let store = self.audit.store();
        let batch = match store.entries(n, NonZeroUsize::MIN).await {
            // Pruned meanwhile, and so before any time that is asked for.
            Err(StoreError::Pruned { .. }) => return Ok(Timestamp::from_unix_micros(0)),
            batch => batch?,
        };
        let leaf = batch.iter().next().map(|(_, leaf)| Leaf::parse(leaf));
        let leaf = leaf.transpose().map_err(StoreError::damaged)?;
        Ok(leaf.map(|leaf| leaf.time()))
    }
}
