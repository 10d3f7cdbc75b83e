//! Durable storage: what is written in one piece, what is read back, and the trait between the
//! pipeline and a database.

#[cfg(test)]
mod conformance;
mod decided_at;
mod earlier_audit;
mod fault;
mod group;
mod group_span;
mod index_roots;
mod policy_kind;
mod queue_room;
mod rows;
mod shredder;
mod slo_history;
pub(crate) mod sqlite;
mod sweeping;
mod tombstones;
mod writer;

use std::{
    collections::{HashMap, HashSet},
    error::Error,
    path::PathBuf,
    time::SystemTime,
};

use async_trait::async_trait;
use portcullis_dq_metrics::history::HistoryError;
use portcullis_keyring::TenantId;
use portcullis_pii_crypto::IndexState;

use crate::lead::{LeadColumn, LeadId, LeadRecord};

#[cfg(test)]
pub(crate) use self::slo_history::MemorySloHistory;
pub(crate) use self::{
    decided_at::{COMMITTED_WITHIN, DecidedAt},
    earlier_audit::{EarlierEntry, EarlierQuery, Named},
    fault::{DatabaseFault, FaultEvent, FaultLatch, FaultObserver},
    group::{Committed, Group, GroupSink, WriteGroups},
    index_roots::{LiveIndexRoots, UnusableState},
    policy_kind::PolicyKind,
    queue_room::QueueSlots,
    rows::{
        Asked, EventRow, ExpectedValue, IndexRow, LeadChange, LeadWrite, Remembered, SealedColumn,
        SecretCheck, Write,
    },
    shredder::Shredder,
    slo_history::{OwnSlots, PRUNED_AT_ONCE, SloBucket, SloHistory, SloQuery, SloSum, Slot},
    sqlite::LogDatabase,
    sweeping::{OldRows, Sweeping, UniqueFieldsError},
    tombstones::{ErasureNoteError, NotedErasures, Tombstone, Tombstones, TombstonesError},
    writer::{WriteEvent, WriteObserver, Writer, WriterLimits},
};

/// A database of events and leads.
///
/// # Contract
/// - What is written goes by the contract of [`GroupSink`], and is read from then on.
/// - A record of another tenant is as absent as one that does not exist.
/// - Reading never waits for a group that is being written.
#[async_trait]
pub(crate) trait Store: Sweeping {
    /// Runs what writes groups, where this store writes; returns when it has ended.
    ///
    /// # Panics
    /// It did.
    async fn write_groups(&self, groups: WriteGroups);

    /// The lead of that id.
    async fn lead(&self, tenant: &TenantId, id: LeadId) -> Result<Option<LeadRecord>, StoreError>;

    /// What any of the index values leads to, oldest first, at most `limit` of the entries after one.
    /// Several are spellings of one value: a lead is under one of them.
    async fn leads_by_index(
        &self,
        tenant: &TenantId,
        column: &'static LeadColumn,
        values: &[&[u8]],
        after: Option<LeadId>,
        limit: u32,
    ) -> Result<Vec<IndexedLead>, StoreError>;

    /// What has every one of some values in a column's index of parts, oldest first, at most `limit` of the
    /// leads after one.
    async fn leads_by_parts(
        &self,
        tenant: &TenantId,
        column: &'static LeadColumn,
        values: &[&[u8]],
        after: Option<LeadId>,
        limit: u32,
    ) -> Result<Vec<IndexedLead>, StoreError>;

    /// The leads that own fingerprints of a unique column, and which of some ids are leads: what one
    /// request has to know before it writes.
    async fn known_leads(
        &self,
        tenant: &TenantId,
        column: &'static LeadColumn,
        fingerprints: &[&[u8]],
        ids: &[LeadId],
    ) -> Result<KnownLeads, StoreError>;

    /// Every check value that is remembered.
    async fn secret_checks(&self) -> Result<Vec<SecretCheck>, StoreError>;

    /// Remembers check values in one piece; one that is remembered already stays as it is.
    async fn remember_secrets(&self, checks: &[SecretCheck]) -> Result<(), StoreError>;

    /// When a version of a secret was remembered, if the database knows.
    async fn secret_first_used(
        &self,
        secret: &'static str,
        version: u32,
    ) -> Result<Option<SystemTime>, StoreError>;

    /// The index version that is enforced, making it `version` if none is yet.
    async fn enforced_index(&self, version: u16) -> Result<u16, StoreError>;

    /// The index versions that are live, each with its phase.
    async fn index_state(&self) -> Result<IndexState, StoreError>;

    /// The events of the earlier audit log that match, newest first.
    async fn earlier_audit_events(
        &self,
        query: &EarlierQuery,
    ) -> Result<Vec<EarlierEntry>, StoreError>;

    /// The policy of a kind that was remembered last, if one was.
    async fn policy(&self, kind: PolicyKind) -> Result<Option<String>, StoreError>;

    /// Remembers a policy in place of the one of its kind before.
    async fn remember_policy(&self, kind: PolicyKind, text: &str) -> Result<(), StoreError>;

    /// The checkpoint that was kept last of the audit log of that name, if one was.
    async fn audit_anchor(&self, origin: &str) -> Result<Option<String>, StoreError>;

    /// Keeps a checkpoint of an audit log in place of the one before, unless another is kept by now. Gives whether it is.
    async fn replace_audit_anchor(
        &self,
        origin: &str,
        before: Option<&str>,
        checkpoint: &str,
    ) -> Result<bool, StoreError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Whether every table can be read and written as the other methods do it, found by trying;
    /// leaves nothing. That somebody else is writing is no failure.
    async fn check(&self) -> Result<(), StoreError>;
}

/// What an entry of the index of leads leads to.
#[derive(Debug, Clone)]
pub(crate) enum IndexedLead {
    Found(LeadRecord),
    /// No lead of the tenant, which no write of this service leaves behind.
    Nowhere,
}

/// Of fingerprints and ids of a tenant, those that leads have.
#[derive(Debug, Default)]
pub(crate) struct KnownLeads {
    /// By fingerprint; those that nobody owns are left out.
    pub(crate) owners: HashMap<Vec<u8>, Owner>,
    pub(crate) existing: HashSet<LeadId>,
}

/// Who owns a fingerprint of an identity column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Lead(LeadId),
    /// No lead of the tenant, although the index says that there is one.
    Nowhere,
}

/// What became of one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// Durable.
    Stored,
    /// The same event with the same content is there already.
    DuplicateNatural,
    /// An event of that source and id is there already, with other content.
    DuplicateConflicting(StoredContent),
    /// The lead's e-mail belongs to another lead by now, or the lead to update is gone: resolve
    /// again. Nothing of this write was kept.
    LostRace,
    /// No event of that source and id is there, of a write that asked no more.
    Unknown,
    /// It was decided too long ago what is written. Nothing of this write was kept.
    Late,
    /// All of the tenant was erased. Nothing of this write was kept.
    TenantErased,
}

/// What an event that is there already has of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredContent {
    Plain,
    /// Sealed values, whatever a schema or a policy says of such values by now.
    Sealed,
}

/// The database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// No room to write; free space on the volume.
    #[error("the database volume is full")]
    Full,
    /// Another process has held the write lock for as long as a request may wait.
    #[error("the database is locked by another process")]
    Busy,
    /// A statement or a commit failed, or the database is gone.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// A page of the database holds what was never written to it.
    #[error("the database is damaged")]
    Corrupt(#[source] Box<dyn Error + Send + Sync>),
    /// The database has a fault, and is not written any more.
    #[error(transparent)]
    Fault(#[from] DatabaseFault),
    /// There is no data where there was some.
    #[error(
        "{} is missing or empty, and data was written to it before: put it back or restore a \
         backup; to begin with an empty database, remove {}", database.display(), marker.display()
    )]
    Emptied {
        /// The file.
        database: PathBuf,
        /// What says that there was data.
        marker: PathBuf,
    },
    /// A table is not there, is not the one that was made, or cannot be written.
    #[error("the table {table} cannot be used")]
    Table {
        table: &'static str,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A stored value has a form that this version never writes.
    #[error("a stored {0} has an unknown form")]
    Malformed(&'static str),
    /// The schema could not be brought up to date.
    #[error("the database schema cannot be migrated")]
    Migrate(#[source] Box<dyn Error + Send + Sync>),
    /// The transaction that this write shared with others failed.
    #[error("the group was not written")]
    GroupFailed,
    /// So much time went by since it was sealed that its keys may be retired by the time it is durable.
    #[error("what was sealed waited too long to be written")]
    Late,
    /// The process is stopping.
    #[error("the writer has stopped")]
    Stopped,
}

impl From<HistoryError> for StoreError {
    /// The history of data quality stands in the same database.
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Damaged(_) => Self::Corrupt(error.into()),
            _ => Self::Unavailable(error.into()),
        }
    }
}

impl StoreError {
    /// The same failure for another request of the group; the cause is logged once.
    fn echo(&self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Busy => Self::Busy,
            Self::Late => Self::Late,
            Self::Fault(fault) => Self::Fault(*fault),
            Self::Malformed(what) => Self::Malformed(what),
            Self::Unavailable(_)
            | Self::Corrupt(_)
            | Self::Emptied { .. }
            | Self::Table { .. }
            | Self::Migrate(_)
            | Self::GroupFailed
            | Self::Stopped => Self::GroupFailed,
        }
    }
}
