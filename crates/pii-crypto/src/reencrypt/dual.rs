//! A field while its plaintext is taken in.

use portcullis_keyring::KeyId;

use crate::{Cipher, OpenError, Pii, PiiType, SealError, Sealed};

/// A field that has a column for plaintext and one for sealed values, while the rows are taken over from
/// the one to the other.
///
/// Processes of two versions run side by side while a deployment goes from one to the next, and each has to
/// read what the other writes. So it takes two deployments:
/// 1. The first [`read`](Self::read)s both columns and writes plaintext ([`unsealed`](Self::unsealed)), which
///    processes of the former version read. Nothing is sealed yet.
/// 2. The second, when no process of the former version is left, seals ([`seal`](Self::seal)). Processes of
///    the first read that.
///
/// Each fills one column and empties the other: write both. Where both are filled all the same, the
/// plaintext was written later, by a process that knows no sealed column, and reading prefers it.
///
/// Look-ups ask the index and the column for plaintext in both, as does whatever keeps a value unique, in the
/// transaction that writes it: a value may be in either.
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

    /// The two columns as the first deployment writes them for a new value: plaintext, which processes of
    /// the former version read.
    #[must_use]
    pub const fn unsealed(value: Pii<T>) -> Self {
        Self::new(Some(value), None)
    }

    /// The two columns as the second deployment writes them for a new value.
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

    /// The column for plaintext: of what was [`seal`](Self::seal)ed it is empty.
    #[must_use]
    pub const fn plain(&self) -> Option<&Pii<T>> {
        self.plain.as_ref()
    }

    /// The column for sealed values: of what is [`unsealed`](Self::unsealed) it is empty.
    #[must_use]
    pub const fn sealed(&self) -> Option<&Sealed<T>> {
        self.sealed.as_ref()
    }
}
