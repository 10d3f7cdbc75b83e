//! The key of one index.

use std::fmt;

use hmac::{Hmac, Mac as _};
use portcullis_keyring::TenantId;
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{IndexValue, IndexVersion, keyed::Keyed};

/// A root of one version, ready to derive keys from: its share of each derivation is hashed once. Wiped
/// when it is dropped.
#[derive(Clone)]
pub(super) struct IndexRoot {
    prk: Keyed,
    version: IndexVersion,
}

/// The HMAC-SHA-256 key of one index: one tenant, field, index name, version and length. Its share of
/// each fingerprint is hashed once. Wiped when it is dropped.
pub(super) struct IndexKey {
    key: Keyed,
    version: IndexVersion,
    bits: u16,
}

impl IndexRoot {
    pub(super) fn new(version: IndexVersion, root: &SecretBox<[u8; 32]>) -> Self {
        // EXPOSE: keys are derived from it.
        let prk = Keyed::new(root.expose_secret());
        Self { prk, version }
    }

    pub(super) const fn version(&self) -> IndexVersion {
        self.version
    }

    /// HKDF-Expand-SHA256(root, "portcullis/index/v1" ‖ 00 ‖ lp32(tenant) ‖ lp32(field) ‖
    /// lp32(index) ‖ version u16 ‖ bits u16, 32)
    pub(super) fn derive(
        &self,
        tenant: &TenantId,
        field: &str,
        index: &str,
        bits: u16,
    ) -> IndexKey {
        let mut hmac = self.prk.begin();
        hmac.update(LABEL);
        for part in [tenant.as_str(), field, index] {
            update_lp32(&mut hmac, part.as_bytes());
        }
        hmac.update(&self.version.value().to_be_bytes());
        hmac.update(&bits.to_be_bytes());
        // 32 bytes are the first block of the output (RFC 5869, 2.3).
        hmac.update(&[1]);
        let key = Zeroizing::new(<[u8; 32]>::from(hmac.finalize().into_bytes()));
        IndexKey {
            key: Keyed::new(&key),
            version: self.version,
            bits,
        }
    }
}

impl IndexKey {
    /// version u16 ‖ trunc(HMAC-SHA256(key, lp32(normaliser) ‖ lp32(normalised value)))
    pub(super) fn value(&self, normaliser: &str, normalised: &[u8]) -> IndexValue {
        let mut hmac = self.key.begin();
        update_lp32(&mut hmac, normaliser.as_bytes());
        update_lp32(&mut hmac, normalised);
        let tag = hmac.finalize().into_bytes();

        let whole = usize::from(self.bits.div_ceil(8)).min(tag.len());
        let mut value = IndexValue::new(self.version, &tag[..whole]);
        if let (Some(last), unused @ 1..) = (value.last_mut(), (8 - self.bits % 8) % 8) {
            *last &= 0xff << unused;
        }
        value
    }
}

impl fmt::Debug for IndexRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexRoot")
            .field("version", &self.version.value())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexKey")
            .field("version", &self.version.value())
            .finish_non_exhaustive()
    }
}

const LABEL: &[u8] = b"portcullis/index/v1\0";

fn update_lp32(hmac: &mut Hmac<Sha256>, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("nothing of 4 GiB is indexed");
    hmac.update(&length.to_be_bytes());
    hmac.update(part);
}
