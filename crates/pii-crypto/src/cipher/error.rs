//! Why a value was not sealed, opened or moved.

use portcullis_keyring::{KeyId, KeyMissing, entropy::EntropyError};

use super::MAX_PLAINTEXT_BYTES;

/// Why a value was not sealed.
// As wide as the words of the sealed value in whose place it is handed back: if it is a byte, those words
// are handed back in pieces, and each reader of them waits until the pieces are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[repr(u64)]
#[non_exhaustive]
pub enum SealError {
    /// No primary key for the purpose of the value was prepared.
    #[error("no key for this purpose was prepared: prepare it")]
    NoKey,
    /// The keys were prepared on states that are 10 s old by now.
    #[error("the prepared keys are too old to seal with: prepare them again")]
    StaleKeys,
    /// The field or the record is empty or longer than 1,024 bytes.
    #[error("the field and the record take 1 to 1,024 bytes")]
    InvalidContext,
    /// The value is longer than 64 KiB.
    #[error("the value is longer than {MAX_PLAINTEXT_BYTES} bytes")]
    TooLong,
    /// No random bytes for a salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// Why a sealed value was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The key was not prepared, or was prepared more than 10 s ago. Prepare it with
    /// [`Keyring::prepare_ids`](portcullis_keyring::Keyring::prepare_ids),
    /// [`merge`](portcullis_keyring::PreparedKeys::merge) it with the keys there are, and open again.
    #[error("data key {0} is not prepared: prepare it by its id and open again")]
    NeedsKey(KeyId),
    /// The value does not open. That it was altered, moved from another field or record, or sealed
    /// under a key the tenant does not have, is not told apart.
    #[error("the sealed value does not open in this context")]
    Rejected,
    /// The key is disabled or waits for its destruction; somebody should know of it.
    #[error("the data key is disabled: take it back into use, or find who still needs it")]
    KeyUnavailable,
    /// The key was destroyed, and the value with it.
    #[error("the data key was destroyed: the value is gone")]
    KeyDestroyed,
    /// The key-encryption key refuses to open the data key: its row was changed, or a version of the
    /// key-encryption key is not configured.
    #[error("the data key does not open: its row was changed, or a version of the KEK is missing")]
    KeyNotOpened,
}

/// Why a sealed value was not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RebindError {
    /// It does not open where it is.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be sealed where it goes.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl From<KeyMissing> for SealError {
    fn from(why: KeyMissing) -> Self {
        match why {
            KeyMissing::Stale => Self::StaleKeys,
            KeyMissing::NotPrepared
            | KeyMissing::Unknown
            | KeyMissing::Unavailable
            | KeyMissing::Destroyed
            | KeyMissing::NotOpened => Self::NoKey,
        }
    }
}
