//! What both kinds of encrypted connection need.

use reqwest::Certificate;

use crate::{environment::PemFile, error::InitError};

/// The libraries below would panic without one.
pub(super) fn check_crypto_provider() -> Result<(), InitError> {
    match rustls::crypto::CryptoProvider::get_default() {
        Some(_) => Ok(()),
        None => Err(InitError::CryptoProviderMissing),
    }
}

/// The authorities of a file, of which there is one at least: with none, no collector is ever trusted.
pub(super) fn authorities(file: &PemFile) -> Result<Vec<Certificate>, InitError> {
    match Certificate::from_pem_bundle(&file.pem) {
        Ok(authorities) if !authorities.is_empty() => Ok(authorities),
        _ => Err(not_usable(file)),
    }
}

pub(super) const fn not_usable(file: &PemFile) -> InitError {
    InitError::Certificate {
        variable: file.variable,
    }
}
