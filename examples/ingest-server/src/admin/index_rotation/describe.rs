//! What may be shown of the index versions and of their rotation.

use std::collections::BTreeMap;

use portcullis_pii_crypto::{IndexVersion, index_rotation::Stopped, reencrypt::RowFailure};
use serde::Serialize;

use super::RotationUnderWay;
use crate::admin::FailedRow;

/// Which versions are live, and which are configured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct IndexStatus {
    pub(crate) live: Vec<LiveIndex>,
    pub(crate) configured: Vec<u32>,
    /// The rotation that some process is at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) under_way: Option<RotationUnderWay>,
}

/// A live version and its phase.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LiveIndex {
    pub(crate) version: u16,
    pub(crate) phase: &'static str,
    /// None of a version that was there from the first start on, or from before this was noted.
    pub(crate) since: Option<String>,
    pub(crate) is_configured: bool,
}

/// What came of a rotation.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RotatedIndex {
    pub(crate) version: u16,
    /// `done`; or `stopped`, before the version is enforced: the records below have to be looked at, and the
    /// rotation started again.
    pub(crate) outcome: &'static str,
    /// Records that turn out to be the same.
    pub(crate) duplicates: Vec<FailedRow>,
    /// Records that do not open; of those that do not for their key, a few.
    pub(crate) failures: Vec<FailedRow>,
    /// How many records fail for each key that opens nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) unusable_keys: BTreeMap<String, u64>,
    /// How many records lack values of the version, those above included.
    pub(crate) left: u64,
    /// How many values there are under one version alone.
    pub(crate) differences: u64,
    /// How many values of the version are not those of their records: it has to be given up and begun again,
    /// which writes all again.
    pub(crate) wrong: u64,
}

impl RotatedIndex {
    pub(super) fn new(version: IndexVersion, stopped: Option<&Stopped>) -> Self {
        let rows = |rows: &[RowFailure]| rows.iter().map(FailedRow::from).collect();
        Self {
            version: version.value(),
            outcome: if stopped.is_none() { "done" } else { "stopped" },
            duplicates: stopped.map_or_else(Vec::new, |it| rows(&it.duplicates)),
            failures: stopped.map_or_else(Vec::new, |it| rows(&it.failures)),
            unusable_keys: stopped.map_or_else(BTreeMap::new, |it| {
                let keys = it.unusable.iter();
                keys.map(|(key, unusable)| (key.to_string(), unusable.rows))
                    .collect()
            }),
            left: stopped.map_or(0, |it| it.left),
            differences: stopped.map_or(0, |it| it.differences),
            wrong: stopped.map_or(0, |it| it.wrong),
        }
    }

    /// Whether the version is the only one now.
    pub(crate) fn is_done(&self) -> bool {
        self.outcome == "done"
    }
}

/// Of which fields only one lead of a tenant may have a value.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HeldUnique {
    /// As in the setting.
    pub(crate) fields: String,
}
