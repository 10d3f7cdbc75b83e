//! A key-encryption key that Vault or OpenBao keeps.

pub(crate) mod envelope;
mod key_error;
mod transit_key;

use std::{fmt, time::SystemTime};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis_versioned_secrets::{
    SecretVersion,
    vault::{InvalidVaultPath, VaultClient, VaultData, VaultError, VaultPath},
};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use self::envelope::{Envelope, KeyName};
use super::{GeneratedKey, KekContext, KekError, KekProvider, WrappedKey, local};
use crate::DataKey;

pub use self::{key_error::VaultKeyError, transit_key::TransitKey};

/// A key of the transit engine of HashiCorp Vault or OpenBao. It never leaves Vault; what wraps a data
/// key is derived from it there, for the tenant, the purpose and the key id.
///
/// The key must be made with `derived=true`, as rewrapping takes no associated data and the context of a
/// derived key is what binds. Before anything else, and by [`check`](Self::check) at the start of a
/// service, that is looked at: a key that is not derived would take any context and bind nothing.
///
/// A wrapped key names the mount, the key and its version: one of another key is refused without a call.
///
/// Each call is sent once, whatever the client says of attempts: the next caller, who waits for the budget of the
/// [`Keyring`](crate::Keyring), is the next attempt.
///
/// # Security
/// Vault makes the data keys and sees them, and whose and what for they are. The answer travels through
/// buffers of HTTP and TLS that are not wiped.
pub struct VaultTransit {
    client: VaultClient,
    name: KeyName,
    paths: Paths,
    allows_exportable: bool,
    checked: OnceCell<TransitKey>,
}

struct Paths {
    key: VaultPath,
    generate: VaultPath,
    encrypt: VaultPath,
    decrypt: VaultPath,
    rewrap: VaultPath,
}

impl VaultTransit {
    /// The key of that name in the engine at `mount`, such as `transit` and `ingest`.
    ///
    /// # Errors
    /// [`InvalidVaultPath`].
    pub fn new(client: VaultClient, mount: &str, key: &str) -> Result<Self, InvalidVaultPath> {
        let (mount, key) = (VaultPath::new(mount)?, VaultPath::new(key)?);
        let path = |operation: &str| mount.join(operation)?.join(key.as_str());
        let paths = Paths {
            key: path("keys")?,
            generate: path("datakey/plaintext")?,
            encrypt: path("encrypt")?,
            decrypt: path("decrypt")?,
            rewrap: path("rewrap")?,
        };
        Ok(Self {
            // The budget of a keyring counts calls, and what the client repeats by itself it would not see.
            client: client.asking_once(),
            name: KeyName::new(mount, key),
            paths,
            allows_exportable: false,
            checked: OnceCell::new(),
        })
    }

    /// Takes a key that can be exported or backed up in plaintext too, which Vault never lets anyone take
    /// back.
    ///
    /// # Security
    /// What can leave Vault may have left it: then revoking access to Vault protects nothing.
    #[must_use]
    pub fn dangerous_allow_exportable(self) -> Self {
        Self {
            allows_exportable: true,
            ..self
        }
    }

    /// Reads what Vault says of the key, and whether it can be used. To be called at the start of a
    /// service.
    ///
    /// # Errors
    /// [`VaultKeyError`].
    pub async fn check(&self) -> Result<TransitKey, VaultKeyError> {
        let read = self.client.read(&self.paths.key).await;
        let data = read.map_err(|error| VaultKeyError::of(error, &self.name))?;
        TransitKey::of(&data, &self.name, self.allows_exportable)
    }

    async fn checked(&self) -> Result<(), KekError> {
        let unavailable = |error: VaultKeyError| KekError::Unavailable(error.into());
        let check = self.checked.get_or_try_init(|| self.check());
        check.await.map(drop).map_err(unavailable)
    }

    async fn ask(&self, path: &VaultPath, texts: &[(&str, &str)]) -> Result<VaultData, VaultError> {
        self.client.write(path, texts).await
    }

    /// The wrapped key of an answer.
    fn wrapped(&self, answer: &VaultData) -> Result<WrappedKey, KekError> {
        let ciphertext = answer.text("ciphertext");
        // EXPOSE: a ciphertext, which only counts as secret like everything in an answer.
        let envelope = ciphertext.and_then(|text| {
            let (version, ciphertext) = envelope::parse_ciphertext(text.expose_secret())?;
            let name = self.name.clone();
            Some(Envelope {
                name,
                version,
                ciphertext,
            })
        });
        let envelope = envelope.ok_or_else(|| self.unavailable(VaultKeyError::Answer))?;
        Ok(envelope.to_wrapped())
    }

    /// The data key of an answer.
    fn opened(&self, answer: &VaultData) -> Result<DataKey, KekError> {
        let plaintext = answer.text("plaintext").and_then(decode_key);
        plaintext.ok_or_else(|| self.unavailable(VaultKeyError::Answer))
    }

    /// What to ask Vault to open: what this key has wrapped.
    fn own(&self, wrapped: &WrappedKey) -> Result<Envelope, KekError> {
        let envelope = Envelope::parse(wrapped).filter(|envelope| envelope.name == self.name);
        envelope.ok_or(KekError::Rejected)
    }

    fn unavailable(&self, error: VaultKeyError) -> KekError {
        KekError::Unavailable(error.into())
    }

    fn failed(&self, error: VaultError) -> KekError {
        self.unavailable(VaultKeyError::of(error, &self.name))
    }

    /// As above, for a wrapped key that Vault was given.
    fn not_opened(&self, error: VaultError, version: SecretVersion) -> KekError {
        match error {
            VaultError::Refused { ref messages, .. } => match key_error::verdict(messages) {
                Some(key_error::Verdict::Rejected) => KekError::Rejected,
                Some(key_error::Verdict::Version) => KekError::UnknownVersion(version),
                None => self.failed(error),
            },
            _ => self.failed(error),
        }
    }
}

#[async_trait]
impl KekProvider for VaultTransit {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        self.checked().await?;
        let body = [("context", &*encoded(context))];
        let answer = self.ask(&self.paths.generate, &body).await;
        let answer = answer.map_err(|error| self.failed(error))?;
        Ok(GeneratedKey::new(
            self.opened(&answer)?,
            self.wrapped(&answer)?,
        ))
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.checked().await?;
        // EXPOSE: wrapping is what this provider is for; the copy is wiped.
        let plaintext = Zeroizing::new(STANDARD.encode(key.hazmat_export()));
        let body = [("context", &*encoded(context)), ("plaintext", &*plaintext)];
        let answer = self.ask(&self.paths.encrypt, &body).await;
        self.wrapped(&answer.map_err(|error| self.failed(error))?)
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        let envelope = self.own(key)?;
        self.checked().await?;
        let ciphertext = envelope.ciphertext();
        let body = [
            ("context", &*encoded(context)),
            ("ciphertext", &*ciphertext),
        ];
        let answer = self.ask(&self.paths.decrypt, &body).await;
        let answer = answer.map_err(|error| self.not_opened(error, envelope.version))?;
        self.opened(&answer)
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        let envelope = self.own(key)?;
        self.checked().await?;
        let ciphertext = envelope.ciphertext();
        let body = [
            ("context", &*encoded(context)),
            ("ciphertext", &*ciphertext),
        ];
        let answer = self.ask(&self.paths.rewrap, &body).await;
        self.wrapped(&answer.map_err(|error| self.not_opened(error, envelope.version))?)
    }

    /// `transit/ingest:v2`, also of another key.
    fn version_of(&self, key: &WrappedKey) -> Option<String> {
        let envelope = Envelope::parse(key)?;
        Some(envelope.name.version(envelope.version))
    }

    /// What this key has wrapped, in any version: which of them unwrap, Vault alone knows.
    fn opens(&self, key: &WrappedKey) -> bool {
        self.own(key).is_ok()
    }

    /// When Vault made the latest version.
    async fn primary_since(&self) -> Result<Option<SystemTime>, KekError> {
        let key = self.check().await;
        Ok(key.map_err(|error| self.unavailable(error))?.latest_since())
    }

    /// The latest version, which Vault is asked for each time: keys are rotated there, and nobody is told.
    async fn primary(&self) -> Result<Option<String>, KekError> {
        let key = self.check().await;
        let key = key.map_err(|error| self.unavailable(error))?;
        Ok(Some(self.name.version(key.latest_version())))
    }
}

impl fmt::Debug for VaultTransit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultTransit")
            .field("client", &self.client)
            .field("key", &self.name)
            .finish_non_exhaustive()
    }
}

/// What a key is derived for: the bytes that the local key-encryption key authenticates.
fn encoded(context: &KekContext) -> String {
    STANDARD.encode(local::associated_data(context))
}

fn decode_key(text: &SecretString) -> Option<DataKey> {
    let mut bytes = Zeroizing::new([0; 3 * DataKey::BYTES]);
    // EXPOSE: decoded into memory that is wiped.
    let text = text.expose_secret();
    let length = STANDARD.decode_slice(text, bytes.as_mut_slice()).ok()?;
    let decoded = bytes.get(..length)?;
    if decoded.len() != DataKey::BYTES {
        return None;
    }
    let copy = |key: &mut [u8; DataKey::BYTES]| key.copy_from_slice(decoded);
    Some(DataKey::hazmat_from_bytes(SecretBox::init_with_mut(copy)))
}

#[cfg(test)]
mod tests;
