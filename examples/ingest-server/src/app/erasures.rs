//! What was erased is erased again before anything is served, and what only one lead may have is made so.

use std::num::NonZeroUsize;

use portcullis_keyring::{Keyring, TenantId};

use crate::{
    backend::Backend,
    config::Config,
    lead::LeadId,
    store::{NotUnique, Store, StoreError, Tombstones, TombstonesError},
};

/// The database cannot be brought to where it may be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    #[error(transparent)]
    Tombstones(#[from] TombstonesError),
    #[error("what was erased cannot be erased again")]
    Store(#[from] StoreError),
    #[error("the data keys of a tenant that was erased cannot be destroyed")]
    DataKeys(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    NotUnique(#[from] NotUnique),
}

/// Leads of one transaction.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(500).expect("it is not zero");

/// Erases again what was erased, and holds unique what is to be. Gives what further erasures are noted in.
pub(super) async fn prepare(
    config: &Config,
    backend: &Backend,
) -> Result<Tombstones, PrepareError> {
    let store = &*backend.store;
    let tombstones = Tombstones::open(&config.erasures)?;
    let erased = erase_again(&tombstones, store, &backend.keyring).await?;
    if erased > 0 {
        tracing::warn!(
            rows = erased,
            "people who had been erased were in the database again, as after a backup was restored: erased again"
        );
        store.fold_log().await?;
    }
    store.hold_unique(&config.unique_lead_fields).await??;
    Ok(tombstones)
}

async fn erase_again(
    tombstones: &Tombstones,
    store: &dyn Store,
    keyring: &Keyring,
) -> Result<u64, PrepareError> {
    let (mut leads, mut tenants) = (Vec::<(TenantId, LeadId)>::new(), Vec::new());
    for tombstone in tombstones.read().await? {
        match tombstone.lead {
            Some(lead) => leads.push((tombstone.tenant, lead)),
            None => tenants.push(tombstone.tenant),
        }
    }
    let mut erased = 0;
    for some in leads.chunks(AT_ONCE.get()) {
        erased += store.erase_leads(some).await?;
    }
    for tenant in tenants {
        let destroyed = keyring.erase_tenant(&tenant).await;
        destroyed.map_err(|error| PrepareError::DataKeys(error.into()))?;
        erased += store.erase_tenant(&tenant).await?;
    }
    Ok(erased)
}
