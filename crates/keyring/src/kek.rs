//! Key-encryption keys: what wraps data keys.

#[cfg(any(feature = "aws-kms", feature = "fuzzing"))]
pub(crate) mod aws_kms;
mod local;
mod memory;
mod providers;
#[cfg(feature = "vault")]
pub(crate) mod vault;

use std::{error::Error, fmt, time::SystemTime};

use async_trait::async_trait;

use crate::{DataKey, KeyId, Purpose, TenantId, entropy::EntropyError, secrets::SecretVersion};

#[cfg(feature = "aws-kms")]
pub use self::aws_kms::AwsKms;
#[cfg(any(feature = "aws-kms", feature = "fuzzing"))]
pub use self::aws_kms::{InvalidKeyArn, KeyArn};
#[cfg(feature = "vault")]
pub use self::vault::{TransitKey, VaultKeyError, VaultTransit};
pub use self::{local::LocalKek, memory::MemoryKek, providers::KekProviders};

/// What wraps data keys and never touches data: the key-encryption key (KEK).
///
/// # Contract
/// * A wrapped key opens only with the context it was wrapped for: tenant, purpose and key id are
///   authenticated. Anything else is [`KekError::Rejected`].
/// * `unwrap_key` opens what `generate`, `wrap` and `rewrap` made, also under earlier versions of the
///   KEK for as long as they are configured.
/// * `rewrap` keeps the data key and moves it to the primary version of the KEK.
/// * [`KekError::Unavailable`] means that nobody could answer, and only that: a refusal is never
///   reported as an outage, nor an outage as a refusal.
///
/// [`conformance::kek_provider`](crate::conformance) checks an implementation against it.
#[async_trait]
pub trait KekProvider: fmt::Debug + Send + Sync {
    /// Makes a random data key and wraps it.
    ///
    /// # Errors
    /// [`KekError`].
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError>;

    /// Wraps a data key that was made elsewhere: by another provider whose keys move to this one
    /// ([`unwrap_key`](Self::unwrap_key) there, `wrap` here), or by a test that knows its bytes. A
    /// [`Keyring`](crate::Keyring) calls [`generate`](Self::generate) and
    /// [`rewrap`](Self::rewrap) alone.
    ///
    /// # Errors
    /// [`KekError`].
    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError>;

    /// Opens a wrapped data key.
    ///
    /// # Errors
    /// [`KekError`].
    async fn unwrap_key(&self, context: &KekContext, key: &WrappedKey)
    -> Result<DataKey, KekError>;

    /// Wraps the same data key again, under the primary version of the KEK.
    ///
    /// # Errors
    /// [`KekError`].
    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError>;

    /// Which version of the KEK a key is wrapped under, as its wrapped bytes tell: to count how many need a
    /// version still, and to skip those that the primary version has wrapped. Not secret, and not checked.
    ///
    /// By default nobody knows.
    fn version_of(&self, _key: &WrappedKey) -> Option<String> {
        None
    }

    /// Whether a key is one to give to this provider, as its wrapped bytes tell: they name a key and a version that
    /// are configured here. [`KekProviders`] chooses by it, and it tells at the start of a service which data keys
    /// it could not unwrap. Nothing else is checked.
    ///
    /// By default it is every key whose version is known.
    fn opens(&self, key: &WrappedKey) -> bool {
        self.version_of(key).is_some()
    }

    /// The version that wraps from now on, in the words of [`version_of`](Self::version_of), asked where it is
    /// kept: [`Keyring::rewrap_all`](crate::Keyring::rewrap_all) skips what is under it, and asks before each
    /// page of keys.
    ///
    /// By default nobody knows: each rewrap of all keys then wraps every key.
    ///
    /// # Errors
    /// [`KekError`].
    async fn primary(&self) -> Result<Option<String>, KekError> {
        Ok(None)
    }

    /// Since when there is the version that wraps, as its keeper tells: what a cryptoperiod is counted from. Asked
    /// for a gauge, once in a while, and by nobody who waits.
    ///
    /// By default nobody knows.
    ///
    /// # Errors
    /// [`KekError`].
    async fn primary_since(&self) -> Result<Option<SystemTime>, KekError> {
        Ok(None)
    }

    /// Whether it answers from the memory of this process, so that a call costs nobody else anything and
    /// needs no budget.
    ///
    /// By default it does not.
    fn is_local(&self) -> bool {
        false
    }
}

/// What a wrapped data key is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KekContext {
    tenant: TenantId,
    purpose: Purpose,
    key_id: KeyId,
}

/// A data key as it is stored. Not secret, and useless without the KEK.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey(Box<[u8]>);

/// A new data key, in the clear and wrapped.
#[derive(Debug)]
#[non_exhaustive]
pub struct GeneratedKey {
    /// In the clear.
    pub key: DataKey,
    /// Wrapped, to be stored.
    pub wrapped: WrappedKey,
}

/// Why a key-encryption key did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KekError {
    /// The wrapped key does not open: not made by this KEK, for another context, or damaged.
    #[error("the wrapped data key does not open with this key-encryption key and context")]
    Rejected,
    /// The wrapped key names a version of the KEK that is not configured, or that its keeper no longer lets
    /// unwrap (`min_decryption_version` of Vault).
    #[error(
        "version {0} of the key-encryption key is not configured, or not allowed to unwrap: add or allow it"
    )]
    UnknownVersion(SecretVersion),
    /// The wrapped key names a key-encryption key of its service that is not configured.
    #[error("the key-encryption key {0} is not configured: add it")]
    UnknownKey(String),
    /// Nobody could answer; asking again later can help.
    #[error("the key-encryption key is unavailable: try again later")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// No random bytes for a key or a nonce.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl KekError {
    /// Whether it was this wrapped key that was refused: others are not concerned, and asking again does not help
    /// before something is configured or repaired.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Rejected | Self::UnknownVersion(_) | Self::UnknownKey(_) => true,
            Self::Unavailable(_) | Self::Entropy(_) => false,
        }
    }
}

impl KekContext {
    /// The context of one data key.
    #[must_use]
    pub const fn new(tenant: TenantId, purpose: Purpose, key_id: KeyId) -> Self {
        Self {
            tenant,
            purpose,
            key_id,
        }
    }

    /// Whose key it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// What the key is for.
    #[must_use]
    pub const fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// The id of the key.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }
}

impl WrappedKey {
    /// A wrapped key as it was stored.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKey")
            .field("bytes", &self.0.len())
            .finish_non_exhaustive()
    }
}

impl GeneratedKey {
    /// The two forms of one data key.
    #[must_use]
    pub const fn new(key: DataKey, wrapped: WrappedKey) -> Self {
        Self { key, wrapped }
    }
}
