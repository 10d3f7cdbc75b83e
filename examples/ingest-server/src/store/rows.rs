//! The shapes that cross the storage boundary. Personal data is sealed before it gets here.

use portcullis_keyring::{KeyId, TenantId};
use portcullis_pii_crypto::{IndexState, IndexValue};
use time::OffsetDateTime;

use super::{DecidedAt, policy_kind::PolicyKind};
use crate::lead::{LeadColumn, LeadId};

/// What is stored, or not, in one piece.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) tenant: TenantId,
    pub(crate) event: Option<EventRow>,
    /// Boxed: most writes have none, and each of them is moved some times.
    pub(crate) lead: Option<Box<LeadWrite>>,
    pub(crate) asked: Asked,
    /// When it was decided what is written; none for what rests on no state, such as an erasure, which is done
    /// whenever its turn comes, and of an erased tenant too.
    pub(crate) decided_at: Option<DecidedAt>,
}

/// What is asked of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Store,
    /// Whether its event came before, and nothing more: it cannot be written any more.
    Recognise,
}

/// An event whose payload holds personal data only in sealed form.
#[derive(Debug, Clone)]
pub(crate) struct EventRow {
    pub(crate) source: String,
    pub(crate) id: String,
    /// Keyed fingerprint of the content, under the enforced index version.
    pub(crate) content_fp: Vec<u8>,
    /// The same under the other versions that are configured, to compare with what was stored under them.
    pub(crate) other_fps: Vec<Vec<u8>>,
    pub(crate) lead: Option<LeadId>,
    pub(crate) event_type: String,
    pub(crate) schema_version: u32,
    pub(crate) time: OffsetDateTime,
    pub(crate) received_at: OffsetDateTime,
    pub(crate) payload: String,
    /// The data keys that opened values of the payload need, each once.
    pub(crate) key_ids: Vec<KeyId>,
}

/// What a write does to its lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeadChange {
    /// Inserts it; lost if its e-mail belongs to another lead.
    Create,
    /// Replaces the given columns of the lead that has the expected value; lost if it has it no more.
    Merge,
    /// Replaces and clears the given columns; lost if it does not exist, if a unique value belongs to another,
    /// or if nothing would be left of it.
    Update,
    /// Deletes it and what its events hold of personal data; lost if it does not exist.
    Erase,
    /// The same of what is nobody's: what the file still has of it is left there.
    Discard,
}

impl EventRow {
    /// The record id that the payload's sealed values are bound to.
    pub(crate) fn record(&self) -> String {
        format!("{} {}", self.source, self.id)
    }
}

/// A lead that is new, or the columns of one that change.
#[derive(Debug, Clone)]
pub(crate) struct LeadWrite {
    pub(crate) id: LeadId,
    pub(crate) change: LeadChange,
    /// The index value that the lead must have for this write to be meant for it: the one that it was
    /// found under, which is not the written one where an earlier version wrote it.
    pub(crate) expected: Option<ExpectedValue>,
    pub(crate) columns: Vec<SealedColumn>,
    /// Columns that the lead has no more.
    pub(crate) cleared: Vec<&'static LeadColumn>,
    pub(crate) at: OffsetDateTime,
}

/// A value that a lead is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpectedValue {
    pub(crate) column: &'static LeadColumn,
    /// Under any version that is live.
    pub(crate) value: Vec<u8>,
}

/// One sealed value of a lead with its index rows.
#[derive(Debug, Clone)]
pub(crate) struct SealedColumn {
    pub(crate) column: &'static LeadColumn,
    pub(crate) sealed: Vec<u8>,
    pub(crate) key_id: KeyId,
    /// The enforced version first; in an index of parts, several of each.
    pub(crate) index: Vec<IndexRow>,
}

/// One blind-index value.
#[derive(Debug, Clone)]
pub(crate) struct IndexRow {
    pub(crate) version: u16,
    pub(crate) value: Vec<u8>,
}

impl From<IndexValue> for IndexRow {
    fn from(value: IndexValue) -> Self {
        Self {
            version: value.version().value(),
            value: value.as_bytes().to_vec(),
        }
    }
}

/// The check value of one version of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretCheck {
    pub(crate) secret: String,
    pub(crate) version: u32,
    pub(crate) value: Vec<u8>,
}

/// What a database remembers of its secrets and of what operators set.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    pub(crate) checks: Vec<SecretCheck>,
    /// The index versions that the data is indexed under.
    pub(crate) index_state: IndexState,
    /// Those that were set.
    pub(crate) policies: Vec<(PolicyKind, String)>,
}
