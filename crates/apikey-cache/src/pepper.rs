//! The secrets that key hashing depends on, by version.

use std::collections::BTreeMap;
use std::fmt;
use std::iter;

use ring::{hkdf, hmac};
use thiserror::Error;
use zeroize::Zeroizing;

/// The version of a pepper, chosen by the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PepperVersion(u16);

impl From<u16> for PepperVersion {
    fn from(version: u16) -> Self {
        Self(version)
    }
}

impl From<PepperVersion> for u16 {
    fn from(version: PepperVersion) -> Self {
        version.0
    }
}

impl fmt::Display for PepperVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The peppers in use: one under which keys are hashed, and older ones that still verify.
///
/// A pepper is 32 random bytes that the database never holds: without it nobody who reads the
/// table can test a guess, and nobody who writes it can mint or widen a key.
///
/// # Security
///
/// The bytes passed in are zeroized by their `Zeroizing`; the key schedules derived from them
/// are `ring`'s, which does not wipe them.
pub struct Peppers {
    primary: Pepper,
    others: Vec<Pepper>,
}

impl Peppers {
    /// Derives the keys of each version; new keys are hashed under `primary`.
    ///
    /// # Errors
    ///
    /// If `primary` is not among the versions, a version is given twice, or two versions have the
    /// same bytes.
    pub fn new(
        primary: PepperVersion,
        peppers: impl IntoIterator<Item = (PepperVersion, Zeroizing<[u8; 32]>)>,
    ) -> Result<Self, PepperError> {
        let mut derived: Vec<Pepper> = Vec::new();
        for (version, bytes) in peppers {
            let pepper = Pepper::derive(version, &bytes);
            if derived.iter().any(|other| other.version == version) {
                return Err(PepperError::RepeatedVersion);
            }
            if derived.iter().any(|other| other.check == pepper.check) {
                return Err(PepperError::RepeatedBytes);
            }
            derived.push(pepper);
        }
        let at = derived.iter().position(|pepper| pepper.version == primary);
        let primary = derived.swap_remove(at.ok_or(PepperError::NoPrimary)?);
        Ok(Self {
            primary,
            others: derived,
        })
    }

    /// A value for each version that shows whether a process has the same pepper as another.
    ///
    /// A service stores it when it first uses a version and compares it at every start, so that a
    /// wrong pepper is found before the first request. It is derived one-way and tells nothing
    /// about the pepper.
    #[must_use]
    pub fn check_values(&self) -> BTreeMap<PepperVersion, CheckValue> {
        self.iter()
            .map(|pepper| (pepper.version, pepper.check))
            .collect()
    }

    pub(crate) fn primary(&self) -> &Pepper {
        &self.primary
    }

    pub(crate) fn find(&self, version: PepperVersion) -> Option<&Pepper> {
        self.iter().find(|pepper| pepper.version == version)
    }

    fn iter(&self) -> impl Iterator<Item = &Pepper> {
        iter::once(&self.primary).chain(&self.others)
    }
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peppers")
            .field("primary", &self.primary.version)
            .finish_non_exhaustive()
    }
}

/// One pepper, as the keys derived from it.
pub(crate) struct Pepper {
    pub(crate) version: PepperVersion,
    /// Hashes the secrets of keys; the pepper itself.
    pub(crate) hash: hmac::Key,
    /// Authenticates rows.
    pub(crate) row: hmac::Key,
    /// Tags kids.
    pub(crate) kid_tag: hmac::Key,
    check: CheckValue,
}

impl Pepper {
    fn derive(version: PepperVersion, bytes: &[u8; 32]) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(bytes);
        let mut check = CheckValue([0; CHECK_LEN]);
        expand(&root, &[b"portcullis/apikey-check/v1"], CheckLen)
            .fill(&mut check.0)
            .expect("the length asked for is the length of the array");
        Self {
            version,
            // EXPOSE: the pepper is the HMAC key of the stored hashes, by the format.
            hash: hmac::Key::new(hmac::HMAC_SHA256, bytes),
            row: expand(&root, &[b"portcullis/apikey-row/v1"], hmac::HMAC_SHA256).into(),
            kid_tag: expand(&root, &[b"portcullis/kid/v1"], hmac::HMAC_SHA256).into(),
            check,
        }
    }
}

fn expand<'a, L: hkdf::KeyType>(
    root: &'a hkdf::Prk,
    label: &'a [&'a [u8]],
    len: L,
) -> hkdf::Okm<'a, L> {
    root.expand(label, len)
        .expect("no length asked for here is above 255 blocks")
}

const CHECK_LEN: usize = 16;

struct CheckLen;

impl hkdf::KeyType for CheckLen {
    fn len(&self) -> usize {
        CHECK_LEN
    }
}

/// 16 bytes derived one-way from a pepper: equal if, and only if, the peppers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckValue([u8; CHECK_LEN]);

impl CheckValue {
    /// The bytes, to be stored and compared.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Peppers that cannot be used together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PepperError {
    /// The primary version is missing.
    #[error("the primary pepper version is not among the peppers; add it or choose another")]
    NoPrimary,
    /// One version has two peppers.
    #[error("a pepper version is given twice; give each pepper its own")]
    RepeatedVersion,
    /// Two versions have one pepper.
    #[error("two pepper versions have the same bytes; make a new pepper for each version")]
    RepeatedBytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pepper(version: u16, byte: u8) -> (PepperVersion, Zeroizing<[u8; 32]>) {
        (version.into(), Zeroizing::new([byte; 32]))
    }

    #[test]
    fn peppers_that_contradict_each_other_are_refused() {
        let refused = |primary: u16, peppers: Vec<_>| {
            Peppers::new(primary.into(), peppers).map(drop).unwrap_err()
        };
        assert_eq!(refused(1, vec![]), PepperError::NoPrimary);
        assert_eq!(refused(2, vec![pepper(1, 1)]), PepperError::NoPrimary);
        assert_eq!(
            refused(1, vec![pepper(1, 1), pepper(1, 2)]),
            PepperError::RepeatedVersion
        );
        assert_eq!(
            refused(1, vec![pepper(1, 1), pepper(2, 1)]),
            PepperError::RepeatedBytes
        );
    }

    #[test]
    fn a_check_value_depends_on_the_pepper_alone() {
        let one = Peppers::new(1.into(), [pepper(1, 1), pepper(2, 2)])
            .unwrap()
            .check_values();
        let two = Peppers::new(7.into(), [pepper(7, 1), pepper(2, 3)])
            .unwrap()
            .check_values();
        assert_eq!(one[&1.into()], two[&7.into()]);
        assert_ne!(one[&2.into()], two[&2.into()]);
    }

    #[test]
    fn debug_shows_no_secret() {
        let peppers = Peppers::new(3.into(), [pepper(3, 0xAB)]).unwrap();
        assert_eq!(
            format!("{peppers:?}"),
            "Peppers { primary: PepperVersion(3), .. }"
        );
    }
}
