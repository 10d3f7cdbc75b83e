//! What a record holds instead of the secret, and what authenticates the record.

use std::fmt;

use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::{
    key::ApiKey,
    kid::Kid,
    mac::{Mac, MacKey},
    pepper::{Pepper, PepperVersion, Peppers},
    store::KeyRecord,
    tenant::TenantId,
};

/// HMAC-SHA-256 of a key's secret, kid and tenant under a pepper.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of this key as a key of this tenant.
    pub(crate) fn derive(pepper: &Pepper, tenant: &TenantId, key: &ApiKey) -> Self {
        Self::complete(begin(pepper, key.kid(), tenant), key)
    }

    fn complete(mut mac: Mac, key: &ApiKey) -> Self {
        // EXPOSE: hashing is what the secret is for.
        mac.bytes(key.secret());
        Self(mac.finish())
    }

    /// From the bytes a store kept.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// All of the message but the secret.
fn begin(pepper: &Pepper, kid: &Kid, tenant: &TenantId) -> Mac {
    let mut mac = pepper.hash.begin();
    mac.label(b"portcullis/apikey/v1");
    mac.sized(kid.as_bytes());
    mac.sized(tenant.as_str().as_bytes());
    mac
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyHash").finish_non_exhaustive()
    }
}

/// HMAC-SHA-256 over every field of a record that grants authority.
#[derive(Clone, Copy)]
pub struct RowMac([u8; 32]);

impl RowMac {
    fn derive(pepper: &Pepper, hash: &KeyHash, record: &KeyRecord) -> Self {
        let mut mac = pepper.row.begin();
        mac.label(b"portcullis/apikey-row/v1");
        mac.sized(record.kid.as_bytes());
        mac.sized(record.tenant.as_str().as_bytes());
        mac.sized(record.tier.as_str().as_bytes());
        mac.sized(record.scopes.as_str().as_bytes());
        for date in [record.not_before, record.expires_at] {
            match date {
                None => mac.bytes(&[0]),
                Some(date) => {
                    mac.bytes(&[1]);
                    mac.bytes(&date.value().to_be_bytes());
                }
            }
        }
        mac.bytes(&record.version.value().to_be_bytes());
        mac.bytes(&pepper.version.value().to_be_bytes());
        mac.bytes(hash.as_bytes());
        Self(mac.finish())
    }

    /// From the bytes a store kept.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RowMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RowMac").finish_non_exhaustive()
    }
}

/// What an active record is checked with: the hash of its key and the MAC of the row, both under
/// one version of the pepper.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a store writes and builds every column"
)]
pub struct Verifier {
    /// The pepper of both values.
    pub pepper: PepperVersion,
    /// Tells whether a secret is that of the key.
    pub hash: KeyHash,
    /// Tells whether the row is as this crate wrote it.
    pub row_mac: RowMac,
}

impl Verifier {
    /// The verifier of a record for its key, under this pepper; what the record has so far as a
    /// verifier makes no difference.
    pub(crate) fn derive(pepper: &Pepper, record: &KeyRecord, key: &ApiKey) -> Self {
        let hash = KeyHash::derive(pepper, &record.tenant, key);
        let row_mac = RowMac::derive(pepper, &hash, record);
        Self {
            pepper: pepper.version,
            hash,
            row_mac,
        }
    }

    /// How secrets are checked, if the record is as it was written.
    pub(crate) fn authenticate(
        &self,
        record: &KeyRecord,
        peppers: &Peppers,
    ) -> Result<SecretCheck, RowFault> {
        let pepper = peppers.find(self.pepper).ok_or(RowFault::UnknownPepper)?;
        let expected = RowMac::derive(pepper, &self.hash, record);
        if expected.0.ct_eq(&self.row_mac.0).into() {
            Ok(SecretCheck {
                begun: begin(pepper, &record.kid, &record.tenant).keep(),
                hash: self.hash,
            })
        } else {
            Err(RowFault::Mac)
        }
    }

    /// The verifier of the record for the same key once it is changed, if the record is as it was written:
    /// otherwise a row that somebody altered would be vouched for.
    pub(crate) fn renew(
        &self,
        record: &KeyRecord,
        changed: &KeyRecord,
        peppers: &Peppers,
    ) -> Result<Self, RowFault> {
        self.authenticate(record, peppers)?;
        let pepper = peppers.find(self.pepper).ok_or(RowFault::UnknownPepper)?;
        let row_mac = RowMac::derive(pepper, &self.hash, changed);
        Ok(Self { row_mac, ..*self })
    }
}

/// Tells whether a secret is that of one key. What every request with the key would hash again is
/// hashed once: of four blocks one, where the tenant's id is a UUID.
pub(crate) struct SecretCheck {
    begun: MacKey,
    hash: KeyHash,
}

impl SecretCheck {
    /// Takes as much work as any other, and no key passes: it would have to hash to zeros.
    pub(crate) fn of_nobody(peppers: &Peppers) -> Self {
        let mut begun = peppers.primary().hash.begin();
        begun.label(b"portcullis/apikey-nobody/v1");
        Self {
            begun: begun.keep(),
            hash: KeyHash([0; 32]),
        }
    }

    pub(crate) fn accepts(&self, key: &ApiKey) -> bool {
        KeyHash::complete(self.begun.begin(), key).is(&self.hash)
    }
}

/// Why a row is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RowFault {
    /// The row names a pepper version that this process has not.
    #[error("the row's pepper version is not configured; add that pepper, or issue a new key")]
    UnknownPepper,
    /// The row was changed, or written under other bytes for the same pepper version.
    #[error("the row's MAC does not fit; it was altered, or written under a different pepper")]
    Mac,
    /// A column holds what no row has.
    #[error("a column of the row cannot be read; revoke the key and issue a new one")]
    Unreadable,
}

#[cfg(test)]
mod tests;
