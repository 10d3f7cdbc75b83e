//! Keys that verify.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{ED25519, UnparsedPublicKey};

use super::{KeyId, KeyName};

/// A key that verifies notes, known beforehand. As text it is a vkey: `name+id+base64(type ‖ key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: KeyName,
    id: KeyId,
    kind: SignatureType,
    key: [u8; 32],
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureType {
    /// Type 01: Ed25519 over the text of the note.
    Ed25519,
    /// Type 04: Ed25519 over a time and the text of a checkpoint, by a witness.
    CosignatureV1,
}

/// Why a text is no key of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidVerifyingKey {
    /// It has another form.
    #[error("a vkey must be name+id+base64 of type and key")]
    Malformed,
    /// Its type is not 01 or 04.
    #[error("a vkey must be of type 01 or 04, not {0:02x}")]
    UnsupportedType(u8),
    /// Name and key have another id.
    #[error("the id of the vkey does not belong to its name and key")]
    WrongId,
}

impl SignatureType {
    /// The byte that it is known by.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::CosignatureV1 => 4,
        }
    }
}

impl VerifyingKey {
    pub(super) fn new(name: KeyName, kind: SignatureType, key: [u8; 32]) -> Self {
        let id = KeyId::of(&name, kind, &key);
        Self {
            name,
            id,
            kind,
            key,
        }
    }

    /// The same key under another name: for the notes of another log.
    #[must_use]
    pub fn with_name(&self, name: KeyName) -> Self {
        Self::new(name, self.kind, self.key)
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What it signs.
    #[must_use]
    pub const fn kind(&self) -> SignatureType {
        self.kind
    }

    pub(super) fn is_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.key);
        key.verify(message, signature).is_ok()
    }
}

impl FromStr for VerifyingKey {
    type Err = InvalidVerifyingKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The last part may have a `+` of base64.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidVerifyingKey::Malformed);
        };
        let name = name.parse().map_err(|_| InvalidVerifyingKey::Malformed)?;
        let key = STANDARD
            .decode(key)
            .map_err(|_| InvalidVerifyingKey::Malformed)?;
        let (kind, key) = match key.as_slice() {
            [1, key @ ..] => (SignatureType::Ed25519, key),
            [4, key @ ..] => (SignatureType::CosignatureV1, key),
            [other, ..] => return Err(InvalidVerifyingKey::UnsupportedType(*other)),
            [] => return Err(InvalidVerifyingKey::Malformed),
        };
        let key = key.try_into().map_err(|_| InvalidVerifyingKey::Malformed)?;
        let known = Self::new(name, kind, key);
        if known.id.to_string() != id {
            return Err(InvalidVerifyingKey::WrongId);
        }
        Ok(known)
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = [self.kind.byte(); 33];
        key[1..].copy_from_slice(&self.key);
        write!(f, "{}+{}+{}", self.name, self.id, STANDARD.encode(key))
    }
}
