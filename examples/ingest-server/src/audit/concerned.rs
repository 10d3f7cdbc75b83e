//! Whether there is anything that an erasure is about.

use std::num::NonZeroUsize;

use portcullis_audit_log::{
    audit::Erasure,
    search::{Filter, PageSize, Query, TermKind},
    store::{Store, StoreError},
};

/// Whether a log has an entry that an erasure is about. Of an id that none has, nothing is to be put on record: it is
/// what somebody typed.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn concerns_any(store: &dyn Store, erasure: &Erasure) -> Result<bool, StoreError> {
    let (kind, id) = match erasure {
        Erasure::Event(n) => {
            if *n >= store.size().await? {
                return Ok(false);
            }
            return match store.entries(*n, NonZeroUsize::MIN).await {
                Err(StoreError::Pruned { .. }) => Ok(false),
                batch => Ok(batch?.iter().any(|(found, _)| found == *n)),
            };
        }
        Erasure::Actor(id) => (TermKind::Actor, id),
        Erasure::Resource(id) => (TermKind::Resource, id),
        Erasure::Tenant(id) => (TermKind::Tenant, id),
        _ => return Ok(false),
    };
    let filter = Filter::new().with(kind, id.as_str());
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
