//! What an index has of a leaf.

use std::collections::BTreeSet;

use crate::{event::Leaf, search::TermKind};

/// The columns beside a leaf, and its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct IndexRow {
    /// Microseconds since 1970.
    pub(in crate::store) time: u64,
    pub(in crate::store) tenant: String,
    pub(in crate::store) actor: String,
    pub(in crate::store) action: String,
    pub(in crate::store) outcome: String,
    /// What it has several of: kind and value, each once.
    pub(in crate::store) terms: BTreeSet<(String, String)>,
}

impl IndexRow {
    /// What must be there.
    pub(in crate::store) fn of(leaf: &Leaf<'_>) -> Self {
        let mut terms = BTreeSet::new();
        TermKind::each_of(leaf, |kind, value| {
            if column(kind).is_none() {
                terms.insert((kind.as_str().to_owned(), value.to_owned()));
            }
        });
        Self {
            time: leaf.time().unix_micros(),
            tenant: leaf.tenant().to_owned(),
            actor: leaf.actor_id().to_owned(),
            action: leaf.action().to_owned(),
            outcome: leaf.outcome().as_str().to_owned(),
            terms,
        }
    }
}

/// The column of `audit_event` that has what a leaf has one of; the others are in `audit_term`.
pub(super) const fn column(kind: TermKind) -> Option<&'static str> {
    match kind {
        TermKind::Tenant => Some("tenant"),
        TermKind::Actor => Some("actor"),
        TermKind::Action => Some("action"),
        TermKind::Outcome => Some("outcome"),
        TermKind::Resource | TermKind::Field => None,
    }
}
