#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{GeneratedKey, KekContext, KekError, KekProvider, KekVersion, WrappedKey};
use crate::{CheckValue, DataKey, Entropy, SystemEntropy};

/// A key-encryption key held in memory, in one or several versions: AES-256-GCM, with the tenant,
/// the purpose and the key id authenticated.
///
/// ```text
/// FA ‖ 01 ‖ KEK version u32 ‖ nonce 12 ‖ wrapped key 32 ‖ tag 16        66 bytes
/// ```
///
/// # Security
/// The nonce is random: one version may wrap 2³² keys (NIST SP 800-38D, 8.3), far beyond any store.
/// The bytes given are wiped when the last clone is dropped; the key schedule that `ring` makes for
/// one call is not.
#[derive(Clone)]
pub struct LocalKek {
    primary: KekVersion,
    keys: Arc<BTreeMap<KekVersion, Zeroizing<[u8; 32]>>>,
    entropy: Arc<dyn Entropy>,
}

/// Why a set of key-encryption keys was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocalKekError {
    /// The primary version is not among the keys.
    #[error("the primary version {0} is not among the key-encryption keys")]
    PrimaryMissing(KekVersion),
    /// One version is given twice.
    #[error("version {0} of the key-encryption key is given twice")]
    VersionTwice(KekVersion),
    /// Two versions are the same key, so that moving from one to the other would protect nothing.
    #[error("versions {0} and {1} of the key-encryption key are the same secret")]
    SameSecret(KekVersion, KekVersion),
}

impl LocalKek {
    /// Takes every version still in use and the one that wraps new keys.
    ///
    /// # Errors
    /// [`LocalKekError`] when the primary is missing, a version is given twice, or two versions
    /// are the same secret.
    ///
    /// # Security
    /// The keys must be 32 uniformly random bytes, never a pass phrase.
    pub fn new(
        primary: KekVersion,
        keys: impl IntoIterator<Item = (KekVersion, Zeroizing<[u8; 32]>)>,
    ) -> Result<Self, LocalKekError> {
        let mut known: BTreeMap<KekVersion, Zeroizing<[u8; 32]>> = BTreeMap::new();
        for (version, key) in keys {
            if known.contains_key(&version) {
                return Err(LocalKekError::VersionTwice(version));
            }
            // EXPOSE: the secrets are compared, in constant time, to refuse equal ones.
            let same = known
                .iter()
                .find(|(_, other)| other.as_slice().ct_eq(key.as_slice()).into());
            if let Some((other, _)) = same {
                return Err(LocalKekError::SameSecret(*other, version));
            }
            known.insert(version, key);
        }
        if !known.contains_key(&primary) {
            return Err(LocalKekError::PrimaryMissing(primary));
        }
        Ok(Self {
            primary,
            keys: Arc::new(known),
            entropy: Arc::new(SystemEntropy::new()),
        })
    }

    /// The check value of every version, label `portcullis/kek/check/v1`.
    #[must_use]
    pub fn check_values(&self) -> BTreeMap<KekVersion, CheckValue> {
        // EXPOSE: a one-way derivation, with a label that derives nothing else.
        let check = |(version, key): (&KekVersion, &Zeroizing<[u8; 32]>)| {
            (
                *version,
                CheckValue::derive(key, CHECK_LABEL, version.value()),
            )
        };
        self.keys.iter().map(check).collect()
    }

    fn seal(&self, context: &KekContext, data_key: &DataKey) -> Result<WrappedKey, KekError> {
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce)?;

        let mut bytes = Vec::with_capacity(WRAPPED_BYTES);
        bytes.extend_from_slice(&[MAGIC, FORMAT]);
        bytes.extend_from_slice(&self.primary.value().to_be_bytes());
        bytes.extend_from_slice(&nonce);
        // EXPOSE: wrapping is what this provider is for; the copy is encrypted in place below.
        bytes.extend_from_slice(data_key.hazmat_export());
        let tag = self
            .cipher(self.primary)?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated_data(context)),
                &mut bytes[KEY_AT..],
            )
            .map_err(|_| KekError::Rejected)?;
        bytes.extend_from_slice(tag.as_ref());
        Ok(WrappedKey::from_bytes(bytes))
    }

    fn open(&self, context: &KekContext, wrapped: &WrappedKey) -> Result<DataKey, KekError> {
        let (version, nonce, sealed) = parse(wrapped).ok_or(KekError::Rejected)?;
        let mut sealed = Zeroizing::new(*sealed);
        let opened = self
            .cipher(version)?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(associated_data(context)),
                sealed.as_mut_slice(),
            )
            .map_err(|_| KekError::Rejected)?;
        let mut key = Zeroizing::new([0; DataKey::BYTES]);
        key.copy_from_slice(opened);
        Ok(DataKey::hazmat_from_bytes(key))
    }

    fn cipher(&self, version: KekVersion) -> Result<LessSafeKey, KekError> {
        let key = self
            .keys
            .get(&version)
            .ok_or(KekError::UnknownVersion(version))?;
        // EXPOSE: the cipher needs the key.
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice())
            .expect("AES-256 takes the 32 bytes that every key has");
        Ok(LessSafeKey::new(key))
    }
}

#[async_trait]
impl KekProvider for LocalKek {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        let mut key = Zeroizing::new([0; DataKey::BYTES]);
        self.entropy.fill(key.as_mut_slice())?;
        let key = DataKey::hazmat_from_bytes(key);
        let wrapped = self.seal(context, &key)?;
        Ok(GeneratedKey::new(key, wrapped))
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.seal(context, key)
    }

    async fn unwrap(&self, context: &KekContext, key: &WrappedKey) -> Result<DataKey, KekError> {
        self.open(context, key)
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        self.seal(context, &self.open(context, key)?)
    }
}

impl fmt::Debug for LocalKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<_> = self.keys.keys().map(|version| version.value()).collect();
        f.debug_struct("LocalKek")
            .field("primary", &self.primary.value())
            .field("versions", &versions)
            .finish_non_exhaustive()
    }
}

const MAGIC: u8 = 0xFA;
const FORMAT: u8 = 1;
const LABEL: &[u8] = b"portcullis/dek/v1\0";
const CHECK_LABEL: &str = "portcullis/kek/check/v1";
const NONCE_AT: usize = 6;
const KEY_AT: usize = NONCE_AT + NONCE_LEN;
const SEALED_BYTES: usize = DataKey::BYTES + 16;
const WRAPPED_BYTES: usize = KEY_AT + SEALED_BYTES;

fn parse(wrapped: &WrappedKey) -> Option<(KekVersion, &[u8; NONCE_LEN], &[u8; SEALED_BYTES])> {
    let rest = wrapped.as_bytes().strip_prefix(&[MAGIC, FORMAT])?;
    let (version, rest) = rest.split_first_chunk()?;
    let (nonce, sealed) = rest.split_first_chunk()?;
    Some((
        KekVersion::new(u32::from_be_bytes(*version)),
        nonce,
        sealed.try_into().ok()?,
    ))
}

fn associated_data(context: &KekContext) -> Vec<u8> {
    let (tenant, purpose) = (context.tenant().as_str(), context.purpose().as_str());
    let mut data = Vec::with_capacity(LABEL.len() + tenant.len() + purpose.len() + 12);
    data.extend_from_slice(LABEL);
    for part in [tenant, purpose] {
        let length = u32::try_from(part.len()).expect("a name has at most 1,024 bytes");
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(part.as_bytes());
    }
    data.extend_from_slice(&context.key_id().value().to_be_bytes());
    data
}
