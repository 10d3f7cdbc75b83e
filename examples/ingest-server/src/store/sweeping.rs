//! What goes over many stored rows, beside the groups of requests: rotation, what is counted of it, and
//! erasure.

use std::{collections::BTreeMap, fmt::Debug, num::NonZeroU32, sync::Arc, time::SystemTime};

use async_trait::async_trait;
use portcullis_keyring::{KeyId, TenantId, sweep::Cursor};
use portcullis_pii_crypto::{IndexRoots, IndexState, IndexVersion, reencrypt::SealedRows};

use super::StoreError;
use crate::lead::LeadId;

/// Work over the rows of a database that others write to at the same time.
///
/// # Contract
/// - Each method that writes takes its turn beside the writer of groups, holds the lock for one batch, and is
///   durable when it returns.
/// - Steps of the index state are compare-and-set: `false` says that the state is not the one that the step
///   begins from, and that nothing was changed.
/// - A batch that is done twice, or after a crash half-way, leaves what one that was done once leaves.
#[async_trait]
pub(crate) trait Sweeping: Debug + Send + Sync {
    /// Leads and events, as something that goes over all personal data sees them. The roots are those
    /// whose values leads are to have.
    fn sealed_rows(&self, roots: &IndexRoots) -> Vec<Arc<dyn SealedRows>>;

    /// How many rows need each data key.
    async fn rows_by_key(&self) -> Result<BTreeMap<KeyId, u64>, StoreError>;

    /// Which versions of the index root are live; none before the first start.
    async fn index_state(&self) -> Result<IndexState, StoreError>;

    /// Makes a version that is not live [`Written`](portcullis_pii_crypto::IndexPhase::Written), where no
    /// other rotation is under way.
    async fn begin_index(&self, version: IndexVersion, at: SystemTime) -> Result<bool, StoreError>;

    /// Makes a written version the enforced one, and the one before it retiring.
    async fn enforce_index(
        &self,
        version: IndexVersion,
        at: SystemTime,
    ) -> Result<bool, StoreError>;

    /// Drops a version that is retiring, or that is written and was given up.
    async fn drop_index(&self, version: IndexVersion) -> Result<bool, StoreError>;

    /// Copies the values of a version into the columns beside the sealed ones, such as `email_fp`, of the
    /// next leads behind `after`. Gives where it came to, or `None` at the end.
    async fn copy_fingerprints(
        &self,
        version: IndexVersion,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Option<Cursor>, StoreError>;

    /// Looks at the next index rows behind `after`, and deletes those of a version that is no longer live.
    /// Gives where it came to, or `None` at the end.
    async fn delete_index_rows(
        &self,
        version: IndexVersion,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Option<Cursor>, StoreError>;

    /// How many index rows there are of a version.
    async fn count_index_rows(&self, version: IndexVersion) -> Result<u64, StoreError>;

    /// Erases a lead: its row, its index rows, and what its events hold of personal data; `false` if
    /// there is none. For what is not a request, which erases in a group of the writer.
    async fn erase_lead(&self, tenant: &TenantId, id: LeadId) -> Result<bool, StoreError>;

    /// Erases all leads of a tenant, and the personal data in its events; how many rows that were. The
    /// tenant's data keys are destroyed before it, so that no row with personal data comes after it.
    async fn erase_tenant(&self, tenant: &TenantId) -> Result<u64, StoreError>;

    /// Leaves nothing of what was overwritten beside the database; `false` if somebody still reads it.
    async fn fold_log(&self) -> Result<bool, StoreError>;
}
