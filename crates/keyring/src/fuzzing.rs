//! What the fuzz targets in `fuzz/` examine: the readers of what a database or a disk gives, by themselves.
//!
//! No build that serves has this module, and it may change at any time: the feature `fuzzing` brings it.

use crate::{
    kek::{KekContext, WrappedKey, aws_kms, vault},
    store::{StoreError, StoredKey, file},
};

/// A wrapped key of AWS KMS, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a target looks at all of it")]
pub struct OfAwsKms {
    /// The ARN of the KMS key.
    pub key: String,
    /// What KMS gave.
    pub ciphertext: Vec<u8>,
    /// Whether it was made for the context.
    pub is_intact: bool,
    /// What is made of the same parts.
    pub made: Option<WrappedKey>,
}

impl OfAwsKms {
    /// The parts; `None` if it is no wrapped key of AWS KMS.
    #[must_use]
    pub fn parse(context: &KekContext, wrapped: &WrappedKey) -> Option<Self> {
        let envelope = aws_kms::envelope::Envelope::parse(wrapped)?;
        Some(Self {
            key: envelope.key.to_string(),
            ciphertext: envelope.blob.to_vec(),
            is_intact: envelope.is_intact(context),
            made: aws_kms::envelope::make(context, &envelope.key, envelope.blob),
        })
    }
}

/// A wrapped key of Vault transit, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a target looks at all of it")]
pub struct OfVault {
    /// Mount, name and version of the key, as operators see them.
    pub version: String,
    /// What Vault is sent.
    pub ciphertext: String,
    /// What is made of the same parts.
    pub made: WrappedKey,
}

impl OfVault {
    /// The parts; `None` if it is no wrapped key of Vault transit.
    #[must_use]
    pub fn parse(wrapped: &WrappedKey) -> Option<Self> {
        let envelope = vault::envelope::Envelope::parse(wrapped)?;
        Some(Self {
            version: envelope.name.version(envelope.version),
            ciphertext: envelope.ciphertext(),
            made: envelope.to_wrapped(),
        })
    }
}

/// The version and the bytes of what Vault answers, `vault:v<version>:<base64>`; `None` if it is none.
#[must_use]
pub fn ciphertext_of_vault(text: &str) -> Option<(u32, Vec<u8>)> {
    let (version, bytes) = vault::envelope::parse_ciphertext(text)?;
    Some((version.value(), bytes))
}

/// The keys in a file of keys, and the text that is written of the same.
///
/// # Errors
/// [`StoreError`], as [`FileDekStore::open`](crate::store::FileDekStore::open) has it.
pub fn key_file(text: &[u8]) -> Result<(Vec<StoredKey>, String), StoreError> {
    file::written_again(text)
}
