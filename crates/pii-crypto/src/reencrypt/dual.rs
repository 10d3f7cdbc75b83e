//! A field while its plaintext is taken in.

use portcullis_keyring::KeyId;

use crate::{Cipher, OpenError, Pii, PiiType, SealError, Sealed};

/// A field that has a column for plaintext and one for sealed values, while the rows are taken over from
/// the one to the other.
///
/// Sealing fills the sealed column and empties the other; write both. So what stands in the column for
/// plaintext was written later than what is sealed, by a process of a version that knows no sealed
/// column, and reading prefers it: a deployment can go from process to process.
#[derive(Debug)]
pub struct DualColumn<T: PiiType> {
    plain: Option<Pii<T>>,
    sealed: Option<Sealed<T>>,
}

impl<T: PiiType> DualColumn<T> {
    /// The two columns as they were read. Parse what is plain; what its kind would refuse today and was
    /// taken then is [`PiiType::restore`]d.
    #[must_use]
    pub const fn new(plain: Option<Pii<T>>, sealed: Option<Sealed<T>>) -> Self {
        Self { plain, sealed }
    }

    /// The two columns as they are to be written for a new value.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(
        cipher: &Cipher,
        field: &str,
        record: &str,
        value: &Pii<T>,
    ) -> Result<Self, SealError> {
        Ok(Self {
            plain: None,
            sealed: Some(cipher.seal(field, record, value)?),
        })
    }

    /// The value, if there is one.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn read(
        self,
        cipher: &Cipher,
        field: &str,
        record: &str,
    ) -> Result<Option<Pii<T>>, OpenError> {
        match (self.plain, self.sealed) {
            (Some(plain), _) => Ok(Some(plain)),
            (None, Some(sealed)) => cipher.open(field, record, &sealed).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The key to prepare before it is read; none while plaintext is there.
    #[must_use]
    pub fn key_id(&self) -> Option<KeyId> {
        match self.plain {
            Some(_) => None,
            None => self.sealed.as_ref().map(Sealed::key_id),
        }
    }

    /// The column for plaintext: after [`seal`](Self::seal) it is empty.
    #[must_use]
    pub const fn plain(&self) -> Option<&Pii<T>> {
        self.plain.as_ref()
    }

    /// The column for sealed values.
    #[must_use]
    pub const fn sealed(&self) -> Option<&Sealed<T>> {
        self.sealed.as_ref()
    }
}
