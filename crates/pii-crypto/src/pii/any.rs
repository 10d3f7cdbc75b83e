//! Personal data whose kind is known only when the program runs.

use std::{any::Any, fmt};

use super::{Pii, PiiKind, PiiType};
use crate::{Cipher, IndexValue, SealError, Sealed, SearchIndex, UniqueIndex};

/// Personal data in the clear, of a kind that is a value and not a type: what
/// [`PiiKind::parse`] and [`PiiKind::open`] give.
///
/// Like [`Pii`] it cannot be printed, compared or serialised, `Debug` shows the kind alone, and
/// dropping it wipes it.
pub struct AnyPii {
    kind: PiiKind,
    value: Box<dyn ErasedValue>,
}

impl AnyPii {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> PiiKind {
        self.kind
    }

    /// The text in the clear.
    ///
    /// # Security
    /// Every call in a code base should say with an `// EXPOSE:` comment why it has to be.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.value.text()
    }

    /// A form that may be shown to those who must not see the value, as [`Pii::masked`] gives it.
    #[must_use]
    pub fn masked(&self) -> String {
        self.value.masked()
    }

    /// Seals it for a field of a record, as [`Cipher::seal`] seals a value of its type.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(
        &self,
        cipher: &Cipher,
        field: &str,
        record: &str,
    ) -> Result<Sealed<Self>, SealError> {
        let (purpose, suite) = (self.kind.purpose_name(), self.kind.suite());
        // EXPOSE: it is sealed before this function returns.
        cipher.seal_text(purpose, suite, field, record, self.expose())
    }

    /// Its fingerprints in a unique index, one for each live version, the enforced one first;
    /// nothing for a kind that is not indexed.
    #[must_use]
    pub fn index(&self, index: &UniqueIndex) -> Option<Vec<IndexValue>> {
        let (normaliser, normalised) = self.kind.normalise(self)?;
        Some(index.values_of(normaliser, &normalised))
    }

    /// Its fingerprints under its former forms, as [`UniqueIndex::former_values`] gives them; none for a
    /// kind that is not indexed.
    #[must_use]
    pub fn former_index(&self, index: &UniqueIndex) -> Vec<IndexValue> {
        let forms = self.kind.former(self).unwrap_or_default();
        index.former_values_of(&forms)
    }

    /// Its values in a search index, as [`SearchIndex::values`] gives them; nothing for a kind that is not
    /// indexed.
    #[must_use]
    pub fn search(&self, index: &SearchIndex) -> Option<Vec<IndexValue>> {
        Some(index.values_of(&self.kind.normalise(self)?))
    }

    /// The value as its type, if it is of that type.
    #[must_use]
    pub fn downcast_ref<T: PiiType>(&self) -> Option<&Pii<T>> {
        self.value.as_any().downcast_ref()
    }

    pub(super) fn new<T: PiiType>(kind: PiiKind, value: T) -> Self {
        let value = Box::new(Pii::new(value));
        Self { kind, value }
    }
}

impl fmt::Debug for AnyPii {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyPii<{}>(…)", self.kind)
    }
}

trait ErasedValue: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn text(&self) -> &str;
    fn masked(&self) -> String;
}

impl<T: PiiType> ErasedValue for Pii<T> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn text(&self) -> &str {
        // EXPOSE: the caller's reason.
        self.expose().text()
    }

    fn masked(&self) -> String {
        self.masked()
    }
}
