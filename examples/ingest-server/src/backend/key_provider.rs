//! The configured secrets, as what the crates make of them.

use portcullis_apikey_cache::Peppers;
use portcullis_keyring::kek::LocalKek;
use portcullis_pii_crypto::IndexRoots;

use super::BackendError;
use crate::config::Secrets;

/// Wraps data keys in this process.
pub(super) fn local(secrets: &Secrets) -> LocalKek {
    LocalKek::new(secrets.keks.clone())
}

/// Keys blind indexes.
pub(super) fn index_roots(secrets: &Secrets) -> Result<IndexRoots, BackendError> {
    IndexRoots::new(secrets.index_roots.clone()).map_err(unusable)
}

/// Keys the hashes of API keys.
pub(super) fn peppers(secrets: &Secrets) -> Result<Peppers, BackendError> {
    Peppers::new(secrets.key_peppers.clone()).map_err(unusable)
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> BackendError {
    BackendError::Unusable(error.into())
}
