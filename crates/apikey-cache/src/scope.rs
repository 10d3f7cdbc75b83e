//! What a key may do.

use std::{collections::BTreeSet, fmt, str::FromStr};

use thiserror::Error;

/// The longest scope, in bytes.
const MAX_LEN: usize = 64;
/// The most scopes of one key.
const MAX_COUNT: usize = 32;

/// One permission, such as `events:write`: 1 to 64 of `a-z 0-9 : . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Box<str>);

impl Scope {
    /// Checks and takes over a name.
    ///
    /// # Errors
    ///
    /// [`InvalidScope::Characters`] if it is not of the form above.
    pub fn new(name: &str) -> Result<Self, InvalidScope> {
        let permitted = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b":._-".contains(&byte)
        };
        if (1..=MAX_LEN).contains(&name.len()) && name.bytes().all(permitted) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidScope::Characters)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(name: &str) -> Result<Self, InvalidScope> {
        Self::new(name)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Up to 32 scopes, sorted, each once. The text form separates them by one space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(Box<str>);

impl Scopes {
    /// The set of these scopes.
    ///
    /// # Errors
    ///
    /// [`InvalidScope::TooMany`] if more than 32 differ.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, InvalidScope> {
        let sorted: BTreeSet<Scope> = scopes.into_iter().collect();
        if sorted.len() > MAX_COUNT {
            return Err(InvalidScope::TooMany);
        }
        let names: Vec<&str> = sorted.iter().map(Scope::as_str).collect();
        Ok(Self(names.join(" ").into()))
    }

    /// Whether the set holds the scope of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|scope| scope == name)
    }

    /// Whether the set holds every scope of the other one.
    #[must_use]
    pub fn contains_all(&self, others: &Self) -> bool {
        others.iter().all(|name| self.contains(name))
    }

    /// The scopes that both sets hold.
    pub(crate) fn common_with(&self, others: &Self) -> Self {
        let common: Vec<&str> = self.iter().filter(|name| others.contains(name)).collect();
        Self(common.join(" ").into())
    }

    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|name| !name.is_empty())
    }

    /// The names in order, separated by one space; empty for no scope.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scopes {
    type Err = InvalidScope;

    /// Takes names in any order, separated by spaces.
    fn from_str(names: &str) -> Result<Self, InvalidScope> {
        let scopes: Result<Vec<Scope>, InvalidScope> = names
            .split(' ')
            .filter(|name| !name.is_empty())
            .map(Scope::new)
            .collect();
        Self::new(scopes?)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Scopes that a key cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidScope {
    /// A name has a form that no scope has.
    #[error("a scope is 1 to 64 of a-z 0-9 : . _ -")]
    Characters,
    /// There are more than a key can have.
    #[error("a key has at most 32 scopes")]
    TooMany,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_repetition_make_no_difference() {
        let scopes: Scopes = "leads:read  events:write leads:read".parse().unwrap();
        assert_eq!(scopes.as_str(), "events:write leads:read");
        assert!(scopes.contains("leads:read"));
        assert!(
            !scopes.contains("leads")
                && !scopes.contains("")
                && !scopes.contains("events:write leads:read")
        );
    }

    #[test]
    fn a_set_holds_another_if_it_has_every_scope_of_it() {
        let set = |names: &str| names.parse::<Scopes>().unwrap();
        let some = set("events:write leads:read");
        assert!(some.contains_all(&some) && some.contains_all(&set("leads:read")));
        assert!(some.contains_all(&set("")));
        assert!(!some.contains_all(&set("leads:read pii:read")));
        assert!(!set("").contains_all(&set("leads:read")));
    }

    #[test]
    fn what_two_sets_have_in_common_is_in_both() {
        let set = |names: &str| names.parse::<Scopes>().unwrap();
        let some = set("events:write leads:read pii:read");
        let common = some.common_with(&set("pii:read a:read leads:read"));
        assert_eq!(common, set("leads:read pii:read"));
        assert_eq!(some.common_with(&set("")), Scopes::default());
        assert_eq!(set("").common_with(&some), Scopes::default());
    }

    #[test]
    fn no_scope_is_a_set_too() {
        assert_eq!("".parse(), Ok(Scopes::default()));
        assert_eq!(Scopes::default().iter().count(), 0);
    }

    #[test]
    fn bounds_are_as_documented() {
        assert!(Scope::new(&"a".repeat(64)).is_ok());
        for refused in ["", "A", "a b", "a\n", &"a".repeat(65)] {
            assert_eq!(Scope::new(refused), Err(InvalidScope::Characters));
        }
        let names = |count: usize| (0..count).map(|n| format!("s{n} ")).collect::<String>();
        assert!(names(32).parse::<Scopes>().is_ok());
        assert_eq!(names(33).parse::<Scopes>(), Err(InvalidScope::TooMany));
    }
}
