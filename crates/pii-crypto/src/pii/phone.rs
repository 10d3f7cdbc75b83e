//! Telephone numbers.

mod calling_code;
mod written;

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use zeroize::Zeroizing;

use self::{calling_code::calling_code, written::Digits};
use super::{ParseError, PiiType, trimmed};
use crate::{Indexed, Indexing, Suite};

/// A telephone number in E.164 form: `+5511912345678`.
///
/// Valid is what Google's libphonenumber calls valid by its metadata of
/// [version 9.0.42](Self::NUMBERING_PLANS), of October 2026, and has at most 15 digits. It may be
/// written with any separators, in digits of any script, as a URI of RFC 3966 (`tel:…`), and with an
/// extension, which is dropped: a number is that of a line, and those behind one switchboard share
/// it. Letters are refused, vanity numbers too.
pub struct PhoneNumber(Zeroizing<String>);

/// A region with a numbering plan, to complete numbers in national form: `BR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region(rlibphonenumber::Region);

impl PhoneNumber {
    /// The version of libphonenumber whose numbering plans say what is valid.
    pub const NUMBERING_PLANS: &'static str = "9.0.42";

    /// Takes a number in international form, or as it is dialled within a region: in national form,
    /// or with what leads abroad there (`00`, `011`). After a `+` the region has no say.
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
        rlibphonenumber::Region::from_code(letters)
            .ok()
            .filter(|_| letters.bytes().all(|byte| byte.is_ascii_uppercase()))
            .filter(|&region| {
                PHONE_NUMBER_UTIL
                    .get_country_code_for_region(region)
                    .is_some()
            })
            .map(Self)
            .ok_or(INVALID_REGION)
    }
}

impl PiiType for PhoneNumber {
    const NAME: &'static str = "phone";
    const EXPECTED: &'static str = "a valid phone number in international form, digits after a +";
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

    /// `+55***78`: the country code and the last two digits. What the numbering plans say by now has
    /// no part in it.
    fn masked(&self) -> String {
        let number = self.0.strip_prefix('+').unwrap_or_default();
        let code = calling_code(number);
        let national = &number[code.len()..];
        // Two digits of three or four would be most of the number.
        let last = national.len().checked_sub(2).filter(|&hidden| hidden > 2);
        let last = last
            .and_then(|at| national.get(at..))
            .filter(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
            .unwrap_or_default();
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

/// Of E.164, 6.2; the metadata has plans with longer numbers.
const MAX_DIGITS: usize = 15;

/// What libphonenumber sees is digits alone, after a `+` without a region, so that neither its ways
/// to find a number within a text nor those to try another region turn one number into another.
fn parse(region: Option<rlibphonenumber::Region>, text: &str) -> Result<PhoneNumber, ParseError> {
    let text = trimmed(text, MAX_BYTES)?;
    let digits = Digits::read(text).ok_or(INVALID)?;
    let region = if digits.are_international() {
        None
    } else {
        Some(region.ok_or(INVALID)?)
    };
    let number = PHONE_NUMBER_UTIL
        .parse(digits.as_str(), region)
        .map_err(|_| INVALID)?;
    if !PHONE_NUMBER_UTIL.is_valid_number(&number) {
        return Err(INVALID);
    }
    let text = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164);
    if text.len() > "+".len() + MAX_DIGITS {
        return Err(INVALID);
    }
    Ok(PhoneNumber(Zeroizing::new(text.into_owned())))
}
