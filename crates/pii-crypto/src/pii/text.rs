//! Names, postal addresses and texts.

use std::fmt;

use zeroize::Zeroizing;

use super::{ParseError, PiiType, owned, trimmed};
use crate::{Suite, cipher::MAX_PLAINTEXT_BYTES};

/// The name of a person, trimmed; at most 1,024 bytes.
pub struct PersonName(Zeroizing<String>);

/// A postal address in one text, trimmed; at most 4,096 bytes.
pub struct PostalAddress(Zeroizing<String>);

/// Any text that may contain personal data, exactly as it was given, even empty; at most 64 KiB.
pub struct FreeText(Zeroizing<String>);

impl PersonName {
    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PostalAddress {
    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FreeText {
    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PiiType for PersonName {
    const NAME: &'static str = "name";
    const EXPECTED: &'static str = "a name of at most 1,024 bytes";
    const SUITE: Suite = Suite::Padded;

    fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self(owned(trimmed(text, 1_024)?)))
    }

    fn restore(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    fn text(&self) -> &str {
        &self.0
    }

    /// `J***`: the first letter.
    fn masked(&self) -> String {
        self.0.chars().take(1).chain("***".chars()).collect()
    }
}

impl PiiType for PostalAddress {
    const NAME: &'static str = "address";
    const EXPECTED: &'static str = "an address of at most 4,096 bytes";
    const SUITE: Suite = Suite::Padded;

    fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self(owned(trimmed(text, 4_096)?)))
    }

    fn restore(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    fn text(&self) -> &str {
        &self.0
    }

    /// `***`: nothing of it.
    fn masked(&self) -> String {
        "***".to_owned()
    }
}

impl PiiType for FreeText {
    const NAME: &'static str = "text";
    const EXPECTED: &'static str = "a text of at most 64 KiB";
    const SUITE: Suite = Suite::Padded;

    fn parse(text: &str) -> Result<Self, ParseError> {
        if text.len() > MAX_PLAINTEXT_BYTES {
            return Err(ParseError::TooLong {
                limit: MAX_PLAINTEXT_BYTES,
            });
        }
        Ok(Self(owned(text)))
    }

    fn restore(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    fn text(&self) -> &str {
        &self.0
    }

    /// `***`: nothing of it.
    fn masked(&self) -> String {
        "***".to_owned()
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(…)")
    }
}

impl fmt::Debug for PostalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostalAddress(…)")
    }
}

impl fmt::Debug for FreeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreeText(…)")
    }
}
