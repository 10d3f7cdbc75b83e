//! What the rules have found, and whether somebody has looked at it.

use portcullis_audit_log::{
    event::{EventId, Leaf},
    rule::{FINDING_CLOSED, SUSPICIOUS},
    search::{Filter, TermKind},
    store::{Store, StoreError},
};

use super::present;

/// An entry `audit.suspicious`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundBefore {
    /// By which the entry refers to it that closes it.
    pub(crate) id: EventId,
    pub(crate) tenant: String,
    pub(crate) is_closed: bool,
}

/// The finding that has this number in a log, unless that is no finding, is not there or is not there any more.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn finding(store: &dyn Store, n: u64) -> Result<Option<FoundBefore>, StoreError> {
    let Some(bytes) = present::entry(store, n).await? else {
        return Ok(None);
    };
    let leaf = Leaf::parse(&bytes).map_err(StoreError::damaged)?;
    if leaf.action() != SUSPICIOUS.as_str() {
        return Ok(None);
    }
    Ok(Some(FoundBefore {
        id: leaf.id(),
        tenant: leaf.tenant().to_owned(),
        is_closed: is_closed(store, leaf.id()).await?,
    }))
}

/// Whether there is an entry by which it was closed: that names it as what it was done to.
async fn is_closed(store: &dyn Store, id: EventId) -> Result<bool, StoreError> {
    let filter = Filter::new()
        .with(TermKind::Action, FINDING_CLOSED.as_str())
        .and_then(|filter| filter.with(TermKind::Resource, &id.to_string()))
        .and_then(|filter| filter.with(TermKind::Outcome, "success"));
    present::has_any(store, filter.map_err(StoreError::damaged)?).await
}
