//! Telephone numbers.

use std::{fmt, str::FromStr};

use phonenumber::country;
use zeroize::Zeroizing;

use super::{ParseError, PiiType, trimmed};
use crate::{Indexed, Indexing, Suite};

/// A telephone number in E.164 form: `+5511912345678`.
///
/// Valid is what the metadata of Google's libphonenumber, in the version of the `phonenumber`
/// crate, calls valid; an extension is dropped.
pub struct PhoneNumber(Zeroizing<String>);

/// A region with a numbering plan, to complete numbers in national form: `BR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region(country::Id);

impl PhoneNumber {
    /// Takes a number in international form, or in the national form of a region.
    ///
    /// # Errors
    /// [`ParseError`] when it is not a valid number.
    pub fn parse_in(region: Region, text: &str) -> Result<Self, ParseError> {
        parse(Some(region.0), text)
    }

    /// The number in E.164 form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Region {
    /// Takes the two capital letters of ISO 3166-1.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the numbering plans do not know it.
    pub fn new(letters: &str) -> Result<Self, ParseError> {
        country::Id::from_str(letters)
            .map(Self)
            .map_err(|_| INVALID_REGION)
    }
}

impl PiiType for PhoneNumber {
    const NAME: &'static str = "phone";
    const EXPECTED: &'static str = "a phone number in international form, beginning with +";
    const SUITE: Suite = Suite::Exact;
    const INDEXING: Option<Indexing<Self>> = Some(Indexing::new());

    /// International form alone: `+` and the country code come first.
    fn parse(text: &str) -> Result<Self, ParseError> {
        parse(None, text)
    }

    fn restore(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    fn text(&self) -> &str {
        &self.0
    }

    /// `+55***78`: the country code and the last two digits.
    fn masked(&self) -> String {
        let code = phonenumber::parse(None, self.as_str())
            .map(|number| number.code().value().to_string())
            .unwrap_or_default();
        let last = self
            .0
            .char_indices()
            .rev()
            .nth(1)
            .map_or("", |(at, _)| &self.0[at..]);
        format!("+{code}***{last}")
    }
}

/// `phone/1`: the E.164 form.
impl Indexed for PhoneNumber {
    const NORMALISERS: &'static [&'static str] = &["phone/1"];

    fn normaliser(&self) -> &'static str {
        "phone/1"
    }

    fn normalised(&self) -> Zeroizing<String> {
        self.0.clone()
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

const INVALID: ParseError = ParseError::Invalid {
    expected: PhoneNumber::EXPECTED,
};
const INVALID_REGION: ParseError = ParseError::Invalid {
    expected: "a region: two capital letters such as BR",
};

/// Generous for every way of writing the 15 digits of E.164.
const MAX_BYTES: usize = 64;

fn parse(region: Option<country::Id>, text: &str) -> Result<PhoneNumber, ParseError> {
    let text = trimmed(text, MAX_BYTES)?;
    if region.is_none() && !text.starts_with('+') {
        return Err(INVALID);
    }
    let number = phonenumber::parse(region, text).map_err(|_| INVALID)?;
    if !number.is_valid() {
        return Err(INVALID);
    }
    let text = number.format().mode(phonenumber::Mode::E164).to_string();
    Ok(PhoneNumber(Zeroizing::new(text)))
}
