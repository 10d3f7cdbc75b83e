//! What Vault says of a key.

use std::time::{Duration, SystemTime};

use portcullis_versioned_secrets::{SecretVersion, vault::VaultData};
use secrecy::ExposeSecret as _;

use super::{KeyName, VaultKeyError};

/// A key of the transit engine that can be a key-encryption key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransitKey {
    latest_version: SecretVersion,
    min_decryption_version: SecretVersion,
    deletion_allowed: bool,
    latest_since: Option<SystemTime>,
}

impl TransitKey {
    /// The version that wraps.
    #[must_use]
    pub const fn latest_version(self) -> SecretVersion {
        self.latest_version
    }

    /// Since when there is the version that wraps; none if Vault does not say so.
    #[must_use]
    pub const fn latest_since(self) -> Option<SystemTime> {
        self.latest_since
    }

    /// The earliest version that unwraps.
    #[must_use]
    pub const fn min_decryption_version(self) -> SecretVersion {
        self.min_decryption_version
    }

    /// Whether Vault would delete the key, and with it everything that is sealed under its data keys.
    #[must_use]
    pub const fn deletion_allowed(self) -> bool {
        self.deletion_allowed
    }

    /// A property that Vault does not name counts as the worse.
    pub(super) fn of(
        data: &VaultData,
        name: &KeyName,
        allows_exportable: bool,
    ) -> Result<Self, VaultKeyError> {
        let refuse = |error: fn(String) -> VaultKeyError| Err(error(name.to_string()));
        // EXPOSE: the name of a type.
        let kind = data.text("type").map(|kind| kind.expose_secret());
        if !kind.is_some_and(|kind| TYPES.contains(&kind)) {
            return refuse(VaultKeyError::Unsuitable);
        }
        let is = |property| data.flag(property) == Some(true);
        let is_not = |property| data.flag(property) == Some(false);
        if !is("derived") {
            return refuse(VaultKeyError::NotDerived);
        }
        if !is_not("convergent_encryption") {
            return refuse(VaultKeyError::Convergent);
        }
        let stays = is_not("exportable") && is_not("allow_plaintext_backup");
        if !stays && !allows_exportable {
            return refuse(VaultKeyError::Exportable);
        }
        let version = |name| {
            let version = u32::try_from(data.number(name)?).ok()?;
            SecretVersion::try_from(version).ok()
        };
        let versions = (version("latest_version"), version("min_decryption_version"));
        let (Some(latest_version), Some(min_decryption_version)) = versions else {
            return Err(VaultKeyError::Answer);
        };
        // Of a symmetric key: when each version was made, in seconds since 1970.
        let made = data.object("keys");
        let made = made.and_then(|made| made.number(&latest_version.value().to_string()));
        let since_epoch = made.map(Duration::from_secs);
        Ok(Self {
            latest_since: since_epoch.and_then(|it| SystemTime::UNIX_EPOCH.checked_add(it)),
            latest_version,
            min_decryption_version,
            deletion_allowed: is("deletion_allowed"),
        })
    }
}

/// Those that derive, with keys of 256 bits.
const TYPES: &[&str] = &["aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"];
