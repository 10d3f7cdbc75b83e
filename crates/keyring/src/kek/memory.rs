//! A key-encryption key that dies with the process.

use async_trait::async_trait;
use portcullis_versioned_secrets::VersionedSecrets;

use super::{GeneratedKey, KekContext, KekError, KekProvider, LocalKek, WrappedKey, local};
use crate::{
    DataKey,
    entropy::{EntropyError, SystemEntropy},
};

/// A random key-encryption key that nobody else has and that is never stored: for tests, and for
/// data that dies with the process. It goes with
/// [`MemoryDekStore`](crate::store::MemoryDekStore).
///
/// # Security
/// What it has wrapped cannot be opened after a restart. Do not use it with a store that outlives
/// the process.
#[derive(Debug, Clone)]
pub struct MemoryKek(LocalKek);

impl MemoryKek {
    /// Makes a key.
    ///
    /// # Errors
    /// [`EntropyError`] when the operating system has no random bytes.
    pub fn new() -> Result<Self, EntropyError> {
        let secret = local::make_secret(&SystemEntropy::new())?;
        Ok(Self(LocalKek::new(VersionedSecrets::single(secret))))
    }
}

#[async_trait]
impl KekProvider for MemoryKek {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        self.0.generate(context).await
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.0.wrap(context, key).await
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        self.0.unwrap_key(context, key).await
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        self.0.rewrap(context, key).await
    }

    fn version_of(&self, key: &WrappedKey) -> Option<String> {
        self.0.version_of(key)
    }

    fn opens(&self, key: &WrappedKey) -> bool {
        self.0.opens(key)
    }

    async fn primary(&self) -> Result<Option<String>, KekError> {
        self.0.primary().await
    }

    fn is_local(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn it_is_a_kek_provider() {
        conformance::kek_provider(async || Arc::new(MemoryKek::new().expect("a key")) as _).await;
    }
}
