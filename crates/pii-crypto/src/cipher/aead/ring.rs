//! AES-256-GCM by `ring`.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::{AeadKey, KEY_BYTES, NONCE_BYTES};
use crate::sealed::TAG_BYTES;

/// `ring` does not wipe the key schedule when it is dropped.
pub(in crate::cipher) struct Ring(LessSafeKey);

impl AeadKey for Ring {
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
        let opened =
            self.0
                .open_in_place_separate_tag(nonce, Aad::from(aad), tag.into(), text, 0..);
        opened.is_ok()
    }
}
