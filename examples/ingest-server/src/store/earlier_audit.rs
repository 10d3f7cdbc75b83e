//! The log of who did what that versions before 0.2 kept in a table. Nothing is added to it; it is read as long as
//! somebody may ask for it.

use std::num::{NonZeroU16, NonZeroU64};

use serde::Serialize;

/// Which events are asked for, newest first.
#[derive(Debug, Clone)]
pub(crate) struct EarlierQuery {
    pub(crate) tenant: Option<String>,
    /// An actor's id.
    pub(crate) actor: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) outcome: Option<String>,
    /// Only those before this one.
    pub(crate) before: Option<NonZeroU64>,
    pub(crate) limit: NonZeroU16,
}

/// A stored event, as it is shown. What it has not is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EarlierEntry {
    pub(crate) n: u64,
    pub(crate) id: String,
    pub(crate) time: String,
    pub(crate) tenant: String,
    pub(crate) action: String,
    pub(crate) activity: String,
    pub(crate) actor: Named,
    pub(crate) resources: Vec<Named>,
    pub(crate) count: u64,
    pub(crate) fields: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refs: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<String>,
}

/// An id and what it is the id of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Named {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) id: String,
}
