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

            /// A name that is known when the program is built.
            ///
            /// # Panics
            /// The text is empty, too long, or has other characters; for a constant, the compiler
            /// says so.
            #[must_use]
            pub const fn from_static(name: &'static str) -> Self {
                assert!(
                    is_valid(name),
                    "a name must be 1 to 64 characters of a-z, 0-9, '-' and '_'"
                );
                Self(Cow::Borrowed(name))
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

fn valid(name: String) -> Result<String, NameError> {
    if is_valid(&name) {
        Ok(name)
    } else {
        Err(NameError)
    }
}

const fn is_valid(name: &str) -> bool {
    let mut rest = name.as_bytes();
    if rest.is_empty() || rest.len() > MAX_LENGTH {
        return false;
    }
    while let [first, others @ ..] = rest {
        if !matches!(first, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') {
            return false;
        }
        rest = others;
    }
    true
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

    #[test]
    fn a_constant_equals_the_same_name_parsed() {
        const EXPORT: Category = Category::from_static("export");
        assert_eq!(Category::new("export"), Ok(EXPORT));
    }

    #[test]
    #[should_panic(expected = "1 to 64 characters")]
    fn a_constant_that_is_no_name_is_refused() {
        let _ = LimitName::from_static("Export");
    }
}
