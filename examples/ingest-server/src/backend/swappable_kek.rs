//! Key-encryption keys of this process that are replaced while it runs.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use portcullis_keyring::{
    DataKey,
    kek::{GeneratedKey, KekContext, KekError, KekProvider, LocalKek, WrappedKey},
};

/// The keys of now. A call ends with those it began with.
#[derive(Debug)]
pub(super) struct SwappableKek(ArcSwap<LocalKek>);

impl SwappableKek {
    pub(super) fn new(kek: LocalKek) -> Self {
        Self(ArcSwap::from_pointee(kek))
    }

    pub(super) fn replace(&self, kek: LocalKek) {
        self.0.store(Arc::new(kek));
    }
}

#[async_trait]
impl KekProvider for SwappableKek {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        self.0.load_full().generate(context).await
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.0.load_full().wrap(context, key).await
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        self.0.load_full().unwrap_key(context, key).await
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        self.0.load_full().rewrap(context, key).await
    }

    fn version_of(&self, key: &WrappedKey) -> Option<String> {
        self.0.load().version_of(key)
    }

    fn opens(&self, key: &WrappedKey) -> bool {
        self.0.load().opens(key)
    }

    async fn primary(&self) -> Result<Option<String>, KekError> {
        self.0.load_full().primary().await
    }

    fn is_local(&self) -> bool {
        true
    }
}
