//! Personal data in the clear: the trait of its kinds, the kinds of this crate, and kinds as values.

mod any;
mod email;
mod kind;
mod kinds;
mod national_id;
#[cfg(feature = "phone")]
mod phone;
mod text;
mod unseen;

use std::fmt;

use portcullis_keyring::Purpose;
use zeroize::Zeroizing;

use crate::{Indexing, Suite};

#[cfg(feature = "phone")]
pub use self::phone::{PhoneNumber, Region};
pub(crate) use self::unseen::{is_ignorable, is_letter_or_digit, is_mark};
pub use self::{
    any::AnyPii,
    email::Email,
    kind::PiiKind,
    kinds::{PiiKinds, RepeatedKind},
    national_id::{Cpf, NationalId},
    text::{FreeText, PersonName, PostalAddress},
};

/// Personal data in the clear.
///
/// It cannot be printed, compared or serialised; `Debug` shows the kind alone. Reading it takes a
/// call of [`expose`](Self::expose), which stands out in a review, and dropping it wipes it.
pub struct Pii<T>(T);

/// A kind of personal data that can be sealed.
///
/// # Contract
/// `restore(text())` gives back a value with the same `text()`. The implementation wipes what it
/// holds when it is dropped, and its `Debug` prints nothing of it.
pub trait PiiType: Sized + Send + Sync + 'static {
    /// The name of the kind: `email`. Schemas and [`PiiKinds`] know it by this, and `Debug` shows it.
    const NAME: &'static str;

    /// What a value has to be, to complete "must be …": `an e-mail address`.
    const EXPECTED: &'static str;

    /// What its data keys are for; default: the name of the kind. Values sealed for one purpose do
    /// not open for another, so that it never changes.
    const PURPOSE: &'static str = Self::NAME;

    /// How it is sealed.
    const SUITE: Suite;

    /// How its values are found by a blind index; default: they are not. A type that is
    /// [`Indexed`](crate::Indexed) says `Some(Indexing::new())`, which is what its [`PiiKind`]
    /// knows of that.
    const INDEXING: Option<Indexing<Self>> = None;

    /// Takes what somebody typed.
    ///
    /// # Errors
    /// [`ParseError`] when it is not a value of this kind.
    fn parse(text: &str) -> Result<Self, ParseError>;

    /// Takes the text of a value that was parsed before it was sealed. It is not parsed again: what
    /// was good when it was sealed can be read for ever.
    fn restore(text: Zeroizing<String>) -> Self;

    /// What is sealed.
    fn text(&self) -> &str;

    /// A form that tells a human which value it is without giving it away.
    fn masked(&self) -> String;

    /// [`PURPOSE`](Self::PURPOSE) as the keyring takes it.
    ///
    /// # Panics
    /// When the constant is not a name of 1 to 1,024 bytes.
    #[must_use]
    fn purpose() -> Purpose {
        Purpose::new(Self::PURPOSE).expect("a purpose is a name of 1 to 1,024 bytes")
    }
}

/// Why a text is not personal data of the kind asked for. It never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Nothing but white space.
    #[error("the value is empty")]
    Empty,
    /// More bytes than this kind may have.
    #[error("the value is longer than {limit} bytes")]
    TooLong {
        /// The most there may be.
        limit: usize,
    },
    /// More characters than this kind may have.
    #[error("the value is longer than {limit} characters")]
    TooManyCharacters {
        /// The most there may be, in Unicode code points, as the `maxLength` of JSON Schema counts.
        limit: usize,
    },
    /// Not a value of the kind.
    #[error("the value must be {expected}")]
    Invalid {
        /// What it must be: [`PiiType::EXPECTED`].
        expected: &'static str,
    },
}

impl<T: PiiType> Pii<T> {
    /// Takes a value that was parsed.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Takes what somebody typed.
    ///
    /// # Errors
    /// [`ParseError`] when it is not a value of this kind; it never contains the text.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        T::parse(text).map(Self)
    }

    /// The value in the clear.
    ///
    /// # Security
    /// Every call in a code base should say with an `// EXPOSE:` comment why it has to be.
    #[must_use]
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// A form that may be shown to those who must not see the value: `j***@e***.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        // EXPOSE: masking is made to be shown.
        self.0.masked()
    }
}

impl<T: PiiType> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pii<{}>(…)", T::NAME)
    }
}

/// Trimmed, and of 1 to `limit` bytes.
fn trimmed(text: &str, limit: usize) -> Result<&str, ParseError> {
    match text.trim() {
        "" => Err(ParseError::Empty),
        text if text.len() > limit => Err(ParseError::TooLong { limit }),
        text => Ok(text),
    }
}

fn owned(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

#[cfg(test)]
mod tests;
