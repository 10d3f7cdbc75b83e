//! The configured provider of key-encryption keys.

use std::{collections::BTreeMap, sync::Arc};

use portcullis_keyring::kek::{KekProvider, LocalKek};
use portcullis_versioned_secrets::VersionedSecrets;

use super::{
    needed_keks::Opens,
    secret_checks::{Configured, Needed, WrittenWith},
    secret_services::{SecretServices, ServiceError},
    swappable_kek::SwappableKek,
};
use crate::config::{KEKS, KekSource};

/// The provider, and what the database has to remember of the secrets that are in this process.
pub(super) struct KeyProvider {
    pub(super) provider: Arc<dyn KekProvider>,
    /// The provider again, where its keys are of this process and can be replaced.
    pub(super) local: Option<Arc<SwappableKek>>,
    pub(super) opens: Opens,
    pub(super) secrets: Configured,
}

/// Makes the provider that is configured. `keks` are those of this process, where it holds any.
pub(super) fn configured(
    source: &KekSource,
    keks: Option<&VersionedSecrets>,
    services: &SecretServices,
) -> Result<KeyProvider, ServiceError> {
    match (source, keks) {
        (KekSource::Local, Some(keks)) => Ok(local(keks)),
        // Read together with the source, which asks for them.
        (KekSource::Local, None) => Err(ServiceError::NoKeks),
        (KekSource::AwsKms(keys), _) => services.aws_kms(keys).map(elsewhere),
        (KekSource::Vault(key), _) => services.vault_transit(key).map(elsewhere),
    }
}

fn local(keks: &VersionedSecrets) -> KeyProvider {
    let kek = LocalKek::new(keks.clone());
    let secrets = Configured {
        secret: KEKS,
        values: kek.check_values(),
        written_with: WrittenWith::Only(keks.primary_version()),
        needed: Needed::ByRows,
    };
    let versions = keks.versions().map(|version| version.value().to_string());
    let local = Arc::new(SwappableKek::new(kek));
    KeyProvider {
        opens: Opens::Versions(versions.collect()),
        provider: Arc::clone(&local) as _,
        local: Some(local),
        secrets,
    }
}

fn elsewhere((provider, opens): (Arc<dyn KekProvider>, Opens)) -> KeyProvider {
    KeyProvider {
        provider,
        local: None,
        opens,
        secrets: Configured {
            secret: KEKS,
            // So that nothing is remembered.
            values: BTreeMap::new(),
            written_with: WrittenWith::Live,
            needed: Needed::ByRows,
        },
    }
}
