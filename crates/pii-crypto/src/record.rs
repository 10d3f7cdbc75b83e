//! Records: several fields of personal data that are sealed and opened together, each in its own context.

mod field;
mod opener;
mod sealer;

use portcullis_keyring::KeyId;

use crate::{
    AnyPii, Cipher, IndexRoots, OpenError, PiiKind, PiiType, SealError, Sealed, reencrypt::RowField,
};

pub use self::{
    field::{SealedPlace, key_of, replace, row_field},
    opener::Opener,
    sealer::Sealer,
};

/// A record with personal data in the clear. `#[derive(Seal)]` (feature `derive`) writes it, and its
/// sealed twin.
pub trait Seal: Sized {
    /// The record with its personal data sealed: what is stored.
    type Sealed: SealedRecord<Opened = Self>;

    /// The fields that are sealed.
    const FIELDS: &'static [RecordField];

    /// Seals every field of personal data for the record with this id, and makes what each is found by.
    ///
    /// # Errors
    /// [`SealFieldError`] names the first field that was not sealed.
    fn seal(
        &self,
        cipher: &Cipher,
        indexes: &IndexRoots,
        record: &str,
    ) -> Result<Self::Sealed, SealFieldError>;

    /// Seals what has changed since `stored`, a row of the same record. A field whose value is the same
    /// keeps its sealed form, so that a write of it changes nothing in the table, if that is under the
    /// present primary key; what a former key sealed, or does not open, is sealed. What it is found by is
    /// made in any case.
    ///
    /// # Errors
    /// [`SealFieldError`] names the first field that was not sealed.
    fn seal_changes(
        &self,
        stored: &Self::Sealed,
        cipher: &Cipher,
        indexes: &IndexRoots,
        record: &str,
    ) -> Result<Self::Sealed, SealFieldError>;
}

/// The sealed twin of a record.
pub trait SealedRecord: Sized {
    /// The record with its personal data in the clear.
    type Opened: Seal<Sealed = Self>;

    /// Opens every field of the record with this id.
    ///
    /// # Errors
    /// [`OpenFieldError`] names the first field that does not open.
    fn open(&self, cipher: &Cipher, record: &str) -> Result<Self::Opened, OpenFieldError>;

    /// The data keys that it needs, each once: for `prepare_ids`, and for a table that says which rows
    /// need a key.
    fn key_ids(&self) -> Vec<KeyId>;

    /// Its sealed fields, for a [`SealedRows`](crate::reencrypt::SealedRows) of the application.
    fn row_fields(&self, record: &str) -> Vec<RowField>;

    /// Puts another sealed value in the place of a field, by its logical name; whether it has such a field.
    fn replace(&mut self, field: &str, sealed: Sealed<AnyPii>) -> bool;
}

/// A field of a record that is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordField {
    name: &'static str,
    kind: PiiKind,
}

/// A field of a record was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the field {field} was not sealed")]
#[non_exhaustive]
pub struct SealFieldError {
    /// The logical name of the field.
    pub field: &'static str,
    /// Why.
    #[source]
    pub error: SealError,
}

/// A field of a record was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the field {field} was not opened")]
#[non_exhaustive]
pub struct OpenFieldError {
    /// The logical name of the field.
    pub field: &'static str,
    /// Why.
    #[source]
    pub error: OpenError,
}

impl RecordField {
    /// A field of this kind.
    #[must_use]
    pub const fn of<T: PiiType>(name: &'static str) -> Self {
        let kind = PiiKind::of::<T>();
        Self { name, kind }
    }

    /// The logical name that its values are bound to.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// What kind of personal data it holds.
    #[must_use]
    pub const fn kind(self) -> PiiKind {
        self.kind
    }
}

/// Whether data keys of this purpose are what a type is sealed with, as the compiler can tell.
#[must_use]
pub const fn is_purpose_of<T: PiiType>(purpose: &str) -> bool {
    let (own, other) = (T::PURPOSE.as_bytes(), purpose.as_bytes());
    if own.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < own.len() {
        if own[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
