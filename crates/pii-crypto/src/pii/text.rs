//! Names, postal addresses and texts.

use std::fmt;

use zeroize::Zeroizing;

use super::{
    ParseError, PiiType, owned,
    unseen::{is_line_separator, is_unseen},
};
use crate::{Suite, cipher::MAX_PLAINTEXT_BYTES};

/// The name of a person, trimmed; at most 1,024 characters on one line.
///
/// A control character is in no name, nor is one that ends a line. What joins letters unseen stays:
/// names in Persian and in the scripts of India are written with it, and no name is an identity. What
/// has no character that can be seen is empty.
pub struct PersonName(Zeroizing<String>);

/// A postal address in one text, trimmed; at most 4,096 characters on one or several lines.
///
/// Of control characters it may have those that end a line, and tabs. What has no character that can
/// be seen is empty.
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
    const EXPECTED: &'static str = "a name of at most 1,024 characters, without control characters";
    const SUITE: Suite = Suite::Padded;

    fn parse(text: &str) -> Result<Self, ParseError> {
        let text = seen(text, 1_024)?;
        if text
            .chars()
            .any(|char| char.is_control() || is_line_separator(char))
        {
            return Err(invalid::<Self>());
        }
        Ok(Self(owned(text)))
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
    const EXPECTED: &'static str =
        "an address of at most 4,096 characters, of control characters line ends and tabs alone";
    const SUITE: Suite = Suite::Padded;

    fn parse(text: &str) -> Result<Self, ParseError> {
        let text = seen(text, 4_096)?;
        let is_refused = |char: char| char.is_control() && !LINE_ENDS_AND_TABS.contains(&char);
        if text.chars().any(is_refused) {
            return Err(invalid::<Self>());
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

/// As editors of every kind write them, NEL included.
const LINE_ENDS_AND_TABS: [char; 4] = ['\n', '\r', '\t', '\u{85}'];

/// Trimmed, at most `limit` characters, of which one can be seen. Characters and not bytes, since
/// schemas count them so: a bound in bytes is another one in each script.
fn seen(text: &str, limit: usize) -> Result<&str, ParseError> {
    let text = text.trim();
    if text.chars().nth(limit).is_some() {
        return Err(ParseError::TooManyCharacters { limit });
    }
    if text.chars().all(is_unseen) {
        return Err(ParseError::Empty);
    }
    Ok(text)
}

const fn invalid<T: PiiType>() -> ParseError {
    ParseError::Invalid {
        expected: T::EXPECTED,
    }
}
