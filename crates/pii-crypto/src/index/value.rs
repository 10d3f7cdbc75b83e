//! A fingerprint.

#[cfg(feature = "sqlx")]
mod column;

use std::{
    fmt,
    hash::{Hash, Hasher},
    num::NonZeroU16,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, Serializer};

use super::IndexVersion;

/// A keyed fingerprint: the version of its root, then the truncated HMAC.
///
/// Without the root, two of them tell whether the values were the same, and nothing else. `Debug`
/// prints the version alone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexValue {
    // Zero behind its length, so that values of one length compare as their bytes do.
    bytes: [u8; MAX_BYTES],
    len: usize,
}

impl IndexValue {
    /// The version of the root.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "a value begins with its version")]
    pub fn version(&self) -> IndexVersion {
        Self::stored_version(&self.bytes).expect("it was made with a version")
    }

    /// The bytes to store and to look up: the version as u16 BE, then the truncated HMAC.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// A fingerprint as it was stored, to compare it with others. None for bytes that are none.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        let version = Self::stored_version(bytes)?;
        let tag = bytes.get(VERSION_BYTES..)?;
        let fits = !tag.is_empty() && bytes.len() <= MAX_BYTES;
        fits.then(|| Self::new(version, tag))
    }

    /// The version of stored bytes, to compute the fingerprint that compares with them. None if they
    /// are not a fingerprint.
    #[must_use]
    pub fn stored_version(bytes: &[u8]) -> Option<IndexVersion> {
        let (version, _) = bytes.split_first_chunk()?;
        NonZeroU16::new(u16::from_be_bytes(*version)).map(IndexVersion)
    }

    /// Of a tag of up to 32 bytes.
    pub(super) fn new(version: IndexVersion, tag: &[u8]) -> Self {
        let mut bytes = [0; MAX_BYTES];
        let len = VERSION_BYTES + tag.len();
        bytes[..VERSION_BYTES].copy_from_slice(&version.value().to_be_bytes());
        bytes[VERSION_BYTES..len].copy_from_slice(tag);
        Self { bytes, len }
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut u8> {
        self.bytes[..self.len].last_mut()
    }
}

impl Hash for IndexValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// base64url without padding, of the bytes.
impl Serialize for IndexValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.as_bytes()))
    }
}

impl fmt::Debug for IndexValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexValue")
            .field("version", &self.version().0)
            .finish_non_exhaustive()
    }
}

const VERSION_BYTES: usize = 2;
const MAX_BYTES: usize = VERSION_BYTES + 32;
