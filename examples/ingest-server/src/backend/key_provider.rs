//! The configured secrets, as what the crates make of them.

use portcullis_apikey_cache::{PepperVersion, Peppers};
use portcullis_keyring::{KekVersion, LocalKek};
use portcullis_pii_crypto::{IndexRoots, IndexVersion};

use super::BackendError;
use crate::config::Secrets;

/// Wraps data keys in this process.
pub(super) fn local(secrets: &Secrets) -> Result<LocalKek, BackendError> {
    let versions = &secrets.keks.versions;
    let keys = versions
        .iter()
        .map(|(version, key)| (KekVersion::new(*version), key.clone()));
    LocalKek::new(KekVersion::new(secrets.keks.primary), keys).map_err(unusable)
}

/// Keys blind indexes.
pub(super) fn index_roots(secrets: &Secrets) -> Result<IndexRoots, BackendError> {
    let versions = &secrets.index_roots.versions;
    let roots = versions
        .iter()
        .map(|(version, root)| (IndexVersion::new(*version), root.clone()));
    IndexRoots::new(IndexVersion::new(secrets.index_roots.primary), roots).map_err(unusable)
}

/// Keys the hashes of API keys.
pub(super) fn peppers(secrets: &Secrets) -> Result<Peppers, BackendError> {
    let versions = &secrets.key_peppers.versions;
    let peppers = versions
        .iter()
        .map(|(version, pepper)| ((*version).into(), pepper.clone()));
    Peppers::new(PepperVersion::from(secrets.key_peppers.primary), peppers).map_err(unusable)
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> BackendError {
    BackendError::Unusable(error.into())
}
