//! The kinds that a program knows, by their names.

use super::{Email, FreeText, NationalId, PersonName, PiiKind, PostalAddress};

/// Kinds of personal data, each found by its name: those of this crate, and yours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PiiKinds(Vec<PiiKind>);

/// A kind of this name is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is a kind of personal data named `{0}` already: choose another name")]
pub struct RepeatedKind(&'static str);

impl PiiKinds {
    /// Every kind of this crate: `email`, `phone` (with the feature of that name), `national-id`,
    /// `name`, `address` and `text`, in this order.
    #[must_use]
    pub fn built_in() -> Self {
        Self(BUILT_IN.to_vec())
    }

    /// One kind more, after the others.
    ///
    /// # Errors
    /// [`RepeatedKind`] when there is one of its name.
    pub fn with(mut self, kind: PiiKind) -> Result<Self, RepeatedKind> {
        if self.find(kind.name()).is_some() {
            return Err(RepeatedKind(kind.name()));
        }
        self.0.push(kind);
        Ok(self)
    }

    /// The kind of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<PiiKind> {
        self.iter().find(|kind| kind.name() == name)
    }

    /// Every kind, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = PiiKind> {
        self.0.iter().copied()
    }
}

/// Those of this crate.
impl Default for PiiKinds {
    fn default() -> Self {
        Self::built_in()
    }
}

const BUILT_IN: &[PiiKind] = &[
    PiiKind::of::<Email>(),
    #[cfg(feature = "phone")]
    PiiKind::of::<super::PhoneNumber>(),
    PiiKind::of::<NationalId>(),
    PiiKind::of::<PersonName>(),
    PiiKind::of::<PostalAddress>(),
    PiiKind::of::<FreeText>(),
];
