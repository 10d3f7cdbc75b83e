//! What the rules have found, and whether somebody has looked at it.

use std::num::NonZeroUsize;

use portcullis_audit_log::{
    event::{EventId, Leaf},
    rule::{FINDING_CLOSED, SUSPICIOUS},
    search::{Filter, PageSize, Query, TermKind},
    store::{Store, StoreError},
};

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
    if n >= store.size().await? {
        return Ok(None);
    }
    let batch = match store.entries(n, NonZeroUsize::MIN).await {
        Err(StoreError::Pruned { .. }) => return Ok(None),
        batch => batch?,
    };
    let Some((_, bytes)) = batch.iter().find(|(found, _)| *found == n) else {
        return Ok(None);
    };
    let leaf = Leaf::parse(bytes).map_err(StoreError::damaged)?;
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
    let filter = filter.map_err(StoreError::damaged)?;
    let mut query = Query::new(filter, PageSize::new(1).unwrap_or_default());
    loop {
        let page = store.search(&query).await?;
        match page.next {
            _ if !page.events.is_empty() => return Ok(true),
            Some(next) => query = query.after(next),
            None => return Ok(false),
        }
    }
}
