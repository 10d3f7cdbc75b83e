//! Names of tiers, categories and limits.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::Deserialize;

const MAX_LENGTH: usize = 64;

/// The text is not a valid name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name must be 1 to 64 characters of a-z, 0-9, '-' and '_'")]
#[non_exhaustive]
pub struct NameError;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 1 to 64 characters of `a-z`, `0-9`, `-` and `_`: fit for a header, a metric label and a
        /// storage key without escaping.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// A name, say from a configuration.
            ///
            /// # Errors
            /// The text is empty, too long, or has other characters.
            pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
                valid(name.into()).map(|name| Self(Cow::Owned(name)))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The service level of a tenant or its API key, which decides what limits it has.
    Tier
}

name! {
    /// A kind of request with limits of its own.
    Category
}

name! {
    /// What clients see a limit called, in header fields and problem bodies.
    LimitName
}

impl Tier {
    /// `free`
    pub const FREE: Self = Self(Cow::Borrowed("free"));
    /// `standard`
    pub const STANDARD: Self = Self(Cow::Borrowed("standard"));
    /// `enterprise`
    pub const ENTERPRISE: Self = Self(Cow::Borrowed("enterprise"));
}

impl Category {
    /// `ingest`
    pub const INGEST: Self = Self(Cow::Borrowed("ingest"));
    /// `read`
    pub const READ: Self = Self(Cow::Borrowed("read"));
    /// `admin`
    pub const ADMIN: Self = Self(Cow::Borrowed("admin"));
}

impl LimitName {
    pub(crate) const fn literal(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

fn valid(name: String) -> Result<String, NameError> {
    let fits = (1..=MAX_LENGTH).contains(&name.len());
    let plain = name
        .bytes()
        .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    if fits && plain {
        Ok(name)
    } else {
        Err(NameError)
    }
}

#[cfg(test)]
mod tests {
    use super::{Category, LimitName, NameError, Tier};

    #[test]
    fn names_are_lower_case_and_at_most_64_characters() {
        assert_eq!(
            Tier::new("gold-2_eu").map(|tier| tier.to_string()),
            Ok("gold-2_eu".to_owned())
        );
        assert!(Category::new("x".repeat(64)).is_ok());
        for bad in ["", "Gold", "a b", "a\"b", "a/b", "é", &"x".repeat(65)] {
            assert_eq!(LimitName::new(bad), Err(NameError), "{bad}");
        }
    }

    #[test]
    fn built_in_names_equal_parsed_ones() {
        assert_eq!(Tier::new("enterprise"), Ok(Tier::ENTERPRISE));
        assert_eq!("admin".parse(), Ok(Category::ADMIN));
    }
}
