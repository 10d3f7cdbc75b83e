//! The configured provider of key-encryption keys.

use std::{collections::BTreeMap, sync::Arc};

use portcullis_keyring::kek::{KekProvider, KekProviders, LocalKek};
use portcullis_versioned_secrets::VersionedSecrets;

use super::{
    secret_checks::{Configured, Needed, WrittenWith},
    secret_services::{SecretServices, ServiceError},
    swappable_kek::SwappableKek,
};
use crate::config::{KEKS, KekSource, KekSources};

/// The provider, and what the database has to remember of the secrets that are in this process.
pub(super) struct KeyProvider {
    pub(super) provider: Arc<dyn KekProvider>,
    /// The part of it whose keys are of this process and can be replaced.
    pub(super) local: Option<Arc<SwappableKek>>,
    pub(super) secrets: Configured,
}

/// Makes the provider that is configured. `keks` are those of this process, where it holds any.
pub(super) fn configured(
    sources: &KekSources,
    keks: Option<&VersionedSecrets>,
    services: &SecretServices,
) -> Result<KeyProvider, ServiceError> {
    let local = sources.has_local().then(|| {
        // Read together with the sources, which ask for them.
        let keks = keks.ok_or(ServiceError::NoKeks)?;
        Ok(LocalKek::new(keks.clone()))
    });
    let local = local.transpose()?;
    let secrets = remembered(sources, keks, local.as_ref());
    let local = local.map(|kek| Arc::new(SwappableKek::new(kek)));
    let one = |source: &KekSource| match (source, &local) {
        (KekSource::Local, Some(local)) => Ok(Arc::clone(local) as _),
        (KekSource::Local, None) => Err(ServiceError::NoKeks),
        (KekSource::AwsKms(keys), _) => services.aws_kms(keys),
        (KekSource::Vault(key), _) => services.vault_transit(key),
    };
    let mut provider = one(&sources.wraps)?;
    if !sources.others.is_empty() {
        let mut several = KekProviders::new(provider);
        for other in &sources.others {
            several = several.also_opens(one(other)?);
        }
        provider = Arc::new(several);
    }
    Ok(KeyProvider {
        provider,
        local,
        secrets,
    })
}

/// What is compared of the keys of this process. They are remembered when they wrap.
fn remembered(
    sources: &KekSources,
    keks: Option<&VersionedSecrets>,
    local: Option<&LocalKek>,
) -> Configured {
    Configured {
        secret: KEKS,
        values: local.map_or_else(BTreeMap::new, LocalKek::check_values),
        written_with: match (&sources.wraps, keks) {
            (KekSource::Local, Some(keks)) => WrittenWith::Only(keks.primary_version()),
            _ => WrittenWith::Nothing,
        },
        needed: Needed::ByRows,
    }
}
