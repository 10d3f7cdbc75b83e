//! AES-256-GCM by AWS-LC.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::{AeadKey, KEY_BYTES, NONCE_BYTES};
use crate::sealed::TAG_BYTES;

/// Nonces come from the caller, which no FIPS module approves of: no claim of it is made.
pub(in crate::cipher) struct AwsLc(LessSafeKey);

impl AeadKey for AwsLc {
    fn new(key: &Zeroizing<[u8; KEY_BYTES]>) -> Self {
        // EXPOSE: the cipher needs the key.
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).expect("AES-256 takes 32 bytes");
        Self(LessSafeKey::new(key))
    }

    #[inline]
    fn seal(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], text: &mut [u8]) -> [u8; TAG_BYTES] {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), text)
            .expect("only texts of 64 GiB and more are refused");
        tag.as_ref()
            .try_into()
            .expect("the tag of AES-GCM has 16 bytes")
    }

    #[inline]
    fn open(
        &self,
        nonce: [u8; NONCE_BYTES],
        aad: &[u8],
        tag: [u8; TAG_BYTES],
        text: &mut [u8],
    ) -> bool {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self
            .0
            .open_in_place_separate_tag(nonce, Aad::from(aad), &tag, text);
        opened.is_ok()
    }
}
