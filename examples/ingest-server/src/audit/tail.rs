//! The end of the log, for who follows it: holds nothing open.

use std::num::NonZeroUsize;

use portcullis_audit_log::{
    audit::Audit,
    store::{EntryBatch, StoreError},
};

/// Entries as they come. The log ends all the same when nobody can add to it any more.
#[derive(Debug, Clone)]
pub(crate) struct AuditTail(Audit);

/// What is read at once.
const BATCH: NonZeroUsize = NonZeroUsize::new(64 << 10).expect("64 KiB are some bytes");

impl AuditTail {
    pub(super) const fn new(audit: Audit) -> Self {
        Self(audit)
    }

    /// How many entries there are, by whichever process.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn size(&self) -> Result<u64, StoreError> {
        self.0.store().size().await
    }

    /// Some entries in their order.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] where `from` is not there any more.
    pub(crate) async fn entries(&self, from: u64) -> Result<EntryBatch, StoreError> {
        self.0.store().entries(from, BATCH).await
    }
}
