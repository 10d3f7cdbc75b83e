//! What may be shown of data keys, and of rows that are sealed under them.

use std::time::SystemTime;

use portcullis_keyring::{
    KeyId,
    kek::KekProvider,
    store::{DamagedKey, LoadedKeys, StoredKey},
};
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
    /// Since when it is in its state; none of a key that has no time, and so no age.
    pub(crate) since: Option<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) age_seconds: Option<u64>,
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
    /// The same, with what of each can be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) damaged_keys: Vec<RowCount>,
    pub(crate) next: Option<String>,
}

/// How many rows a key is needed by.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RowCount {
    pub(crate) key: String,
    /// None of a key that is not there.
    pub(crate) tenant: Option<String>,
    pub(crate) purpose: Option<String>,
    /// Also `damaged`, of a key whose row cannot be read.
    pub(crate) state: Option<&'static str>,
    pub(crate) rows: u64,
}

/// A key that opens nothing, and how many rows fail for it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UnusableDataKey {
    #[serde(flatten)]
    pub(crate) count: RowCount,
    pub(crate) reason: String,
}

/// A row that needs a person. No value of it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FailedRow {
    pub(crate) table: String,
    pub(crate) tenant: String,
    pub(crate) row: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// The key that the field is sealed under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    pub(crate) reason: String,
}

impl DataKeyDescription {
    pub(super) fn new(key: &StoredKey, kek: &dyn KekProvider, rows: u64, now: SystemTime) -> Self {
        let created_at = timestamp::known(key.created_at());
        let age = created_at.as_ref().map(|_| key.age(now).as_secs());
        Self {
            key: key.id().to_string(),
            tenant: key.tenant().to_string(),
            purpose: key.purpose().to_string(),
            state: key.state().as_str(),
            since: timestamp::known(key.state_since()),
            created_at,
            age_seconds: age,
            kek_version: key.wrapped().and_then(|wrapped| kek.version_of(wrapped)),
            rows,
        }
    }
}

impl RowCount {
    /// Of a key, as far as it was found.
    pub(super) fn new(key: KeyId, rows: u64, found: &LoadedKeys) -> Self {
        let damaged = found.damaged.iter().find(|it| it.id == key);
        if let Some(damaged) = damaged {
            return Self::of_damaged(damaged, rows);
        }
        let found = found.keys.iter().find(|it| it.id() == key);
        Self {
            key: key.to_string(),
            tenant: found.map(|key| key.tenant().to_string()),
            purpose: found.map(|key| key.purpose().to_string()),
            state: found.map(|key| key.state().as_str()),
            rows,
        }
    }

    pub(super) fn of_damaged(key: &DamagedKey, rows: u64) -> Self {
        Self {
            key: key.id.to_string(),
            tenant: key.tenant.as_ref().map(ToString::to_string),
            purpose: key.purpose.as_ref().map(ToString::to_string),
            state: Some(DAMAGED),
            rows,
        }
    }
}

/// What is said in the place of a state of a key whose row cannot be read.
pub(crate) const DAMAGED: &str = "damaged";

impl From<&RowFailure> for FailedRow {
    fn from(failure: &RowFailure) -> Self {
        Self {
            table: failure.table.clone(),
            tenant: failure.tenant.to_string(),
            row: failure.row.to_string(),
            field: failure.field.clone(),
            key: failure.key.map(|key| key.to_string()),
            reason: failure.reason.to_string(),
        }
    }
}
