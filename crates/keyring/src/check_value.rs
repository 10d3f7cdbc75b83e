//! What tells whether a configured secret is the one that was configured before.

use std::fmt;

use secrecy::SecretBox;
use subtle::ConstantTimeEq as _;

use crate::data_key::expand_sha256;

/// Sixteen bytes derived one-way from a configured secret.
///
/// A service stores it when the secret is first used and compares at every start: a wrong secret is
/// found before traffic, not when data cannot be opened. It tells nothing about the secret, which
/// has 256 bits, except whether two are equal.
#[derive(Clone, Copy)]
pub struct CheckValue([u8; Self::BYTES]);

impl CheckValue {
    /// The length of a check value.
    pub const BYTES: usize = 16;

    /// The check value of `secret` under `version`:
    /// HKDF-Expand-SHA256(secret, label ‖ 00 ‖ version as u32 BE, 16).
    ///
    /// `label` says what kind of secret it is, and must be one that derives nothing else.
    #[must_use]
    pub fn derive(secret: &SecretBox<[u8; 32]>, label: &str, version: u32) -> Self {
        let mut value = [0; Self::BYTES];
        expand_sha256(
            secret,
            &[label.as_bytes(), &[0], &version.to_be_bytes()],
            &mut value,
        );
        Self(value)
    }

    /// A check value that was stored.
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
