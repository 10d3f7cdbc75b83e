//! A key-encryption key that the application holds.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use portcullis_versioned_secrets::{CheckValue, SecretVersion, VersionedSecrets};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::{ExposeSecret as _, SecretBox};
use zeroize::Zeroizing;

use super::{GeneratedKey, KekContext, KekError, KekProvider, WrappedKey};
use crate::{
    DataKey, check_value,
    entropy::{Entropy, EntropyError, SystemEntropy},
};

/// A key-encryption key held in memory, in one or several versions: AES-256-GCM, with the tenant,
/// the purpose and the key id authenticated.
///
/// ```text
/// FA ‖ 01 ‖ KEK version u32 ‖ nonce 12 ‖ wrapped key 32 ‖ tag 16        66 bytes
/// ```
///
/// # Security
/// The nonce is random: one version may wrap 2³² keys (NIST SP 800-38D, 8.3), far beyond any store.
/// The secrets are wiped when the last clone is dropped; the key schedule that `ring` makes for one
/// call is not.
#[derive(Clone)]
pub struct LocalKek {
    keys: VersionedSecrets,
    entropy: Arc<dyn Entropy>,
}

impl LocalKek {
    /// Takes every version in use: the primary one wraps, all of them unwrap.
    #[must_use]
    pub fn new(keys: VersionedSecrets) -> Self {
        Self {
            keys,
            entropy: Arc::new(SystemEntropy::new()),
        }
    }

    /// The check value of every version, label `portcullis/kek/check/v1`.
    #[must_use]
    pub fn check_values(&self) -> BTreeMap<SecretVersion, CheckValue> {
        let check = |(version, key)| (version, check_value(key, CHECK_LABEL, version));
        self.keys.iter().map(check).collect()
    }

    fn seal(&self, context: &KekContext, data_key: &DataKey) -> Result<WrappedKey, KekError> {
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce)?;

        let mut bytes = Vec::with_capacity(WRAPPED_BYTES);
        bytes.extend_from_slice(&[MAGIC, FORMAT]);
        bytes.extend_from_slice(&self.keys.primary_version().value().to_be_bytes());
        bytes.extend_from_slice(&nonce);
        // EXPOSE: wrapping is what this provider is for; the copy is encrypted in place below.
        bytes.extend_from_slice(data_key.hazmat_export());
        let tag = cipher(self.keys.primary())
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
        let key = self.keys.secret(version);
        let key = key.ok_or(KekError::UnknownVersion(version))?;
        let mut sealed = Zeroizing::new(*sealed);
        let opened = cipher(key)
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(associated_data(context)),
                sealed.as_mut_slice(),
            )
            .map_err(|_| KekError::Rejected)?;
        let copy = |key: &mut [u8; DataKey::BYTES]| key.copy_from_slice(opened);
        Ok(DataKey::hazmat_from_bytes(SecretBox::init_with_mut(copy)))
    }
}

#[async_trait]
impl KekProvider for LocalKek {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        let key = DataKey::hazmat_from_bytes(make_secret(&*self.entropy)?);
        let wrapped = self.seal(context, &key)?;
        Ok(GeneratedKey::new(key, wrapped))
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.seal(context, key)
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        self.open(context, key)
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        self.seal(context, &self.open(context, key)?)
    }

    fn version_of(&self, key: &WrappedKey) -> Option<String> {
        parse(key).map(|(version, _, _)| version.value().to_string())
    }

    fn opens(&self, key: &WrappedKey) -> bool {
        parse(key).is_some_and(|(version, _, _)| self.keys.secret(version).is_some())
    }

    async fn primary(&self) -> Result<Option<String>, KekError> {
        Ok(Some(self.keys.primary_version().value().to_string()))
    }

    fn is_local(&self) -> bool {
        true
    }
}

impl fmt::Debug for LocalKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKek")
            .field("keys", &self.keys)
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

fn cipher(key: &SecretBox<[u8; 32]>) -> LessSafeKey {
    // EXPOSE: the cipher needs the key.
    let key = UnboundKey::new(&AES_256_GCM, key.expose_secret());
    LessSafeKey::new(key.expect("AES-256 takes the 32 bytes that every key has"))
}

/// 32 random bytes.
pub(super) fn make_secret(entropy: &dyn Entropy) -> Result<SecretBox<[u8; 32]>, EntropyError> {
    let mut secret = Box::new([0; 32]);
    let filled = entropy.fill(secret.as_mut_slice());
    let secret = SecretBox::new(secret);
    filled.map(|()| secret)
}

fn parse(wrapped: &WrappedKey) -> Option<(SecretVersion, &[u8; NONCE_LEN], &[u8; SEALED_BYTES])> {
    let rest = wrapped.as_bytes().strip_prefix(&[MAGIC, FORMAT])?;
    let (version, rest) = rest.split_first_chunk()?;
    let (nonce, sealed) = rest.split_first_chunk()?;
    Some((
        u32::from_be_bytes(*version).try_into().ok()?,
        nonce,
        sealed.try_into().ok()?,
    ))
}

/// The context of a data key, as what wraps it authenticates it. No two contexts have the same bytes.
pub(super) fn associated_data(context: &KekContext) -> Vec<u8> {
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

#[cfg(test)]
mod tests;
