//! Seals the fields of one record.

use subtle::ConstantTimeEq as _;

use super::SealFieldError;
use crate::{
    AcceptLeak, Cipher, IndexRoots, IndexValue, Indexed, Pii, PiiType, Sealed, plan::SearchBits,
};

/// What the fields of one record are sealed and indexed with.
#[derive(Debug, Clone, Copy)]
pub struct Sealer<'a> {
    cipher: &'a Cipher,
    indexes: &'a IndexRoots,
    record: &'a str,
}

impl<'a> Sealer<'a> {
    /// For the record with this id.
    #[must_use]
    pub const fn new(cipher: &'a Cipher, indexes: &'a IndexRoots, record: &'a str) -> Self {
        Self {
            cipher,
            indexes,
            record,
        }
    }

    /// Seals a field.
    ///
    /// # Errors
    /// [`SealFieldError`].
    pub fn seal<T: PiiType>(
        &self,
        field: &'static str,
        value: &Pii<T>,
    ) -> Result<Sealed<T>, SealFieldError> {
        let sealed = self.cipher.seal(field, self.record, value);
        sealed.map_err(|error| SealFieldError { field, error })
    }

    /// Seals a field that may be absent.
    ///
    /// # Errors
    /// [`SealFieldError`].
    pub fn seal_optional<T: PiiType>(
        &self,
        field: &'static str,
        value: Option<&Pii<T>>,
    ) -> Result<Option<Sealed<T>>, SealFieldError> {
        value.map(|value| self.seal(field, value)).transpose()
    }

    /// What is stored of a field, if it is this value under the present primary key; else the value, sealed.
    ///
    /// What a former key sealed is sealed again, even if it is the same value: the row may have been read
    /// before a sweep sealed it again, and to write its former bytes back would lose the value when that
    /// key is destroyed.
    ///
    /// # Errors
    /// [`SealFieldError`].
    pub fn seal_change<T: PiiType>(
        &self,
        field: &'static str,
        value: &Pii<T>,
        stored: &Sealed<T>,
    ) -> Result<Sealed<T>, SealFieldError> {
        match self.cipher.open(field, self.record, stored) {
            Ok(opened) if are_same(&opened, value) && self.cipher.seals_with(stored) => {
                Ok(stored.clone())
            }
            _ => self.seal(field, value),
        }
    }

    /// As [`seal_change`](Self::seal_change), for a field that may be absent.
    ///
    /// # Errors
    /// [`SealFieldError`].
    pub fn seal_optional_change<T: PiiType>(
        &self,
        field: &'static str,
        value: Option<&Pii<T>>,
        stored: Option<&Sealed<T>>,
    ) -> Result<Option<Sealed<T>>, SealFieldError> {
        match (value, stored) {
            (Some(value), Some(stored)) => self.seal_change(field, value, stored).map(Some),
            (value, _) => self.seal_optional(field, value),
        }
    }

    /// The fingerprints of a field, one for each live version, the enforced one first; none of an absent
    /// one.
    #[must_use]
    pub fn unique<T: Indexed>(&self, field: &str, value: Option<&Pii<T>>) -> Vec<IndexValue> {
        let tenant = self.cipher.tenant();
        value.map_or_else(Vec::new, |value| self.indexes.unique(tenant, field, value))
    }
}

impl Sealer<'_> {
    /// What a field is searched by, one value for each live version; none of an absent one.
    #[must_use]
    pub fn search<T: Indexed>(
        &self,
        field: &str,
        bits: SearchBits,
        value: Option<&Pii<T>>,
    ) -> Vec<IndexValue> {
        let tenant = self.cipher.tenant();
        let values = |value| self.indexes.search_index(tenant, field, bits).values(value);
        value.map_or_else(Vec::new, values)
    }

    /// What parts of a field are searched by, in each live version; none of an absent one.
    #[must_use]
    pub fn trigrams<T: PiiType>(
        &self,
        field: &str,
        accept: AcceptLeak,
        value: Option<&Pii<T>>,
    ) -> Vec<IndexValue> {
        let tenant = self.cipher.tenant();
        let values = |value| {
            self.indexes
                .trigram_index(tenant, field, accept)
                .values(value)
        };
        value.map_or_else(Vec::new, values)
    }
}

/// In constant time for equal lengths: how much of a guess is right is nobody's business.
fn are_same<T: PiiType>(one: &Pii<T>, other: &Pii<T>) -> bool {
    // EXPOSE: compared, and neither shown nor kept.
    let (one, other) = (one.expose().text(), other.expose().text());
    one.as_bytes().ct_eq(other.as_bytes()).into()
}
