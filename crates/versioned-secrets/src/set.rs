//! Several versions of one secret, and which of them is primary.

use std::{collections::BTreeMap, fmt, iter, sync::Arc};

use secrecy::{ExposeSecret as _, SecretBox};
use subtle::ConstantTimeEq as _;

use crate::SecretVersion;

/// One secret in one or several versions: the primary one, with which something new is protected,
/// and earlier or later ones, which still open what they protected. All are different.
///
/// Cloning is cheap and copies no secret; the bytes are wiped when the last clone is dropped.
///
/// # Security
/// Each secret must be 32 uniformly random bytes, never a pass phrase. `Debug` shows versions
/// alone, and there is no equality of sets.
#[derive(Clone)]
pub struct VersionedSecrets {
    primary: SecretVersion,
    secrets: Arc<BTreeMap<SecretVersion, SecretBox<[u8; 32]>>>,
}

/// Secrets that do not make a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// The primary version is not among the secrets.
    #[error("the primary version {0} is not among the secrets: add it or choose another")]
    PrimaryMissing(SecretVersion),
    /// One version is given twice.
    #[error("version {0} is given twice: give each secret a version of its own")]
    RepeatedVersion(SecretVersion),
    /// Two versions are the same secret, so that moving from one to the other protects nothing.
    #[error("versions {0} and {1} are the same secret: make a new one for each version")]
    SameSecret(SecretVersion, SecretVersion),
}

impl VersionedSecrets {
    /// Takes every version in use and the one that protects what is new.
    ///
    /// # Errors
    /// [`SetError`] when the primary version is missing, a version is given twice, or two versions
    /// are the same secret. Secrets are compared in constant time.
    pub fn new(
        primary: SecretVersion,
        secrets: impl IntoIterator<Item = (SecretVersion, SecretBox<[u8; 32]>)>,
    ) -> Result<Self, SetError> {
        let mut known = BTreeMap::new();
        for (version, secret) in secrets {
            if known.contains_key(&version) {
                return Err(SetError::RepeatedVersion(version));
            }
            if let Some(other) = find_same(&known, &secret) {
                return Err(SetError::SameSecret(other, version));
            }
            known.insert(version, secret);
        }
        if !known.contains_key(&primary) {
            return Err(SetError::PrimaryMissing(primary));
        }
        Ok(Self::of_distinct(primary, known))
    }

    /// Secrets that are known to differ, the primary one among them.
    pub(crate) fn of_distinct(
        primary: SecretVersion,
        secrets: BTreeMap<SecretVersion, SecretBox<[u8; 32]>>,
    ) -> Self {
        Self {
            primary,
            secrets: Arc::new(secrets),
        }
    }

    /// A set of one secret, under version 1.
    #[must_use]
    pub fn single(secret: SecretBox<[u8; 32]>) -> Self {
        let first = SecretVersion::FIRST;
        Self::of_distinct(first, BTreeMap::from([(first, secret)]))
    }

    /// The primary version.
    #[must_use]
    pub const fn primary_version(&self) -> SecretVersion {
        self.primary
    }

    /// The primary secret.
    #[must_use]
    pub fn primary(&self) -> &SecretBox<[u8; 32]> {
        &self.secrets[&self.primary]
    }

    /// The secret of one version.
    #[must_use]
    pub fn secret(&self, version: SecretVersion) -> Option<&SecretBox<[u8; 32]>> {
        self.secrets.get(&version)
    }

    /// Every version, ascending.
    pub fn versions(&self) -> impl Iterator<Item = SecretVersion> {
        self.secrets.keys().copied()
    }

    /// Every version with its secret, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (SecretVersion, &SecretBox<[u8; 32]>)> {
        self.secrets
            .iter()
            .map(|(version, secret)| (*version, secret))
    }

    /// Every version with its secret, the primary one first and the others ascending.
    pub fn primary_first(&self) -> impl Iterator<Item = (SecretVersion, &SecretBox<[u8; 32]>)> {
        let others = self.iter().filter(|(version, _)| *version != self.primary);
        iter::once((self.primary, self.primary())).chain(others)
    }
}

impl fmt::Debug for VersionedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<u32> = self.versions().map(SecretVersion::value).collect();
        f.debug_struct("VersionedSecrets")
            .field("primary", &self.primary.value())
            .field("versions", &versions)
            .finish_non_exhaustive()
    }
}

/// The version under which the same secret is known already.
pub(crate) fn find_same(
    known: &BTreeMap<SecretVersion, SecretBox<[u8; 32]>>,
    secret: &SecretBox<[u8; 32]>,
) -> Option<SecretVersion> {
    let is_same = |other: &SecretBox<[u8; 32]>| -> bool {
        // EXPOSE: compared in constant time, to refuse equal secrets.
        let (one, other) = (secret.expose_secret(), other.expose_secret());
        one.as_slice().ct_eq(other.as_slice()).into()
    };
    let same = known.iter().find(|(_, other)| is_same(other));
    same.map(|(version, _)| *version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: u32) -> SecretVersion {
        number.try_into().unwrap()
    }

    fn secret(number: u32, byte: u8) -> (SecretVersion, SecretBox<[u8; 32]>) {
        (version(number), SecretBox::new(Box::new([byte; 32])))
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = |primary: u32, secrets: Vec<_>| {
            VersionedSecrets::new(version(primary), secrets)
                .map(drop)
                .unwrap_err()
        };
        assert_eq!(refused(1, vec![]), SetError::PrimaryMissing(version(1)));
        assert_eq!(
            refused(2, vec![secret(1, 1)]),
            SetError::PrimaryMissing(version(2))
        );
        assert_eq!(
            refused(1, vec![secret(1, 1), secret(1, 2)]),
            SetError::RepeatedVersion(version(1))
        );
        assert_eq!(
            refused(1, vec![secret(1, 1), secret(2, 1)]),
            SetError::SameSecret(version(1), version(2))
        );
    }

    #[test]
    fn the_primary_version_comes_first_and_the_others_ascend() {
        let set =
            VersionedSecrets::new(version(2), [secret(3, 3), secret(1, 1), secret(2, 2)]).unwrap();
        let first: Vec<u32> = set.primary_first().map(|(v, _)| v.value()).collect();
        assert_eq!(first, [2, 1, 3]);
        let ascending: Vec<u32> = set.versions().map(SecretVersion::value).collect();
        assert_eq!(ascending, [1, 2, 3]);
        assert_eq!(set.primary().expose_secret(), &[2; 32]);
        assert_eq!(set.secret(version(3)).unwrap().expose_secret(), &[3; 32]);
        assert!(set.secret(version(4)).is_none());
    }

    #[test]
    fn debug_shows_versions_alone() {
        let set = VersionedSecrets::new(version(7), [secret(7, 0xAB)]).unwrap();
        assert_eq!(
            format!("{set:?}"),
            "VersionedSecrets { primary: 7, versions: [7], .. }"
        );
    }
}
