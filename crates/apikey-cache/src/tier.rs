//! How much a key may ask for.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The tier of a key: what limits apply to it is the application's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an application gives each tier its limits"
)]
pub enum Tier {
    /// Trial and low volume.
    Free,
    /// The usual contract.
    Standard,
    /// High volume.
    Enterprise,
}

impl Tier {
    /// The name records and interfaces use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Standard => "standard",
            Self::Enterprise => "enterprise",
        }
    }
}

impl FromStr for Tier {
    type Err = UnknownTier;

    fn from_str(name: &str) -> Result<Self, UnknownTier> {
        match name {
            "free" => Ok(Self::Free),
            "standard" => Ok(Self::Standard),
            "enterprise" => Ok(Self::Enterprise),
            _ => Err(UnknownTier),
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a tier is one of free, standard, enterprise")]
#[non_exhaustive]
pub struct UnknownTier;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back() {
        for tier in [Tier::Free, Tier::Standard, Tier::Enterprise] {
            assert_eq!(tier.to_string().parse(), Ok(tier));
        }
        assert_eq!("Free".parse::<Tier>(), Err(UnknownTier));
    }
}
