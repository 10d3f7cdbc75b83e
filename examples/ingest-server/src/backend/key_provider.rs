//! The configured provider of key-encryption keys.

use std::sync::Arc;

use portcullis_keyring::{
    CheckValue, SecretVersion,
    kek::{KekProvider, LocalKek},
};

use super::secret_checks::Configured;
use crate::config::{Config, KEKS, KekSource};

/// The provider, and what the database has to remember of the secrets that are in this process.
pub(super) struct KeyProvider {
    pub(super) provider: Arc<dyn KekProvider>,
    pub(super) checks: Vec<Configured>,
}

/// Makes the provider that is configured.
pub(super) fn configured(config: &Config) -> KeyProvider {
    match config.providers.kek {
        KekSource::Local => {
            let keks = &config.secrets.keks;
            let provider = LocalKek::new(keks.clone());
            let checks = provider.check_values().into_iter();
            // The earlier versions are remembered since they were primary.
            let check = |(version, value): (SecretVersion, CheckValue)| {
                let is_in_use = version == keks.primary_version();
                Configured::new(KEKS, version.value(), value.as_bytes(), is_in_use)
            };
            KeyProvider {
                checks: checks.map(check).collect(),
                provider: Arc::new(provider),
            }
        }
    }
}
