//! The configured provider of key-encryption keys.

use std::sync::Arc;

use portcullis_keyring::kek::{KekProvider, LocalKek};

use super::secret_checks::{Configured, Needed, WrittenWith};
use crate::config::{Config, KEKS, KekSource};

/// The provider, and what the database has to remember of the secrets that are in this process.
pub(super) struct KeyProvider {
    pub(super) provider: Arc<dyn KekProvider>,
    pub(super) secrets: Vec<Configured>,
}

/// Makes the provider that is configured.
pub(super) fn configured(config: &Config) -> KeyProvider {
    match config.providers.kek {
        KekSource::Local => {
            let keks = &config.secrets.keks;
            let provider = LocalKek::new(keks.clone());
            let secrets = Configured {
                secret: KEKS,
                values: provider.check_values(),
                written_with: WrittenWith::Only(keks.primary_version()),
                needed: Needed::Always,
            };
            KeyProvider {
                provider: Arc::new(provider),
                secrets: vec![secrets],
            }
        }
    }
}
