//! Names of tenants and purposes.

use std::{fmt, str::FromStr, sync::Arc};

/// The longest name, in bytes. It is also the longest context part of a sealed field.
pub const MAX_NAME_BYTES: usize = 1024;

/// Whose data a key protects. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Arc<str>);

/// What a data key is for: `email`, `phone`, … Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Purpose(Arc<str>);

/// Why a name was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty.
    #[error("the name is empty: give 1 to {MAX_NAME_BYTES} bytes")]
    Empty,
    /// The name has more than [`MAX_NAME_BYTES`].
    #[error("the name is longer than {MAX_NAME_BYTES} bytes")]
    TooLong,
}

impl TenantId {
    /// Takes a name of 1 to [`MAX_NAME_BYTES`] bytes.
    ///
    /// # Errors
    /// [`NameError`] when it is empty or too long.
    pub fn new(name: &str) -> Result<Self, NameError> {
        checked(name).map(Self)
    }

    /// The name as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Purpose {
    /// Takes a name of 1 to [`MAX_NAME_BYTES`] bytes.
    ///
    /// # Errors
    /// [`NameError`] when it is empty or too long.
    pub fn new(name: &str) -> Result<Self, NameError> {
        checked(name).map(Self)
    }

    /// The name as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn checked(name: &str) -> Result<Arc<str>, NameError> {
    match name.len() {
        0 => Err(NameError::Empty),
        1..=MAX_NAME_BYTES => Ok(name.into()),
        _ => Err(NameError::TooLong),
    }
}

impl FromStr for TenantId {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({:?})", self.as_str())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Purpose {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl fmt::Debug for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Purpose({:?})", self.as_str())
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_1024_bytes() {
        assert_eq!(TenantId::new(""), Err(NameError::Empty));
        assert_eq!(Purpose::new(""), Err(NameError::Empty));
        assert!(TenantId::new("t").is_ok());
        assert!(TenantId::new(&"t".repeat(1024)).is_ok());
        assert_eq!(TenantId::new(&"t".repeat(1025)), Err(NameError::TooLong));
        assert_eq!(Purpose::new(&"é".repeat(513)), Err(NameError::TooLong));
    }
}
