//! AES-256-GCM, by whichever library the crate was built with.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(any(test, not(feature = "aws-lc-rs")))]
mod ring;

use zeroize::Zeroizing;

use crate::sealed::TAG_BYTES;

#[cfg(feature = "aws-lc-rs")]
pub(super) use self::aws_lc::AwsLc as Aead;
#[cfg(not(feature = "aws-lc-rs"))]
pub(super) use self::ring::Ring as Aead;

/// AES-256-GCM with a nonce from the caller, who sees that none comes twice under one key.
///
/// # Contract
/// The bytes are those of NIST SP 800-38D, whatever the library: what one seals the other opens.
pub(super) trait AeadKey: Sized {
    fn new(key: &Zeroizing<[u8; KEY_BYTES]>) -> Self;

    /// Encrypts in place and answers the tag.
    fn seal(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], text: &mut [u8]) -> [u8; TAG_BYTES];

    /// Decrypts in place, and answers whether the tag is that of the text.
    fn open(
        &self,
        nonce: [u8; NONCE_BYTES],
        aad: &[u8],
        tag: [u8; TAG_BYTES],
        text: &mut [u8],
    ) -> bool;
}

pub(super) const KEY_BYTES: usize = 32;
pub(super) const NONCE_BYTES: usize = 12;

#[cfg(test)]
mod tests;
