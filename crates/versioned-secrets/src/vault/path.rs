//! Paths in Vault.

use std::{fmt, str::FromStr};

/// Where something is in Vault, without the leading `/v1/`: `transit`, `secret/data/ingest`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultPath(String);

/// A path that Vault would read as another, or that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a path in Vault has 1 to 512 bytes of visible ASCII without `?`, `#`, `%` and `\\`, and no part of it \
     is empty, `.` or `..`"
)]
#[non_exhaustive]
pub struct InvalidVaultPath;

impl VaultPath {
    /// The most bytes that a path has.
    pub const MAX_BYTES: usize = 512;

    /// The path with that text; a slash at either end is left out.
    ///
    /// # Errors
    /// [`InvalidVaultPath`].
    pub fn new(text: &str) -> Result<Self, InvalidVaultPath> {
        let text = text.strip_prefix('/').unwrap_or(text);
        let text = text.strip_suffix('/').unwrap_or(text);
        let is_good = |byte: u8| byte.is_ascii_graphic() && !b"?#%\\".contains(&byte);
        let parts_are_good = text
            .split('/')
            .all(|part| !matches!(part, "" | "." | "..") && part.bytes().all(is_good));
        if text.len() > Self::MAX_BYTES || !parts_are_good {
            return Err(InvalidVaultPath);
        }
        Ok(Self(text.to_owned()))
    }

    /// What is below this path there: `secret` and `data/ingest` make `secret/data/ingest`.
    ///
    /// # Errors
    /// [`InvalidVaultPath`].
    pub fn join(&self, below: &str) -> Result<Self, InvalidVaultPath> {
        Self::new(&format!("{self}/{below}"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VaultPath {
    type Err = InvalidVaultPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Display for VaultPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_either_end_is_left_out() {
        for text in ["a/b", "/a/b", "a/b/", "/a/b/"] {
            assert_eq!(VaultPath::new(text).unwrap().as_str(), "a/b");
        }
    }

    #[test]
    fn a_path_that_would_be_read_as_another_is_refused() {
        for text in [
            "", "/", "a//b", "a/../b", ".", "a/.", "a?b", "a#b", "a%2e", "a\\b", "a b", "a\nb",
            "ä", "//a",
        ] {
            assert_eq!(VaultPath::new(text), Err(InvalidVaultPath), "{text:?}");
        }
        assert!(VaultPath::new(&"a".repeat(VaultPath::MAX_BYTES)).is_ok());
        assert!(VaultPath::new(&"a".repeat(VaultPath::MAX_BYTES + 1)).is_err());
    }
}
