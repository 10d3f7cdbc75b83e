//! Sealed values, for storage.

#[cfg(feature = "sqlx")]
mod column;
mod text;

use std::{
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
};

use portcullis_keyring::KeyId;

use crate::{Suite, cipher::MAX_PLAINTEXT_BYTES};

/// Personal data sealed for one field of one record of one tenant. Where the kind is known only when
/// the program runs, `T` is [`AnyPii`](crate::AnyPii).
///
/// ```text
///  0  1   F9
///  1  1   suite
///  2  4   key id, u32 BE
///  6  16  salt, random for each epoch
/// 22  16  commitment to the key
/// 38  4   counter, u32 BE
/// 42  n   AES-256-GCM ciphertext, then the 16-byte tag
/// ```
/// The bytes are for storage; inside text it is `pc1.` and base64url without padding, which
/// `Display`, `FromStr` and serde use. A value of this type always has the right shape; whether it
/// opens, only a [`Cipher`](crate::Cipher) can tell.
pub struct Sealed<T> {
    bytes: Vec<u8>,
    kind: PhantomData<fn() -> T>,
}

/// The bytes or the text do not have the shape of a sealed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sealed value of a known version")]
#[non_exhaustive]
pub struct MalformedSealed;

impl<T> Sealed<T> {
    /// Takes the bytes of a sealed value, as they were stored.
    ///
    /// # Errors
    /// [`MalformedSealed`] when they do not have its shape.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, MalformedSealed> {
        let [MAGIC, suite, ..] = *bytes else {
            return Err(MalformedSealed);
        };
        let suite = Suite::from_number(suite).ok_or(MalformedSealed)?;
        let padded = bytes
            .len()
            .checked_sub(OVERHEAD_BYTES)
            .ok_or(MalformedSealed)?;
        if padded > suite.padded_len(MAX_PLAINTEXT_BYTES) || !suite.can_be_padded_len(padded) {
            return Err(MalformedSealed);
        }
        Ok(Self {
            bytes,
            kind: PhantomData,
        })
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes to store.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The data key it is sealed with.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        KeyId::new(u32::from_be_bytes(self.part::<KEY_ID_AT, 4>()))
    }

    pub(crate) fn suite(&self) -> Suite {
        Suite::from_number(self.bytes[1]).expect("the constructor has checked it")
    }

    pub(crate) fn prefix(&self) -> [u8; PREFIX_BYTES] {
        self.part::<0, PREFIX_BYTES>()
    }

    pub(crate) fn commitment(&self) -> [u8; COMMITMENT_BYTES] {
        self.part::<PREFIX_BYTES, COMMITMENT_BYTES>()
    }

    pub(crate) fn counter(&self) -> u32 {
        u32::from_be_bytes(self.part::<COUNTER_AT, 4>())
    }

    pub(crate) fn ciphertext(&self) -> &[u8] {
        &self.bytes[HEADER_BYTES..self.bytes.len() - TAG_BYTES]
    }

    pub(crate) fn tag(&self) -> [u8; TAG_BYTES] {
        let tag = self.bytes.last_chunk();
        *tag.expect("the constructor has checked the length")
    }

    /// What the cipher has just made.
    pub(crate) const fn from_cipher(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            kind: PhantomData,
        }
    }

    fn part<const AT: usize, const LEN: usize>(&self) -> [u8; LEN] {
        self.bytes[AT..AT + LEN]
            .try_into()
            .expect("the constructor has checked the length")
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self {
            bytes: self.bytes.clone(),
            kind: PhantomData,
        }
    }
}

/// Of the bytes: sealing one value twice gives two that differ.
impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> Hash for Sealed<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("key_id", &self.key_id())
            .finish_non_exhaustive()
    }
}

const MAGIC: u8 = 0xF9;
const KEY_ID_AT: usize = 2;
const SALT_AT: usize = 6;
const COUNTER_AT: usize = 38;
pub(crate) const SALT_BYTES: usize = 16;
pub(crate) const COMMITMENT_BYTES: usize = 16;
/// Magic, suite, key id and salt: what a subkey is derived from.
pub(crate) const PREFIX_BYTES: usize = SALT_AT + SALT_BYTES;
pub(crate) const HEADER_BYTES: usize = COUNTER_AT + 4;
pub(crate) const TAG_BYTES: usize = 16;
pub(crate) const OVERHEAD_BYTES: usize = HEADER_BYTES + TAG_BYTES;

pub(crate) fn derive_prefix(
    suite: Suite,
    key_id: KeyId,
    salt: &[u8; SALT_BYTES],
) -> [u8; PREFIX_BYTES] {
    let mut prefix = [0; PREFIX_BYTES];
    prefix[0] = MAGIC;
    prefix[1] = suite.number();
    prefix[KEY_ID_AT..SALT_AT].copy_from_slice(&key_id.value().to_be_bytes());
    prefix[SALT_AT..].copy_from_slice(salt);
    prefix
}

#[cfg(test)]
mod tests;
