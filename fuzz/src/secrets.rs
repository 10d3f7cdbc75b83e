//! Secrets that are no secret: fixed ones, so that a finding comes back in the next run.

use secrecy::SecretBox;

/// 32 bytes that nobody else uses, by a number.
#[must_use]
pub fn bytes(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        let index = u8::try_from(index).expect("there are 32");
        *byte = index.wrapping_mul(7).wrapping_add(number.wrapping_mul(101)) ^ 0x5a;
    }
    bytes
}

/// The same as a secret.
#[must_use]
pub fn boxed(number: u8) -> SecretBox<[u8; 32]> {
    SecretBox::new(Box::new(bytes(number)))
}
