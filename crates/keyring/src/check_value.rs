//! The check values of secrets that keys are derived from or wrapped with.

use portcullis_versioned_secrets::{CheckValue, SecretVersion};
use secrecy::SecretBox;

use crate::data_key::expand_sha256;

/// The check value of `secret` under `version`:
/// HKDF-Expand-SHA256(secret, label ‖ 00 ‖ version as u32 BE, 16).
///
/// `label` says what kind of secret it is, and must be one that derives nothing else.
#[must_use]
pub fn check_value(
    secret: &SecretBox<[u8; 32]>,
    label: &str,
    version: SecretVersion,
) -> CheckValue {
    let mut value = [0; CheckValue::BYTES];
    let version = version.value().to_be_bytes();
    expand_sha256(secret, &[label.as_bytes(), &[0], &version], &mut value);
    CheckValue::from_bytes(value)
}
