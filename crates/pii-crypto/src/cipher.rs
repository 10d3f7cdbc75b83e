//! Sealing and opening fields of one tenant.

mod aead;
mod associated_data;
mod epoch;
mod subkey;

use portcullis_keyring::{EntropyError, KeyId, NotInHand, PreparedKey, PreparedKeys};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    Pii, PiiType, Sealed, Suite,
    sealed::{HEADER_BYTES, OVERHEAD_BYTES},
};
use associated_data::AssociatedData;
use epoch::KeySubkeys;

pub use epoch::EpochPolicy;

/// The longest value that can be sealed, in bytes.
pub(crate) const MAX_PLAINTEXT_BYTES: usize = 64 * 1024;

/// Seals and opens fields of one tenant, with the keys it was made from.
///
/// `field` is a logical name (`lead.email`) that no migration changes, `record` the id the
/// application gave the record before it is stored; each has 1 to 1,024 bytes. A sealed value opens
/// in its own place only: same tenant, same field, same record.
///
/// # Security
/// Each message has a nonce of its own by a counter that only this process uses, under a subkey
/// that only this process has. If the process image is duplicated while it runs (a fork, a restored
/// snapshot of a virtual machine), two processes go on with one counter, and nonces repeat: choose
/// [`EpochPolicy::PerMessage`] where that can happen.
#[derive(Debug, Clone)]
pub struct Cipher {
    keys: PreparedKeys,
    epochs: EpochPolicy,
}

/// A field of a record: where a sealed value belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    field: &'a str,
    record: &'a str,
}

/// Why a value was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// No primary key for the purpose of the value is in hand.
    #[error("no key for this purpose was prepared: prepare it")]
    NoKey,
    /// The keys were prepared on states that are 10 s old by now.
    #[error("the prepared keys are too old to seal with: prepare them again")]
    StaleKeys,
    /// The field or the record is empty or longer than 1,024 bytes.
    #[error("the field and the record take 1 to 1,024 bytes")]
    Place,
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
    /// The key is not in hand, or was prepared more than 10 s ago: prepare it and open again.
    #[error("data key {0} is not in hand: prepare it by its id")]
    NeedsKey(KeyId),
    /// The value does not open. That it was altered, moved from another place, or sealed under a
    /// key the tenant does not have, is not told apart.
    #[error("the sealed value does not open in this place")]
    Rejected,
    /// The key is disabled or waits for its destruction; somebody should know of it.
    #[error("the data key is disabled: take it back into use, or find who still needs it")]
    KeyUnavailable,
    /// The key was destroyed, and the value with it.
    #[error("the data key was destroyed: the value is gone")]
    KeyDestroyed,
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

impl Cipher {
    /// A cipher with keys in hand.
    #[must_use]
    pub const fn new(keys: PreparedKeys) -> Self {
        Self {
            keys,
            epochs: EpochPolicy::Shared,
        }
    }

    /// How long a subkey is used for; [`EpochPolicy::Shared`] unless given.
    #[must_use]
    pub fn with_epochs(self, epochs: EpochPolicy) -> Self {
        Self { epochs, ..self }
    }

    /// Seals a value for its place.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal<T: PiiType>(
        &self,
        field: &str,
        record: &str,
        value: &Pii<T>,
    ) -> Result<Sealed<T>, SealError> {
        // EXPOSE: it is sealed before this function returns.
        let text = value.expose().text();
        let bytes = self.seal_text(T::PURPOSE, T::SUITE, field, record, text)?;
        Ok(Sealed::from_cipher(bytes))
    }

    /// Opens a value in its place.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open<T: PiiType>(
        &self,
        field: &str,
        record: &str,
        sealed: &Sealed<T>,
    ) -> Result<Pii<T>, OpenError> {
        let text = self.open_text(T::PURPOSE, field, record, sealed)?;
        Ok(Pii::new(T::restore(text)))
    }

    /// Moves a value from one place of the tenant to another, under the present primary key.
    ///
    /// # Errors
    /// [`RebindError`].
    pub fn rebind<T: PiiType>(
        &self,
        sealed: &Sealed<T>,
        from: Place<'_>,
        to: Place<'_>,
    ) -> Result<Sealed<T>, RebindError> {
        let value = self.open(from.field, from.record, sealed)?;
        Ok(self.seal(to.field, to.record, &value)?)
    }

    /// The bytes of a sealed text.
    pub(crate) fn seal_text(
        &self,
        purpose: &str,
        suite: Suite,
        field: &str,
        record: &str,
        text: &str,
    ) -> Result<Vec<u8>, SealError> {
        if text.len() > MAX_PLAINTEXT_BYTES {
            return Err(SealError::TooLong);
        }
        let aad = AssociatedData::new(self.keys.tenant(), field, record).ok_or(SealError::Place)?;
        let now = self.keys.clock().monotonic();
        let key = self.keys.primary(purpose, now)?;
        let turn = subkeys(key).next_turn(key, suite, self.epochs, now, self.keys.entropy())?;

        // The copy of the text is encrypted in place.
        let mut bytes = Vec::with_capacity(OVERHEAD_BYTES + suite.padded_len(text.len()));
        bytes.extend_from_slice(&turn.subkey().header(turn.counter()));
        bytes.extend_from_slice(text.as_bytes());
        suite.pad(&mut bytes, HEADER_BYTES);
        turn.subkey().seal(turn.counter(), aad.as_ref(), &mut bytes);
        Ok(bytes)
    }

    /// The text of a sealed value whose kind has this purpose.
    pub(crate) fn open_text<T>(
        &self,
        purpose: &str,
        field: &str,
        record: &str,
        sealed: &Sealed<T>,
    ) -> Result<Zeroizing<String>, OpenError> {
        let now = self.keys.clock().monotonic();
        let key = self
            .keys
            .find(sealed.key_id(), purpose, now)
            .map_err(|why| match why {
                NotInHand::Absent | NotInHand::Stale => OpenError::NeedsKey(sealed.key_id()),
                NotInHand::Unknown => OpenError::Rejected,
                NotInHand::Unavailable => OpenError::KeyUnavailable,
                NotInHand::Destroyed => OpenError::KeyDestroyed,
            })?;
        self.open_with(key, field, record, sealed)
            .ok_or(OpenError::Rejected)
    }

    /// Every failure is the same nothing.
    fn open_with<T>(
        &self,
        key: &PreparedKey,
        field: &str,
        record: &str,
        sealed: &Sealed<T>,
    ) -> Option<Zeroizing<String>> {
        let aad = AssociatedData::new(self.keys.tenant(), field, record)?;
        let subkeys = subkeys(key);
        let subkey = subkeys.find_or_derive(key, &sealed.prefix());
        if !bool::from(subkey.commitment().ct_eq(&sealed.commitment())) {
            return None;
        }
        let mut text = Zeroizing::new(sealed.ciphertext_and_tag().to_vec());
        let padded = subkey.open(sealed.counter(), aad.as_ref(), &mut text)?;
        let len = sealed.suite().unpadded_len(padded)?;
        text.truncate(len);
        let text = into_text(text)?;
        // Only now, so that forged values cannot push good subkeys out.
        subkeys.remember(subkey);
        Some(text)
    }
}

impl<'a> Place<'a> {
    /// A field of a record.
    #[must_use]
    pub const fn new(field: &'a str, record: &'a str) -> Self {
        Self { field, record }
    }
}

impl From<NotInHand> for SealError {
    fn from(why: NotInHand) -> Self {
        match why {
            NotInHand::Stale => Self::StaleKeys,
            NotInHand::Absent
            | NotInHand::Unknown
            | NotInHand::Unavailable
            | NotInHand::Destroyed => Self::NoKey,
        }
    }
}

fn subkeys(key: &PreparedKey) -> &KeySubkeys {
    key.derived(|_| KeySubkeys::default())
}

fn into_text(mut bytes: Zeroizing<Vec<u8>>) -> Option<Zeroizing<String>> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(error) => {
            *bytes = error.into_bytes();
            None
        }
    }
}

#[cfg(test)]
mod tests;
