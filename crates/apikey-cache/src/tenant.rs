//! Who a key belongs to.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// The longest tenant id, in bytes.
const MAX_LEN: usize = 128;

/// The id of a tenant: 1 to 128 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Box<str>);

impl TenantId {
    /// Checks and takes over an id.
    ///
    /// # Errors
    ///
    /// If it is empty, longer than 128 bytes, or has a space, a control character or anything
    /// that is not ASCII.
    pub fn new(id: &str) -> Result<Self, InvalidTenantId> {
        let visible = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && id.len() <= MAX_LEN {
            Ok(Self(id.into()))
        } else {
            Err(InvalidTenantId)
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = InvalidTenantId;

    fn from_str(id: &str) -> Result<Self, InvalidTenantId> {
        Self::new(id)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A text that is no tenant id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a tenant id is 1 to 128 visible ASCII characters")]
#[non_exhaustive]
pub struct InvalidTenantId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_as_documented() {
        assert!(TenantId::new(&"a".repeat(128)).is_ok());
        for refused in ["", "a b", "a\n", "é", &"a".repeat(129)] {
            assert_eq!(TenantId::new(refused), Err(InvalidTenantId));
        }
    }
}
