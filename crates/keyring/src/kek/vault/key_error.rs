//! Why a key of Vault cannot be used, and what its refusals mean.

use portcullis_versioned_secrets::vault::VaultError;

use super::KeyName;

/// Why a key of the transit engine cannot be a key-encryption key, now or at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultKeyError {
    /// There is no such key, or no transit engine.
    #[error("Vault has no transit key {0}: make it with derived=true, or correct its name")]
    Missing(String),
    /// The key ignores contexts, and would bind a data key to nothing.
    #[error("the transit key {0} is not derived: make another with derived=true")]
    NotDerived(String),
    /// The key encrypts the same to the same.
    #[error("the transit key {0} encrypts convergently: make another without")]
    Convergent(String),
    /// The key can leave Vault.
    #[error(
        "the transit key {0} can be exported or backed up in plaintext: make another that cannot, or allow it"
    )]
    Exportable(String),
    /// The key is of a kind that does not encrypt with 256 bits.
    #[error("the transit key {0} must be of the type aes256-gcm96 or chacha20-poly1305")]
    Unsuitable(String),
    /// Vault answered with something else than it documents.
    #[error("what Vault answered is not what its transit engine answers")]
    Answer,
    /// Vault did not answer, or refuses.
    #[error(transparent)]
    Vault(VaultError),
}

impl VaultKeyError {
    pub(super) fn of(error: VaultError, name: &KeyName) -> Self {
        let missing = || Self::Missing(name.to_string());
        match error {
            VaultError::NotFound { .. } => missing(),
            VaultError::Refused { ref messages, .. } if says(messages, NO_KEY) => missing(),
            error => Self::Vault(error),
        }
    }
}

/// What Vault says about a ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It does not open.
    Rejected,
    /// Its version is below `min_decryption_version`, or above the latest.
    Version,
}

/// `None` where Vault refuses for a reason that lies not in the ciphertext, or for one that is not known
/// here: that a wrapped key is wrong is said only when Vault has said so.
pub(super) fn verdict(messages: &[String]) -> Option<Verdict> {
    let says = |words: &[&str]| words.iter().any(|words| says(messages, words));
    if says(VERSIONS) {
        Some(Verdict::Version)
    } else if says(REJECTIONS) {
        Some(Verdict::Rejected)
    } else {
        None
    }
}

// The words of OpenBao 2.7 and Vault 1.20. The tests hold those of the former.
const NO_KEY: &str = "encryption key not found";
const VERSIONS: &[&str] = &[
    "version is disallowed by policy (too old)",
    "version is too new",
];
const REJECTIONS: &[&str] = &["message authentication failed", "invalid ciphertext"];

fn says(messages: &[String], words: &str) -> bool {
    messages.iter().any(|message| message.contains(words))
}
