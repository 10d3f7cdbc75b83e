//! The key of one index.

use std::fmt;

use portcullis_keyring::TenantId;
use ring::{hkdf, hmac};
use secrecy::{ExposeSecret as _, SecretBox};

use super::{IndexValue, IndexVersion};

/// The HMAC-SHA-256 key of one index: one tenant, field, index name, version and length.
pub(super) struct IndexKey {
    key: hmac::Key,
    version: IndexVersion,
    bits: u16,
}

impl IndexKey {
    /// HKDF-Expand-SHA256(root, "portcullis/index/v1" ‖ 00 ‖ lp32(tenant) ‖ lp32(field) ‖
    /// lp32(index) ‖ version u16 ‖ bits u16, 32)
    pub(super) fn derive(
        root: &SecretBox<[u8; 32]>,
        tenant: &TenantId,
        field: &str,
        index: &str,
        version: IndexVersion,
        bits: u16,
    ) -> Self {
        let [tenant, field, index] = [tenant.as_str(), field, index].map(str::as_bytes);
        let info: [&[u8]; 9] = [
            LABEL,
            &length(tenant),
            tenant,
            &length(field),
            field,
            &length(index),
            index,
            &version.value().to_be_bytes(),
            &bits.to_be_bytes(),
        ];
        // EXPOSE: the one derivation that roots are for.
        let key = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, root.expose_secret())
            .expand(&info, hmac::HMAC_SHA256)
            .expect("32 bytes are within the limit of HKDF")
            .into();
        Self { key, version, bits }
    }

    /// version u16 ‖ trunc(HMAC-SHA256(key, lp32(normaliser) ‖ lp32(normalised value)))
    pub(super) fn value(&self, normaliser: &str, normalised: &[u8]) -> IndexValue {
        let mut hmac = hmac::Context::with_key(&self.key);
        for part in [normaliser.as_bytes(), normalised] {
            hmac.update(&length(part));
            hmac.update(part);
        }
        let tag = hmac.sign();

        let whole = usize::from(self.bits.div_ceil(8)).min(tag.as_ref().len());
        let mut bytes = Vec::with_capacity(2 + whole);
        bytes.extend_from_slice(&self.version.value().to_be_bytes());
        bytes.extend_from_slice(&tag.as_ref()[..whole]);
        if let (Some(last), unused @ 1..) = (bytes.last_mut(), (8 - self.bits % 8) % 8) {
            *last &= 0xff << unused;
        }
        IndexValue {
            version: self.version,
            bytes,
        }
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

/// The length prefix of lp32.
fn length(part: &[u8]) -> [u8; 4] {
    u32::try_from(part.len())
        .expect("nothing of 4 GiB is indexed")
        .to_be_bytes()
}
