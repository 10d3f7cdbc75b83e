//! The secrets that key hashing depends on, by version.

use std::{collections::BTreeMap, fmt, num::NonZeroU16};

use portcullis_versioned_secrets::{CheckValue, SecretVersion, VersionedSecrets};
use ring::hkdf;
use secrecy::ExposeSecret as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::mac::MacKey;

/// The version of a pepper, chosen by the operator: a number from 1 to 65,535, since kids and records
/// hold it in two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PepperVersion(NonZeroU16);

impl PepperVersion {
    /// The version of this number.
    #[must_use]
    pub const fn new(version: NonZeroU16) -> Self {
        Self(version)
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0.get()
    }
}

impl TryFrom<u32> for PepperVersion {
    type Error = PepperError;

    fn try_from(version: u32) -> Result<Self, PepperError> {
        let number = u16::try_from(version).ok().and_then(NonZeroU16::new);
        number
            .map(Self)
            .ok_or(PepperError::VersionOutOfRange(version))
    }
}

impl TryFrom<SecretVersion> for PepperVersion {
    type Error = PepperError;

    fn try_from(version: SecretVersion) -> Result<Self, PepperError> {
        version.value().try_into()
    }
}

impl From<PepperVersion> for SecretVersion {
    fn from(version: PepperVersion) -> Self {
        Self::new(version.0.into())
    }
}

impl fmt::Display for PepperVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The peppers in use: one under which keys are hashed, and others that still verify.
///
/// A pepper is 32 random bytes that the database never holds: without it nobody who reads the
/// table can test a guess, and nobody who writes it can mint or widen a key.
///
/// # Security
///
/// The secrets passed in are wiped when their last clone is dropped, and so is what is derived from
/// them; what is left on the stack while that is done is not.
pub struct Peppers {
    /// The primary one first.
    peppers: Vec<Pepper>,
}

impl Peppers {
    /// Derives the keys of each version; new keys are hashed under the primary one.
    ///
    /// # Errors
    ///
    /// [`PepperError::VersionOutOfRange`] if a version is above 65,535.
    pub fn new(secrets: VersionedSecrets) -> Result<Self, PepperError> {
        let peppers = secrets.primary_first().map(|(version, secret)| {
            // EXPOSE: the keys of hashes, rows and kids are derived from it.
            Ok(Pepper::derive(version.try_into()?, secret.expose_secret()))
        });
        Ok(Self {
            peppers: peppers.collect::<Result<_, PepperError>>()?,
        })
    }

    /// A value for each version that shows whether a process has the same pepper as another.
    ///
    /// A service stores it when it first uses a version and compares it at every start, so that a
    /// wrong pepper is found before the first request. It is derived one-way and tells nothing
    /// about the pepper.
    #[must_use]
    pub fn check_values(&self) -> BTreeMap<SecretVersion, CheckValue> {
        self.peppers
            .iter()
            .map(|pepper| (pepper.version.into(), pepper.check))
            .collect()
    }

    /// The keys that authenticate notices on a bus, the primary one first.
    #[cfg(feature = "redis")]
    pub(crate) fn bus_keys(&self) -> Vec<(PepperVersion, MacKey)> {
        let keys = self.peppers.iter();
        keys.map(|pepper| (pepper.version, pepper.bus.begin().keep()))
            .collect()
    }

    pub(crate) fn primary(&self) -> &Pepper {
        &self.peppers[0]
    }

    pub(crate) fn find(&self, version: PepperVersion) -> Option<&Pepper> {
        self.peppers.iter().find(|pepper| pepper.version == version)
    }
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peppers")
            .field("primary", &self.primary().version)
            .finish_non_exhaustive()
    }
}

/// One pepper, as the keys derived from it.
pub(crate) struct Pepper {
    pub(crate) version: PepperVersion,
    /// Hashes the secrets of keys; the pepper itself.
    pub(crate) hash: MacKey,
    /// Authenticates rows.
    pub(crate) row: MacKey,
    /// Tags kids.
    pub(crate) kid_tag: MacKey,
    /// Authenticates notices on a bus.
    #[cfg(feature = "redis")]
    bus: MacKey,
    check: CheckValue,
}

impl Pepper {
    fn derive(version: PepperVersion, bytes: &[u8; 32]) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(bytes);
        let mut check = [0; CheckValue::BYTES];
        expand(&root, b"portcullis/apikey-check/v1", &mut check);
        let key = |label: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            expand(&root, label, key.as_mut());
            MacKey::new(&key)
        };
        Self {
            version,
            // EXPOSE: the pepper is the HMAC key of the stored hashes, by the format.
            hash: MacKey::new(bytes),
            row: key(b"portcullis/apikey-row/v1"),
            kid_tag: key(b"portcullis/kid/v1"),
            #[cfg(feature = "redis")]
            bus: key(b"portcullis/apikey-bus/v1"),
            check: CheckValue::from_bytes(check),
        }
    }
}

fn expand(root: &hkdf::Prk, label: &[u8], bytes: &mut [u8]) {
    root.expand(&[label], OfLen(bytes.len()))
        .and_then(|expanded| expanded.fill(bytes))
        .expect("the length is that of the bytes, and not above 255 blocks");
}

struct OfLen(usize);

impl hkdf::KeyType for OfLen {
    fn len(&self) -> usize {
        self.0
    }
}

/// Secrets that cannot be peppers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PepperError {
    /// The version is 0, or does not fit into the two bytes that kids and records have for it.
    #[error("pepper version {0} is out of range: number peppers from 1 to 65535")]
    VersionOutOfRange(u32),
}

#[cfg(test)]
pub(crate) mod tests {
    use secrecy::SecretBox;

    use super::*;

    /// The version of this number.
    pub(crate) fn version(number: u32) -> PepperVersion {
        number.try_into().unwrap()
    }

    /// Peppers of these versions, each of one repeated byte; the first is primary.
    pub(crate) fn peppers(secrets: &[(u32, u8)]) -> Result<Peppers, PepperError> {
        let pepper = |&(version, byte): &(u32, u8)| {
            let secret = SecretBox::new(Box::new([byte; 32]));
            (SecretVersion::try_from(version).unwrap(), secret)
        };
        let primary = SecretVersion::try_from(secrets[0].0).unwrap();
        Peppers::new(VersionedSecrets::new(primary, secrets.iter().map(pepper)).unwrap())
    }

    #[test]
    fn a_version_that_kids_cannot_hold_is_refused_by_number() {
        assert!(peppers(&[(1, 1), (65_535, 2)]).is_ok());
        let refused = peppers(&[(1, 1), (65_536, 2)]).map(drop).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "pepper version 65536 is out of range: number peppers from 1 to 65535"
        );
    }

    #[test]
    fn versions_are_numbers_from_1_to_65535() {
        for number in [1, 65_535] {
            let version = PepperVersion::try_from(number).unwrap();
            assert_eq!(u32::from(version.value()), number);
        }
        for number in [0, 65_536] {
            assert_eq!(
                PepperVersion::try_from(number),
                Err(PepperError::VersionOutOfRange(number))
            );
        }
    }

    #[test]
    fn keys_are_hashed_under_the_primary_version() {
        let peppers = peppers(&[(2, 2), (3, 3), (1, 1)]).unwrap();
        assert_eq!(peppers.primary().version, version(2));
        for version in 1..=3 {
            let version = self::version(version);
            assert_eq!(peppers.find(version).unwrap().version, version);
        }
        assert!(peppers.find(version(4)).is_none());
    }

    #[test]
    fn a_check_value_depends_on_the_pepper_alone() {
        let one = peppers(&[(1, 1), (2, 2)]).unwrap().check_values();
        let two = peppers(&[(7, 1), (2, 3)]).unwrap().check_values();
        let secret_version = |number| SecretVersion::from(version(number));
        assert_eq!(one[&secret_version(1)], two[&secret_version(7)]);
        assert_ne!(one[&secret_version(2)], two[&secret_version(2)]);
    }

    #[test]
    fn debug_shows_no_secret() {
        let peppers = peppers(&[(3, 0xAB)]).unwrap();
        assert_eq!(
            format!("{peppers:?}"),
            "Peppers { primary: PepperVersion(3), .. }"
        );
    }
}
