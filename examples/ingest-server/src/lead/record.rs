//! A lead as it is stored.

use super::{LeadColumn, LeadId};

/// A stored lead, its personal data sealed.
#[derive(Debug, Clone)]
pub(crate) struct LeadRecord {
    pub(crate) id: LeadId,
    pub(crate) sealed: Vec<StoredColumn>,
    /// None where what is stored is no text.
    pub(crate) created_at: Option<String>,
    pub(crate) updated_at: Option<String>,
}

/// A column that a lead has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredColumn {
    pub(crate) column: &'static LeadColumn,
    /// None where the row has a form that is never written: a part is missing, or of another type.
    pub(crate) value: Option<StoredValue>,
}

/// A sealed value and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredValue {
    pub(crate) sealed: Vec<u8>,
    pub(crate) key_id: u32,
    /// That of the enforced index version, for a column that is looked up.
    pub(crate) fingerprint: Option<Vec<u8>>,
}
