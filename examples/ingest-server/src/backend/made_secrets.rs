//! What is made of the configured secrets, and whether what is stored can be read with it.

use std::sync::Arc;

use portcullis_apikey_cache::{ApiKeyCache, Peppers};
use portcullis_keyring::{kek::KekProvider, store::DekStore};
use portcullis_pii_crypto::IndexRoots;

use super::{
    BackendError,
    key_provider::{self, KeyProvider},
    needed_keks, needed_peppers,
    secret_checks::{Configured, Needed, WrittenWith},
    secret_services::SecretServices,
    swappable_kek::SwappableKek,
};
use crate::config::{self, INDEX_ROOTS, KEY_PEPPERS, KID_TAG_KEYS, KekSources};

/// What is made of the configured secrets.
pub(super) struct Secrets {
    pub(super) provider: Arc<dyn KekProvider>,
    pub(super) kek_sources: KekSources,
    pub(super) local_keks: Option<Arc<SwappableKek>>,
    pub(super) index_roots: IndexRoots,
    pub(super) peppers: Peppers,
    pub(super) configured: Vec<Configured>,
}

impl Secrets {
    pub(super) fn made(
        secrets: &config::Secrets,
        kek_sources: &KekSources,
        services: &SecretServices,
    ) -> Result<Self, BackendError> {
        let index_roots = IndexRoots::new(secrets.index_roots.clone()).map_err(unusable)?;
        let peppers = secrets.peppers().map_err(unusable)?;
        let KeyProvider {
            provider,
            local: local_keks,
            secrets: keks,
        } = key_provider::configured(kek_sources, secrets.keks.as_ref(), services)?;
        let mut configured = vec![keks];
        configured.push(Configured {
            secret: INDEX_ROOTS,
            values: index_roots.check_values(),
            written_with: WrittenWith::Live,
            needed: Needed::WhileLive,
        });
        configured.push(Configured {
            secret: KEY_PEPPERS,
            values: peppers.check_values(),
            written_with: WrittenWith::Only(secrets.key_peppers.primary_version()),
            needed: Needed::ByRows,
        });
        configured.push(Configured {
            secret: KID_TAG_KEYS,
            values: peppers.tag_check_values(),
            written_with: WrittenWith::With(KEY_PEPPERS),
            needed: Needed::ByRows,
        });
        Ok(Self {
            provider,
            kek_sources: kek_sources.clone(),
            local_keks,
            index_roots,
            peppers,
            configured,
        })
    }

    /// Whether each data key can be opened.
    pub(super) async fn check_data_keys(
        &self,
        data_keys: &dyn DekStore,
    ) -> Result<(), BackendError> {
        let missing = needed_keks::count(data_keys, &*self.provider).await?;
        Ok(needed_keks::check(&self.kek_sources, missing)?)
    }

    /// Whether each API key has the pepper that it needs.
    pub(super) async fn check_api_keys(&self, api_keys: &ApiKeyCache) -> Result<(), BackendError> {
        let usage = api_keys.pepper_usage_with(&self.peppers).await?;
        Ok(needed_peppers::check(&usage)?)
    }
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> BackendError {
    BackendError::Unusable(error.into())
}
