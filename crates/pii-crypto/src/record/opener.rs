//! Opens the fields of one record.

use super::OpenFieldError;
use crate::{Cipher, Pii, PiiType, Sealed};

/// What the fields of one record are opened with.
#[derive(Debug, Clone, Copy)]
pub struct Opener<'a> {
    cipher: &'a Cipher,
    record: &'a str,
}

impl<'a> Opener<'a> {
    /// For the record with this id.
    #[must_use]
    pub const fn new(cipher: &'a Cipher, record: &'a str) -> Self {
        Self { cipher, record }
    }

    /// Opens a field.
    ///
    /// # Errors
    /// [`OpenFieldError`].
    pub fn open<T: PiiType>(
        &self,
        field: &'static str,
        sealed: &Sealed<T>,
    ) -> Result<Pii<T>, OpenFieldError> {
        let opened = self.cipher.open(field, self.record, sealed);
        opened.map_err(|error| OpenFieldError { field, error })
    }

    /// Opens a field that may be absent.
    ///
    /// # Errors
    /// [`OpenFieldError`].
    pub fn open_optional<T: PiiType>(
        &self,
        field: &'static str,
        sealed: Option<&Sealed<T>>,
    ) -> Result<Option<Pii<T>>, OpenFieldError> {
        sealed.map(|sealed| self.open(field, sealed)).transpose()
    }
}
