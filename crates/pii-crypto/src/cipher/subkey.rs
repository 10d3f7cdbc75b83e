//! The key of one epoch.

use std::fmt;

use portcullis_keyring::DataKey;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::aead::{Aead, AeadKey as _};
use crate::sealed::{COMMITMENT_BYTES, HEADER_BYTES, PREFIX_BYTES, TAG_BYTES};

/// The key of one epoch, with its commitment and the first part of its nonces.
///
/// The commitment is a second output of the derivation, which nobody can make equal for two data
/// keys (Albertini et al., "How to Abuse and Fix Authenticated Encryption Without Key Commitment",
/// USENIX Security 2022): a sealed value cannot be made to open under both.
pub(super) struct Subkey {
    // What stands before the counter in each value: the prefix, then the commitment.
    head: [u8; HEAD_BYTES],
    nonce_prefix: [u8; NONCE_PREFIX_BYTES],
    aead: Aead,
}

impl Subkey {
    /// key 32 ‖ nonce prefix 8 ‖ commitment 16 =
    /// HKDF-Expand-SHA256(data key, "portcullis/field/v1" ‖ 00 ‖ bytes 0..22 of the value, 56)
    pub(super) fn derive(data_key: &DataKey, prefix: [u8; PREFIX_BYTES]) -> Self {
        let mut output = Zeroizing::new([0; OUTPUT_BYTES]);
        data_key.expand(&[LABEL, &prefix], &mut output);
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        key.copy_from_slice(&output[..KEY_BYTES]);
        let mut head = [0; HEAD_BYTES];
        head[..PREFIX_BYTES].copy_from_slice(&prefix);
        head[PREFIX_BYTES..].copy_from_slice(&output[KEY_BYTES + NONCE_PREFIX_BYTES..]);
        Self {
            head,
            nonce_prefix: array(&output[KEY_BYTES..KEY_BYTES + NONCE_PREFIX_BYTES]),
            aead: Aead::new(&key),
        }
    }

    pub(super) fn prefix(&self) -> &[u8] {
        &self.head[..PREFIX_BYTES]
    }

    /// Whether it is the key that a sealed value was committed to. In constant time, 16 bytes at once.
    #[inline]
    pub(super) fn has_commitment(&self, commitment: [u8; COMMITMENT_BYTES]) -> bool {
        let own = u128::from_ne_bytes(array(&self.head[PREFIX_BYTES..]));
        own.ct_eq(&u128::from_ne_bytes(commitment)).into()
    }

    /// Writes what stands before the ciphertext.
    #[inline]
    pub(super) fn write_header(&self, counter: u32, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.head);
        bytes.extend_from_slice(&counter.to_be_bytes());
    }

    /// Encrypts what follows the header, and adds the tag.
    #[inline]
    pub(super) fn seal(&self, counter: u32, aad: &[u8], bytes: &mut Vec<u8>) {
        let tag = self
            .aead
            .seal(self.nonce(counter), aad, &mut bytes[HEADER_BYTES..]);
        bytes.extend_from_slice(&tag);
    }

    /// Decrypts in place, and answers whether the tag is that of the text.
    #[inline]
    pub(super) fn open(
        &self,
        counter: u32,
        aad: &[u8],
        tag: [u8; TAG_BYTES],
        text: &mut [u8],
    ) -> bool {
        self.aead.open(self.nonce(counter), aad, tag, text)
    }

    #[inline]
    fn nonce(&self, counter: u32) -> [u8; NONCE_PREFIX_BYTES + 4] {
        let mut nonce = [0; NONCE_PREFIX_BYTES + 4];
        nonce[..NONCE_PREFIX_BYTES].copy_from_slice(&self.nonce_prefix);
        nonce[NONCE_PREFIX_BYTES..].copy_from_slice(&counter.to_be_bytes());
        nonce
    }
}

impl fmt::Debug for Subkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subkey").finish_non_exhaustive()
    }
}

const LABEL: &[u8] = b"portcullis/field/v1\0";
const HEAD_BYTES: usize = PREFIX_BYTES + COMMITMENT_BYTES;
const KEY_BYTES: usize = 32;
const NONCE_PREFIX_BYTES: usize = 8;
const OUTPUT_BYTES: usize = KEY_BYTES + NONCE_PREFIX_BYTES + COMMITMENT_BYTES;

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes
        .try_into()
        .expect("the output is cut at constant offsets")
}
