//! What tells the kids that were issued under a pepper from invented ones, and does nothing else.

use portcullis_versioned_secrets::CheckValue;
use secrecy::{ExposeSecret as _, SecretBox};
use subtle::ConstantTimeEq as _;

use super::derive::Root;
use crate::mac::MacKey;

/// Derived from a pepper, and of use without it.
pub(crate) struct TagKey {
    bytes: SecretBox<[u8; 32]>,
    pub(super) mac: MacKey,
    pub(super) check: CheckValue,
}

impl TagKey {
    /// That of a pepper.
    pub(super) fn derive(pepper: &Root) -> Self {
        Self::new(&pepper.derive(b"portcullis/kid/v1"))
    }

    pub(super) fn new(bytes: &[u8; 32]) -> Self {
        let check = Root::new(bytes).derive(b"portcullis/kid-check/v1");
        Self {
            bytes: copied(bytes),
            mac: MacKey::new(bytes),
            check: CheckValue::from_bytes(*check),
        }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        // EXPOSE: compared in constant time.
        let (one, other) = (self.bytes.expose_secret(), other.bytes.expose_secret());
        one.ct_eq(other).into()
    }

    /// The key itself, for an operator to keep.
    pub(super) fn copy(&self) -> SecretBox<[u8; 32]> {
        // EXPOSE: the copy is as well kept.
        copied(self.bytes.expose_secret())
    }
}

fn copied(bytes: &[u8; 32]) -> SecretBox<[u8; 32]> {
    SecretBox::init_with_mut(|copy: &mut [u8; 32]| copy.copy_from_slice(bytes))
}
