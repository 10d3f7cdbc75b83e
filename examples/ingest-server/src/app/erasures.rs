//! What was erased is erased again before anything is served, and what only one lead may have is made so.

use std::num::NonZeroUsize;

use portcullis_keyring::TenantId;

use crate::{
    admin::revoke_all,
    backend::Backend,
    config::Config,
    files,
    lead::LeadId,
    store::{ErasureNoteError, StoreError, Tombstones, TombstonesError, UniqueFieldsError},
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
    #[error("the API keys of a tenant that was erased cannot be revoked")]
    ApiKeys(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    UniqueFields(#[from] UniqueFieldsError),
}

impl PrepareError {
    /// Whether it is something to set right, which no further start does.
    pub(crate) const fn is_configuration(&self) -> bool {
        matches!(self, Self::Tombstones(_) | Self::UniqueFields(_))
    }
}

impl From<ErasureNoteError> for PrepareError {
    fn from(error: ErasureNoteError) -> Self {
        match error {
            ErasureNoteError::File(error) => Self::Tombstones(error),
            ErasureNoteError::Store(error) => Self::Store(error),
        }
    }
}

/// Leads of one transaction.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(500).expect("it is not zero");

/// Erases again what was erased, and holds unique what is to be. Gives what further erasures are noted in.
pub(super) async fn prepare(
    config: &Config,
    backend: &Backend,
) -> Result<Tombstones, PrepareError> {
    let store = &*backend.store;
    // One that is named apart lies where somebody has made room for it, such as on another volume.
    if config.erasures.parent() == Some(&*config.data_dir) {
        let made = files::create_folder(&config.data_dir);
        made.map_err(|_| TombstonesError::NoFolder(config.erasures.clone()))?;
    }
    let tombstones = Tombstones::open(&config.erasures, store).await?;
    let erased = erase_again(&tombstones, backend).await?;
    if erased > 0 {
        tracing::warn!(
            rows = erased,
            "people who had been erased were in the database again, as after a backup was restored: erased again"
        );
    }
    store.hold_unique(&config.unique_lead_fields).await??;
    Ok(tombstones)
}

/// What [`prepare`] would refuse, found without changing anything. Of an earlier version's database, its values
/// are not counted: a start brings it up to date before.
pub(crate) async fn check(config: &Config) -> Result<(), PrepareError> {
    let known = Backend::noted_erasures(config).await?;
    Tombstones::check(&config.erasures, &known).await?;
    Backend::shared_values(config).await??;
    Ok(())
}

async fn erase_again(tombstones: &Tombstones, backend: &Backend) -> Result<u64, PrepareError> {
    let store = &*backend.store;
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
        let revoked = revoke_all(&backend.api_keys, &tenant).await;
        erased += revoked.map_err(|error| PrepareError::ApiKeys(error.into()))?;
        let destroyed = backend.keyring.erase_tenant(&tenant).await;
        destroyed.map_err(|error| PrepareError::DataKeys(error.into()))?;
        erased += store.erase_tenant(&tenant).await?;
        let forgotten = backend.quality_history.erase_tenant(tenant.as_str());
        if forgotten.await.map_err(StoreError::from)? > 0 {
            store.owe_shredding().await?;
        }
    }
    Ok(erased)
}
