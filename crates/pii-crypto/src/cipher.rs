//! Sealing and opening fields of one tenant.

mod aead;
mod associated_data;
mod derived;
mod epoch;
mod error;
mod opening;
mod subkey;

use std::sync::Arc;

use portcullis_keyring::{KeyMissing, PreparedKeys, TenantId};
use zeroize::Zeroizing;

#[cfg(feature = "aws-lc-rs")]
use self::aead::AwsLc;
use self::{
    aead::Ring, associated_data::with_associated_data, derived::Library, opening::open_with,
};
use crate::{
    Pii, PiiType, Sealed, Suite,
    observer::{Observer, Operation, observed},
    sealed::{HEADER_BYTES, OVERHEAD_BYTES},
};

pub use self::{
    aead::Aead,
    epoch::EpochPolicy,
    error::{OpenError, RebindError, SealError},
};

/// The longest value that can be sealed, in bytes.
pub(crate) const MAX_PLAINTEXT_BYTES: usize = 64 * 1024;

/// Seals and opens fields of one tenant, with the keys it was made from.
///
/// `field` is a logical name (`lead.email`) that no migration changes, `record` the id the
/// application gave the record before it is stored; each has 1 to 1,024 bytes. A sealed value opens
/// in its own context only: same tenant, same field, same record.
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
    aead: Aead,
    observer: Option<Arc<dyn Observer>>,
}

/// A field of a record: the context that a sealed value is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldContext<'a> {
    field: &'a str,
    record: &'a str,
}

impl Cipher {
    /// A cipher with prepared keys.
    #[must_use]
    pub const fn new(keys: PreparedKeys) -> Self {
        Self {
            keys,
            epochs: EpochPolicy::Shared,
            aead: Aead::Ring,
            observer: None,
        }
    }

    /// Whose fields it seals.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        self.keys.tenant()
    }

    /// How long a subkey is used for; default: [`EpochPolicy::Shared`].
    #[must_use]
    pub fn with_epochs(self, epochs: EpochPolicy) -> Self {
        Self { epochs, ..self }
    }

    /// The library that encrypts and decrypts; default: [`Aead::Ring`].
    #[must_use]
    pub fn with_aead(self, aead: Aead) -> Self {
        Self { aead, ..self }
    }

    /// Who is told of each value; default: nobody, at no cost.
    #[must_use]
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// Seals a value for a field of a record.
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
        self.seal_text(T::PURPOSE, T::SUITE, field, record, text)
    }

    /// Opens a value in the field and the record it was sealed for.
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

    /// Moves a value from one field or record of the tenant to another, under the present primary
    /// key. With the same context twice it seals the value again, as after a rotation.
    ///
    /// # Errors
    /// [`RebindError`].
    pub fn rebind<T: PiiType>(
        &self,
        sealed: &Sealed<T>,
        from: FieldContext<'_>,
        to: FieldContext<'_>,
    ) -> Result<Sealed<T>, RebindError> {
        let value = self.open(from.field, from.record, sealed)?;
        Ok(self.seal(to.field, to.record, &value)?)
    }

    /// Whether the key of a sealed value is the one that values of its kind are sealed with at present.
    pub(crate) fn seals_with<T: PiiType>(&self, sealed: &Sealed<T>) -> bool {
        let now = self.keys.clock().monotonic();
        let primary = self.keys.primary(T::PURPOSE, now);
        primary.is_ok_and(|primary| primary.id() == sealed.key_id())
    }

    /// Seals the text of a value of a kind with this purpose.
    pub(crate) fn seal_text<T>(
        &self,
        purpose: &str,
        suite: Suite,
        field: &str,
        record: &str,
        text: &str,
    ) -> Result<Sealed<T>, SealError> {
        let mut bytes = Vec::new();
        match &self.observer {
            None => self.seal_into(&mut bytes, purpose, suite, field, record, text)?,
            Some(observer) => observed(&**observer, Operation::Seal, purpose, || {
                self.seal_into(&mut bytes, purpose, suite, field, record, text)
            })?,
        }
        Ok(Sealed::from_cipher(bytes))
    }

    fn seal_into(
        &self,
        bytes: &mut Vec<u8>,
        purpose: &str,
        suite: Suite,
        field: &str,
        record: &str,
        text: &str,
    ) -> Result<(), SealError> {
        match self.aead {
            Aead::Ring => self.seal_by::<Ring>(bytes, purpose, suite, field, record, text),
            #[cfg(feature = "aws-lc-rs")]
            Aead::AwsLc => self.seal_by::<AwsLc>(bytes, purpose, suite, field, record, text),
        }
    }

    /// Writes to where the value stays: handing it back through every step costs as much as a step.
    fn seal_by<A: Library>(
        &self,
        bytes: &mut Vec<u8>,
        purpose: &str,
        suite: Suite,
        field: &str,
        record: &str,
        text: &str,
    ) -> Result<(), SealError> {
        if text.len() > MAX_PLAINTEXT_BYTES {
            return Err(SealError::TooLong);
        }
        let seal = |aad: &[u8]| {
            let now = self.keys.clock().monotonic();
            let key = self.keys.primary(purpose, now)?;
            let nonce =
                A::subkeys(key).reserve(key, suite, self.epochs, now, self.keys.entropy())?;

            // The copy of the text is encrypted in place.
            *bytes = Vec::with_capacity(OVERHEAD_BYTES + suite.padded_len(text.len()));
            nonce.subkey().write_header(nonce.counter(), bytes);
            bytes.extend_from_slice(text.as_bytes());
            suite.pad(bytes, HEADER_BYTES);
            nonce.subkey().seal(nonce.counter(), aad, bytes);
            Ok(())
        };
        with_associated_data(self.keys.tenant(), field, record, seal)
            .ok_or(SealError::InvalidContext)?
    }

    /// The text of a sealed value whose kind has this purpose.
    pub(crate) fn open_text<T>(
        &self,
        purpose: &str,
        field: &str,
        record: &str,
        sealed: &Sealed<T>,
    ) -> Result<Zeroizing<String>, OpenError> {
        match &self.observer {
            None => self.open_unobserved(purpose, field, record, sealed),
            Some(observer) => observed(&**observer, Operation::Open, purpose, || {
                self.open_unobserved(purpose, field, record, sealed)
            }),
        }
    }

    #[inline]
    fn open_unobserved<T>(
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
                KeyMissing::NotPrepared | KeyMissing::Stale => OpenError::NeedsKey(sealed.key_id()),
                KeyMissing::Unknown => OpenError::Rejected,
                KeyMissing::Unavailable => OpenError::KeyUnavailable,
                KeyMissing::Destroyed => OpenError::KeyDestroyed,
                KeyMissing::NotOpened => OpenError::KeyNotOpened,
            })?;
        let open = |aad: &[u8]| match self.aead {
            Aead::Ring => open_with::<Ring, _>(key, aad, sealed),
            #[cfg(feature = "aws-lc-rs")]
            Aead::AwsLc => open_with::<AwsLc, _>(key, aad, sealed),
        };
        with_associated_data(self.keys.tenant(), field, record, open)
            .flatten()
            .ok_or(OpenError::Rejected)
    }
}

impl<'a> FieldContext<'a> {
    /// A field of a record.
    #[must_use]
    pub const fn new(field: &'a str, record: &'a str) -> Self {
        Self { field, record }
    }
}

#[cfg(test)]
mod tests;
