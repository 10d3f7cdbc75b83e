//! The text that a caller presents.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    base62,
    entropy::{Entropy, EntropyError},
    key_format::{KeyFormat, MAX_LABEL_LEN, MIN_LABEL_LEN, is_label},
    kid::{KID_LEN, Kid},
};

/// Characters of the secret: 62⁴³ is more than 2²⁵⁶.
const SECRET_LEN: usize = 43;
const CHECKSUM_LEN: usize = 6;
/// Everything after the label: `_<kid>_<secret><checksum>`.
const TAIL_LEN: usize = 1 + KID_LEN + 1 + SECRET_LEN + CHECKSUM_LEN;
const MIN_LEN: usize = MIN_LABEL_LEN + TAIL_LEN;
const MAX_LEN: usize = MAX_LABEL_LEN + TAIL_LEN;

/// An API key as it is handed out: `<prefix>_<env>_<kid>_<secret><checksum>`.
///
/// 76 to 106 ASCII characters; `pcl_live_…` has 81. That a text parses says that it was not
/// mistyped, and nothing about whether the key was ever issued.
///
/// # Security
///
/// Zeroized when dropped, shown by `Debug` as its kid, and without `Display`: only
/// [`hazmat_expose`](Self::hazmat_expose) gives the text.
pub struct ApiKey {
    text: Zeroizing<Box<str>>,
    kid: Kid,
}

impl ApiKey {
    /// Checks form and checksum.
    ///
    /// # Errors
    ///
    /// If the text is not of the form above; nothing of it is in the error.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        let bytes = text.as_bytes();
        if !(MIN_LEN..=MAX_LEN).contains(&bytes.len()) {
            return Err(MalformedKey::Length);
        }
        let (label, tail) = bytes.split_at(bytes.len() - TAIL_LEN);
        let (kid, secret) = tail[1..].split_at(KID_LEN);
        let kid = Kid::from_bytes(kid).ok_or(MalformedKey::Form)?;
        if !is_label(label)
            || tail[0] != b'_'
            || secret[0] != b'_'
            || !base62::is_text(&secret[1..])
        {
            return Err(MalformedKey::Form);
        }
        let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM_LEN);
        if derive_checksum(content) != checksum {
            return Err(MalformedKey::Checksum);
        }
        Ok(Self {
            text: Zeroizing::new(text.into()),
            kid,
        })
    }

    /// The id of the key, which is not secret.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// The whole text, to show a new key to its owner once.
    ///
    /// # Security
    ///
    /// Anybody who has the text has the key: show it, do not store or log it.
    #[must_use]
    pub fn hazmat_expose(&self) -> &str {
        // EXPOSE: the caller asked for the text by name.
        &self.text
    }

    /// A new key with this kid and a new secret.
    pub(crate) fn make(
        entropy: &dyn Entropy,
        format: &KeyFormat,
        kid: Kid,
    ) -> Result<Self, EntropyError> {
        Ok(Self::assemble(format, kid, &*base62::make_text(entropy)?))
    }

    fn assemble(format: &KeyFormat, kid: Kid, secret: &[u8; SECRET_LEN]) -> Self {
        // All of the capacity at once: a growing buffer would leave copies of the secret.
        let mut text = Zeroizing::new(Vec::with_capacity(format.label().len() + TAIL_LEN));
        text.extend_from_slice(format.label().as_bytes());
        text.push(b'_');
        text.extend_from_slice(kid.as_bytes());
        text.push(b'_');
        text.extend_from_slice(secret);
        let checksum = derive_checksum(&text);
        text.extend_from_slice(&checksum);
        // EXPOSE: the text is the value being built.
        let text = str::from_utf8(&text).expect("every part is ASCII");
        Self {
            text: Zeroizing::new(text.into()),
            kid,
        }
    }

    /// The 43 characters that only the owner knows.
    pub(crate) fn secret(&self) -> &[u8] {
        // EXPOSE: hashing is what the secret is for.
        let end = self.text.len() - CHECKSUM_LEN;
        &self.text.as_bytes()[end - SECRET_LEN..end]
    }

    pub(crate) fn has_format(&self, format: &KeyFormat) -> bool {
        // EXPOSE: what is compared is the label in front of the kid.
        self.text[..self.text.len() - TAIL_LEN] == *format.label()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// CRC-32/ISO-HDLC of what stands before it.
fn derive_checksum(content: &[u8]) -> [u8; CHECKSUM_LEN] {
    base62::encode(crc32fast::hash(content).into())
}

/// A text that cannot be an API key. The answer to a caller does not depend on which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MalformedKey {
    /// It is shorter or longer than any key.
    #[error("an API key has 76 to 106 characters; check that it was copied whole")]
    Length,
    /// A part is missing or has a character that it cannot have.
    #[error("an API key has the form prefix_env_kid_secret; check that it was copied whole")]
    Form,
    /// The last six characters do not fit the others.
    #[error("the checksum of the API key does not fit; check it for typing errors")]
    Checksum,
}

#[cfg(test)]
mod tests;
