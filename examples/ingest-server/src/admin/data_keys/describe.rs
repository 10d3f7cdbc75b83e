//! What may be shown of data keys, and of rows that are sealed under them.

use std::time::{Duration, SystemTime};

use portcullis_keyring::{kek::KekProvider, store::StoredKey};
use portcullis_pii_crypto::reencrypt::RowFailure;
use serde::Serialize;

use crate::timestamp;

/// A data key.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DataKeyDescription {
    pub(crate) key: String,
    pub(crate) tenant: String,
    pub(crate) purpose: String,
    pub(crate) state: &'static str,
    /// Since when it is in its state.
    pub(crate) since: String,
    pub(crate) created_at: String,
    pub(crate) age_seconds: u64,
    /// The version of the key-encryption key that wrapped it; none if that is not known, or it is destroyed.
    pub(crate) kek_version: Option<String>,
    /// How many rows need it.
    pub(crate) rows: u64,
}

/// Some keys, and after which one to go on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DataKeyPage {
    pub(crate) keys: Vec<DataKeyDescription>,
    /// Those whose rows cannot be read: to be restored from a backup.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) damaged: Vec<String>,
    pub(crate) next: Option<String>,
}

/// How many rows a key is needed by.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RowCount {
    pub(crate) key: String,
    /// None of a key that is not there.
    pub(crate) tenant: Option<String>,
    pub(crate) purpose: Option<String>,
    pub(crate) state: Option<&'static str>,
    pub(crate) rows: u64,
}

/// A row that needs a person. No value of it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FailedRow {
    pub(crate) table: String,
    pub(crate) tenant: String,
    pub(crate) row: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    pub(crate) reason: String,
}

impl DataKeyDescription {
    pub(super) fn new(key: &StoredKey, kek: &dyn KekProvider, rows: u64, now: SystemTime) -> Self {
        let time = |at: SystemTime| timestamp::format(timestamp::from_system(at));
        let age: Duration = now.duration_since(key.created_at()).unwrap_or_default();
        Self {
            key: key.id().to_string(),
            tenant: key.tenant().to_string(),
            purpose: key.purpose().to_string(),
            state: key.state().as_str(),
            since: time(key.state_since()),
            created_at: time(key.created_at()),
            age_seconds: age.as_secs(),
            kek_version: key.wrapped().and_then(|wrapped| kek.version_of(wrapped)),
            rows,
        }
    }
}

impl From<&RowFailure> for FailedRow {
    fn from(failure: &RowFailure) -> Self {
        Self {
            table: failure.table.clone(),
            tenant: failure.tenant.to_string(),
            row: failure.row.to_string(),
            field: failure.field.clone(),
            reason: failure.reason.to_string(),
        }
    }
}
