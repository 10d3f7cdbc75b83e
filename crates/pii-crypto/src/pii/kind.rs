//! A kind of personal data as a value, for code that learns the kind when it runs.

use std::{
    any::TypeId,
    fmt,
    hash::{Hash, Hasher},
};

use portcullis_keyring::{MAX_NAME_BYTES, Purpose};
use zeroize::Zeroizing;

use super::{AnyPii, ParseError, PiiType};
use crate::{Cipher, OpenError, Sealed, Suite, index::NormalForm};

/// A kind of personal data as a value: made from a [`PiiType`], of this crate or of yours.
///
/// A schema that names kinds, a table of columns, a job that goes over everything that is sealed
/// hold kinds and not types. Cheap to copy. There is one kind for each type: two are equal when they
/// were made from the same type.
#[derive(Clone, Copy)]
pub struct PiiKind(&'static Definition);

impl PiiKind {
    /// The kind of a type. Its values are found by a blind index if the type has
    /// [`PiiType::INDEXING`].
    ///
    /// A type whose name or purpose does not have 1 to 1,024 bytes does not compile.
    #[must_use]
    pub const fn of<T: PiiType>() -> Self {
        Self(
            const {
                assert!(is_name(T::NAME) && is_name(T::PURPOSE), "1 to 1,024 bytes");
                &Definition {
                    value_type: TypeId::of::<T>,
                    name: T::NAME,
                    expected: T::EXPECTED,
                    purpose: T::PURPOSE,
                    suite: T::SUITE,
                    normalisers: match T::INDEXING {
                        Some(indexing) => indexing.normalisers(),
                        None => &[],
                    },
                    parse: |kind, text| Ok(AnyPii::new(kind, T::parse(text)?)),
                    restore: |kind, text| AnyPii::new(kind, T::restore(text)),
                    normalise: |value| {
                        // EXPOSE: hashed with a key; the normalised copy is wiped.
                        let value = value.downcast_ref::<T>()?.expose();
                        T::INDEXING.map(|indexing| indexing.normalise(value))
                    },
                    former: |value| {
                        // EXPOSE: hashed with a key; the normalised copies are wiped.
                        let value = value.downcast_ref::<T>()?.expose();
                        T::INDEXING.map(|indexing| indexing.former(value))
                    },
                }
            },
        )
    }

    /// The name: `email`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// What a value has to be, to complete "must be …": `an e-mail address`.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        self.0.expected
    }

    /// What its data keys are for.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "the length was checked when it was compiled"
    )]
    pub fn purpose(self) -> Purpose {
        Purpose::new(self.0.purpose).expect("a purpose is a name of 1 to 1,024 bytes")
    }

    /// How it is sealed.
    #[must_use]
    pub const fn suite(self) -> Suite {
        self.0.suite
    }

    /// Every way in which its values are normalised for an index, or were: `email/1`. None for a kind
    /// that is not indexed.
    #[must_use]
    pub const fn normalisers(self) -> &'static [&'static str] {
        self.0.normalisers
    }

    /// Whether values can be found by a blind index.
    #[must_use]
    pub const fn is_indexed(self) -> bool {
        !self.0.normalisers.is_empty()
    }

    /// Takes what somebody typed.
    ///
    /// # Errors
    /// [`ParseError`] when it is not a value of this kind; it never contains the text.
    pub fn parse(self, text: &str) -> Result<AnyPii, ParseError> {
        (self.0.parse)(self, text)
    }

    /// What to tell of a text that [`parse`](Self::parse) refused, after the name of its place: `must be an
    /// e-mail address`, and of one that is too long its bound too.
    #[must_use]
    pub fn refusal(self, error: ParseError) -> String {
        let expected = self.expected();
        match error {
            ParseError::TooLong { .. } | ParseError::TooManyCharacters { .. } => {
                format!("must be {expected}; {error}")
            }
            ParseError::Empty | ParseError::Invalid { .. } => format!("must be {expected}"),
        }
    }

    /// Opens a value of this kind in the field and the record it was sealed for, as
    /// [`Cipher::open`] does.
    ///
    /// # Errors
    /// [`OpenError`]; a value of a kind with another purpose is [`OpenError::Rejected`].
    pub fn open(
        self,
        cipher: &Cipher,
        field: &str,
        record: &str,
        sealed: &Sealed<AnyPii>,
    ) -> Result<AnyPii, OpenError> {
        let text = cipher.open_text(self.0.purpose, field, record, sealed)?;
        Ok((self.0.restore)(self, text))
    }

    pub(super) const fn purpose_name(self) -> &'static str {
        self.0.purpose
    }

    /// The normal form of a value of an indexed kind.
    pub(super) fn normalise(self, value: &AnyPii) -> Option<NormalForm> {
        (self.0.normalise)(value)
    }

    /// The former forms of a value of an indexed kind.
    pub(super) fn former(self, value: &AnyPii) -> Option<Vec<NormalForm>> {
        (self.0.former)(value)
    }
}

impl fmt::Debug for PiiKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PiiKind({self})")
    }
}

/// Its name.
impl fmt::Display for PiiKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for PiiKind {
    fn eq(&self, other: &Self) -> bool {
        (self.0.value_type)() == (other.0.value_type)()
    }
}

impl Eq for PiiKind {}

impl Hash for PiiKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.value_type)().hash(state);
    }
}

/// What the type of a kind says, without the type.
struct Definition {
    value_type: fn() -> TypeId,
    name: &'static str,
    expected: &'static str,
    purpose: &'static str,
    suite: Suite,
    normalisers: &'static [&'static str],
    parse: fn(PiiKind, &str) -> Result<AnyPii, ParseError>,
    restore: fn(PiiKind, Zeroizing<String>) -> AnyPii,
    normalise: fn(&AnyPii) -> Option<NormalForm>,
    former: fn(&AnyPii) -> Option<Vec<NormalForm>>,
}

const fn is_name(text: &str) -> bool {
    matches!(text.len(), 1..=MAX_NAME_BYTES)
}
