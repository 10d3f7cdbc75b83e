//! The configured secrets, as what the crates make of them.

use portcullis_apikey_cache::{PepperVersion, Peppers};
use portcullis_keyring::kek::LocalKek;
use portcullis_pii_crypto::IndexRoots;
use portcullis_versioned_secrets::SecretVersion;
use secrecy::{ExposeSecret as _, SecretBox};
use zeroize::Zeroizing;

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
    let peppers = &secrets.key_peppers;
    let primary = PepperVersion::from(short(peppers.primary_version())?);
    let mut versions = Vec::new();
    for (version, pepper) in peppers.iter() {
        versions.push((short(version)?.into(), copy(pepper)));
    }
    Peppers::new(primary, versions).map_err(unusable)
}

fn short(version: SecretVersion) -> Result<u16, BackendError> {
    u16::try_from(version.value()).map_err(unusable)
}

fn copy(secret: &SecretBox<[u8; 32]>) -> Zeroizing<[u8; 32]> {
    // EXPOSE: handed to the crate that keeps it.
    Zeroizing::new(*secret.expose_secret())
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> BackendError {
    BackendError::Unusable(error.into())
}
