//! What a log still has.

use std::num::NonZeroUsize;

use portcullis_audit_log::{
    search::{Filter, PageSize, Query},
    store::{Store, StoreError},
};

/// The entry of that number, unless it is not there yet, or not any more.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn entry(store: &dyn Store, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
    if n >= store.size().await? {
        return Ok(None);
    }
    let batch = match store.entries(n, NonZeroUsize::MIN).await {
        Err(StoreError::Pruned { .. }) => return Ok(None),
        batch => batch?,
    };
    let found = batch.iter().find(|(found, _)| *found == n);
    Ok(found.map(|(_, bytes)| bytes.to_vec()))
}

/// Whether there is an entry that matches.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn has_any(store: &dyn Store, filter: Filter) -> Result<bool, StoreError> {
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
