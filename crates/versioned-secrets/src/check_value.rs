//! What tells whether a configured secret is the one that was configured before.

use std::fmt;

use subtle::ConstantTimeEq as _;

/// Sixteen bytes derived one-way from a configured secret.
///
/// A service stores it when the secret is first used and compares at every start: a wrong secret is
/// found before traffic, not when data cannot be opened. It tells nothing about the secret, which
/// has 256 bits, except whether two are equal. How it is derived is up to the crate that uses the
/// secret, under a label that derives nothing else.
#[derive(Clone, Copy)]
pub struct CheckValue([u8; Self::BYTES]);

impl CheckValue {
    /// The length of a check value.
    pub const BYTES: usize = 16;

    /// A check value that was derived or stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// In constant time.
impl PartialEq for CheckValue {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for CheckValue {}

impl fmt::Debug for CheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckValue").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_stored_compared_and_not_printed() {
        let value = CheckValue::from_bytes([0xAB; 16]);
        assert_eq!(value, CheckValue::from_bytes(*value.as_bytes()));
        for at in 0..CheckValue::BYTES {
            let mut bytes = *value.as_bytes();
            bytes[at] ^= 1;
            assert_ne!(value, CheckValue::from_bytes(bytes));
        }
        assert_eq!(format!("{value:?}"), "CheckValue { .. }");
    }
}
