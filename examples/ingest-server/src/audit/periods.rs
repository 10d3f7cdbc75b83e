//! Entries by their time.

use std::num::NonZeroUsize;

use portcullis_audit_log::{
    event::Timestamp,
    store::{EntryBatch, StoreError, first_since},
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
        first_since(&**self.audit.store(), time).await
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
}
