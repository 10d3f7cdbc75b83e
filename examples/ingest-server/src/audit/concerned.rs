//! Whether there is anything that an erasure is about.

use portcullis_audit_log::{
    audit::Erasure,
    search::{Filter, TermKind},
    store::{Store, StoreError},
};

use super::present;

/// Whether a log has an entry that an erasure is about. Of an id that none has, nothing is to be put on record: it is
/// what somebody typed.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn concerns_any(store: &dyn Store, erasure: &Erasure) -> Result<bool, StoreError> {
    let (kind, id) = match erasure {
        Erasure::Event(n) => return Ok(present::entry(store, *n).await?.is_some()),
        Erasure::Actor(id) => (TermKind::Actor, id),
        Erasure::Resource(id) => (TermKind::Resource, id),
        Erasure::Tenant(id) => (TermKind::Tenant, id),
        _ => return Ok(false),
    };
    let filter = Filter::new().with(kind, id.as_str());
    present::has_any(store, filter.map_err(StoreError::damaged)?).await
}
