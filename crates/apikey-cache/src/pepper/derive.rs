//! HKDF-SHA-256 without salt (RFC 5869): what follows from a secret, and does not lead back to it.

use ring::hkdf;
use zeroize::Zeroizing;

/// A secret from which others are derived, each under a label of its own.
pub(super) struct Root(hkdf::Prk);

impl Root {
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        Self(hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(secret))
    }

    pub(super) fn derive<const N: usize>(&self, label: &[u8]) -> Zeroizing<[u8; N]> {
        let mut bytes = Zeroizing::new([0; N]);
        self.0
            .expand(&[label], OfLen(N))
            .and_then(|expanded| expanded.fill(bytes.as_mut()))
            .expect("the length is that of the bytes, and not above 255 blocks");
        bytes
    }
}

struct OfLen(usize);

impl hkdf::KeyType for OfLen {
    fn len(&self) -> usize {
        self.0
    }
}
