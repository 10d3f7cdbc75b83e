//! What keys are called.

use std::{fmt, str::FromStr};

use ring::digest::{Context, SHA256};

use super::SignatureType;

/// The name of a key, as `portcullis.example/audit`: not empty, without spaces, control characters and `+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(Box<str>);

/// A text that names no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of a key must have 1 to 256 bytes, without spaces, control characters and `+`")]
#[non_exhaustive]
pub struct InvalidKeyName;

/// Four bytes that tell keys of one name apart. They do not identify a key: anyone can make another with the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

const MAX_BYTES: usize = 256;

impl KeyName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = InvalidKeyName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_refused = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if text.is_empty() || text.len() > MAX_BYTES || text.contains(is_refused) {
            return Err(InvalidKeyName);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeyId {
    /// The id that was stored or sent.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The bytes that signatures begin with.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// SHA-256(name ‖ `0a` ‖ type ‖ key), its first four bytes.
    pub(super) fn of(name: &KeyName, kind: SignatureType, key: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(name.as_str().as_bytes());
        context.update(&[b'\n', kind.byte()]);
        context.update(key);
        let mut id = [0; 4];
        id.copy_from_slice(&context.finish().as_ref()[..4]);
        Self(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}
