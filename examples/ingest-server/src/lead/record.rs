//! A lead as it is stored.

use super::{LeadColumn, LeadId};

/// A stored lead, its personal data sealed.
#[derive(Debug, Clone)]
pub(crate) struct LeadRecord {
    pub(crate) id: LeadId,
    pub(crate) sealed: Vec<(&'static LeadColumn, Vec<u8>)>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}
