//! How much a key may ask for.

use std::{borrow::Cow, fmt, str::FromStr};

use thiserror::Error;

/// The longest tier, in bytes.
const MAX_LEN: usize = 64;

/// The service level of a key: 1 to 64 of `a-z 0-9 - _`. What limits apply to it is the
/// application's to say, and so is which tiers there are.
///
/// A tier of `portcullis-ratelimit` has the same form, so each is made from the other's text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tier(Cow<'static, str>);

impl Tier {
    /// `free`
    pub const FREE: Self = Self(Cow::Borrowed("free"));
    /// `standard`
    pub const STANDARD: Self = Self(Cow::Borrowed("standard"));
    /// `enterprise`
    pub const ENTERPRISE: Self = Self(Cow::Borrowed("enterprise"));

    /// Checks and takes over a name.
    ///
    /// # Errors
    ///
    /// If it is not of the form above.
    pub fn new(name: &str) -> Result<Self, InvalidTier> {
        let permitted = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        };
        if (1..=MAX_LEN).contains(&name.len()) && name.bytes().all(permitted) {
            Ok(Self(Cow::Owned(name.to_owned())))
        } else {
            Err(InvalidTier)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tier {
    type Err = InvalidTier;

    fn from_str(name: &str) -> Result<Self, InvalidTier> {
        Self::new(name)
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a tier is 1 to 64 of a-z 0-9 - _")]
#[non_exhaustive]
pub struct InvalidTier;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back() {
        for tier in [Tier::FREE, Tier::STANDARD, Tier::ENTERPRISE] {
            assert_eq!(tier.to_string().parse(), Ok(tier));
        }
        assert_eq!("Free".parse::<Tier>(), Err(InvalidTier));
    }

    #[test]
    fn bounds_are_as_documented() {
        assert_eq!(Tier::new("gold-2_eu").unwrap().as_str(), "gold-2_eu");
        assert!(Tier::new(&"a".repeat(64)).is_ok());
        for refused in ["", "Gold", "a b", "a/b", "a.b", "é", &"a".repeat(65)] {
            assert_eq!(Tier::new(refused), Err(InvalidTier), "{refused}");
        }
    }
}
