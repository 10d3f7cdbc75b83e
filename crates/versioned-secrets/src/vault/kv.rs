//! Secrets from version 2 of the KV engine.

use async_trait::async_trait;

use super::{InvalidVaultPath, VaultClient, VaultError, VaultPath};
use crate::source::{FetchedSecrets, SecretSource, SourceError};

/// One entry of the KV engine, version 2: an object whose values are texts. Its revision is the number of
/// the version.
#[derive(Debug, Clone)]
pub struct VaultKv {
    client: VaultClient,
    entry: VaultPath,
    place: String,
}

impl VaultKv {
    /// The entry `path` of the engine at `mount`: `secret` and `ingest`, for `vault kv get -mount=secret
    /// ingest`.
    ///
    /// # Errors
    /// [`InvalidVaultPath`].
    pub fn new(client: VaultClient, mount: &str, path: &str) -> Result<Self, InvalidVaultPath> {
        let (mount, path) = (VaultPath::new(mount)?, VaultPath::new(path)?);
        Ok(Self {
            client,
            entry: mount.join("data")?.join(path.as_str())?,
            place: format!("the entry {path} of the KV engine {mount} of Vault"),
        })
    }

    fn malformed(&self) -> SourceError {
        let place = self.place.clone();
        SourceError::Malformed { place }
    }

    fn error(&self, error: VaultError) -> SourceError {
        let place = self.place.clone();
        match error {
            VaultError::Unavailable(outage) => SourceError::Unavailable {
                place,
                source: outage.into(),
            },
            VaultError::Denied { .. } => SourceError::Denied { place },
            VaultError::NotFound { .. } => SourceError::NotFound { place },
            // The engine is there and does not serve: an upgrade to version 2 says so with 400.
            refused @ VaultError::Refused { .. } => SourceError::Unavailable {
                place,
                source: refused.into(),
            },
        }
    }
}

#[async_trait]
impl SecretSource for VaultKv {
    async fn fetch(&self) -> Result<FetchedSecrets, SourceError> {
        let read = self.client.read(&self.entry).await;
        let answer = read.map_err(|error| self.error(error))?;
        let version = answer
            .object("metadata")
            .and_then(|metadata| metadata.number("version"));
        match (answer.object("data"), version) {
            (Some(data), Some(version)) => match data.texts() {
                Some(texts) => Ok(FetchedSecrets::new(texts, version.to_string())),
                None => Err(self.malformed()),
            },
            // Of version 1, which has no metadata.
            _ => Err(self.malformed()),
        }
    }
}
