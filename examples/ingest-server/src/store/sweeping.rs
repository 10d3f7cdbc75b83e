//! What goes over many stored rows, beside the groups of requests: rotation, what is counted of it, and
//! erasure.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use async_trait::async_trait;
use portcullis_keyring::{KeyId, TenantId};
use portcullis_pii_crypto::{IndexRoots, index_rotation::IndexStates, reencrypt::SealedRows};
use time::OffsetDateTime;

use super::{NotedErasures, StoreError};
use crate::lead::{LeadId, UniqueFields};

/// Work over the rows of a database that others write to at the same time.
///
/// # Contract
/// - Each method that writes takes its turn beside the writer of groups, holds the lock for one batch, and is
///   durable when it returns.
/// - A batch that is done twice, or after a crash half-way, leaves what one that was done once leaves.
#[async_trait]
pub(crate) trait Sweeping: Debug + Send + Sync {
    /// Leads and events, as something that goes over all personal data sees them. The roots are those
    /// whose values leads are to have.
    fn sealed_rows(&self, roots: &IndexRoots) -> Vec<Arc<dyn SealedRows>>;

    /// How many rows need each data key.
    async fn rows_by_key(&self) -> Result<BTreeMap<KeyId, u64>, StoreError>;

    /// The phases of the index versions, and what goes over all index values.
    fn index_states(&self) -> Arc<dyn IndexStates>;

    /// Erases leads: their rows, their index rows, and what their events hold of personal data; how many
    /// of them there were. For what is not a request, which erases in a group of the writer.
    async fn erase_leads(&self, leads: &[(TenantId, LeadId)]) -> Result<u64, StoreError>;

    /// Erases all leads of a tenant, and the personal data in its events; how many rows that were. The
    /// tenant's data keys are destroyed before it, so that no row with personal data comes after it.
    async fn erase_tenant(&self, tenant: &TenantId) -> Result<u64, StoreError>;

    /// Whether a tenant has a lead or an event.
    async fn has_rows_of(&self, tenant: &TenantId) -> Result<bool, StoreError>;

    /// Whether all of a tenant was erased: its data keys are destroyed, and it gets no others.
    async fn is_erased(&self, tenant: &TenantId) -> Result<bool, StoreError>;

    /// Which erasures were noted outside the database, as far as it knows.
    async fn noted_erasures(&self) -> Result<NotedErasures, StoreError>;

    /// Remembers what there is.
    async fn note_erasures(&self, noted: &NotedErasures) -> Result<(), StoreError>;

    /// Has the database hold these fields unique, and no others, for the first of its processes; all others are to
    /// have the same ones. Where leads share values of a field, nothing is changed.
    async fn hold_unique(
        &self,
        fields: &UniqueFields,
    ) -> Result<Result<(), UniqueFieldsError>, StoreError>;

    /// The same in place of those that were held.
    async fn change_unique(
        &self,
        fields: &UniqueFields,
    ) -> Result<Result<(), UniqueFieldsError>, StoreError>;

    /// Who is at a work that one process does at a time, in words of that process's; none if nobody is.
    async fn at_work(&self, work: &'static str) -> Result<Option<String>, StoreError>;

    /// Puts `new` in the place of those words if they are still `expected`: whether it did. It waits for no work
    /// over rows, so that it is known meanwhile who is at one.
    async fn replace_at_work(
        &self,
        work: &'static str,
        expected: Option<&str>,
        new: Option<&str>,
    ) -> Result<bool, StoreError>;

    /// Finds some events and leads of a tenant that came before a time, the earliest first. It goes through each event
    /// and each lead once for all the calls of a tenant, and holds no lock; what comes later has a higher number,
    /// or an id of a later time. None where an event of the tenant is of another source than this one. Leads are found
    /// beside events alone.
    async fn find_old_rows(
        &self,
        tenant: &TenantId,
        source: &'static str,
        before: OffsetDateTime,
    ) -> Result<Option<OldRows>, StoreError>;

    /// Deletes them whole, as nobody will ask for them, and what tells that such an event came before. Where they
    /// hold something sealed, it notes that the file is to be shredded.
    async fn delete_old_rows(&self, tenant: &TenantId, rows: OldRows) -> Result<(), StoreError>;

    /// Overwrites what the database still has of rows that were deleted, in its pages and beside them, and settles
    /// what is owed; `false` if somebody reads it for so long that it stays owed.
    async fn shred(&self) -> Result<bool, StoreError>;

    /// Whether rows were deleted of which something may still be there. What erases notes it with the rows.
    async fn owes_shredding(&self) -> Result<bool, StoreError>;

    /// Notes that, for what is about to be deleted in another way.
    async fn owe_shredding(&self) -> Result<(), StoreError>;
}

/// Rows that are to be deleted, and how far has been looked for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct OldRows {
    pub(super) events: Vec<OldEvent>,
    pub(super) leads: Vec<LeadId>,
    pub(super) event: i64,
    pub(super) lead: String,
}

/// An event by its number, with what it is told apart by.
#[derive(Debug, Clone)]
pub(super) struct OldEvent {
    pub(super) n: i64,
    pub(super) source: String,
    pub(super) id: String,
}

impl OldRows {
    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        self.events.len() + self.leads.len()
    }
}

/// A database cannot hold the configured fields unique.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UniqueFieldsError {
    /// Leads share values that only one of them may have.
    #[error(
        "INGEST_UNIQUE_LEAD_FIELDS names `{field}`, and {duplicates} of its values have more than one lead: \
         correct or erase those leads first, with the field left out of the setting"
    )]
    Shared {
        field: &'static str,
        duplicates: u64,
    },
    /// Other processes would let through what this one refuses, or the other way round.
    #[error(
        "INGEST_UNIQUE_LEAD_FIELDS is `{configured}`, and the processes of this database hold `{held}` unique: set it \
         to that; or, to change it for all of them, set it, run `ingest-server index unique`, and restart each"
    )]
    Differ {
        /// As the database notes them.
        held: String,
        configured: String,
    },
}
