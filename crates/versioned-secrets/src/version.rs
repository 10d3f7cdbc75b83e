//! The number that tells one secret of a set from another.

use std::{fmt, num::NonZeroU32, str::FromStr};

/// The version of a secret, chosen by the operator: a number from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretVersion(NonZeroU32);

/// A version is a decimal number from 1 to 4,294,967,295.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version must be a number from 1 to 4294967295")]
#[non_exhaustive]
pub struct InvalidVersion;

impl SecretVersion {
    /// Version 1, for a set of one.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The version of that number.
    #[must_use]
    pub const fn new(version: NonZeroU32) -> Self {
        Self(version)
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0.get()
    }
}

impl TryFrom<u32> for SecretVersion {
    type Error = InvalidVersion;

    fn try_from(version: u32) -> Result<Self, Self::Error> {
        NonZeroU32::new(version).map(Self).ok_or(InvalidVersion)
    }
}

impl FromStr for SecretVersion {
    type Err = InvalidVersion;

    /// Reads decimal digits without a sign and without leading zeros: one version has one spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.starts_with(|first: char| first.is_ascii_digit() && first != '0') {
            return Err(InvalidVersion);
        }
        text.parse().map(Self).map_err(|_| InvalidVersion)
    }
}

impl fmt::Display for SecretVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
