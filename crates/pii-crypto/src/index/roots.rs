use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use portcullis_keyring::CheckValue;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::IndexVersion;

/// The secrets that blind indexes are keyed with, in one or several live versions. Cheap to clone;
/// the bytes are wiped when the last clone is dropped.
#[derive(Clone)]
pub struct IndexRoots {
    enforced: IndexVersion,
    roots: Arc<BTreeMap<IndexVersion, Zeroizing<[u8; 32]>>>,
}

/// Why a set of index roots was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexRootsError {
    /// The enforced version is not among the roots.
    #[error("the enforced version {0} is not among the index roots")]
    EnforcedMissing(IndexVersion),
    /// One version is given twice.
    #[error("version {0} of the index root is given twice")]
    VersionTwice(IndexVersion),
    /// Two versions are the same secret, so that moving from one to the other would protect
    /// nothing.
    #[error("versions {0} and {1} of the index root are the same secret")]
    SameSecret(IndexVersion, IndexVersion),
}

/// The version of an index root is not configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("version {0} of the index root is not configured: add it")]
pub struct UnknownIndexVersion(IndexVersion);

impl IndexRoots {
    /// Takes every live version, and the one that unique lookups enforce.
    ///
    /// # Errors
    /// [`IndexRootsError`] when the enforced version is missing, a version is given twice, or two
    /// versions are the same secret.
    ///
    /// # Security
    /// The roots must be 32 uniformly random bytes, and no other secret of the service: whoever has
    /// one can test guesses against every fingerprint.
    pub fn new(
        enforced: IndexVersion,
        roots: impl IntoIterator<Item = (IndexVersion, Zeroizing<[u8; 32]>)>,
    ) -> Result<Self, IndexRootsError> {
        let mut known: BTreeMap<IndexVersion, Zeroizing<[u8; 32]>> = BTreeMap::new();
        for (version, root) in roots {
            if known.contains_key(&version) {
                return Err(IndexRootsError::VersionTwice(version));
            }
            // EXPOSE: the secrets are compared, in constant time, to refuse equal ones.
            let same = known
                .iter()
                .find(|(_, other)| other.as_slice().ct_eq(root.as_slice()).into());
            if let Some((other, _)) = same {
                return Err(IndexRootsError::SameSecret(*other, version));
            }
            known.insert(version, root);
        }
        if !known.contains_key(&enforced) {
            return Err(IndexRootsError::EnforcedMissing(enforced));
        }
        Ok(Self {
            enforced,
            roots: Arc::new(known),
        })
    }

    /// The version that unique lookups enforce.
    #[must_use]
    pub const fn enforced_version(&self) -> IndexVersion {
        self.enforced
    }

    /// The check value of every version, label `portcullis/index/check/v1`.
    #[must_use]
    pub fn check_values(&self) -> BTreeMap<IndexVersion, CheckValue> {
        // EXPOSE: a one-way derivation, with a label that derives nothing else.
        let check = |(version, root): (&IndexVersion, &Zeroizing<[u8; 32]>)| {
            (
                *version,
                CheckValue::derive(root, CHECK_LABEL, version.value().into()),
            )
        };
        self.roots.iter().map(check).collect()
    }

    pub(super) fn enforced(&self) -> (IndexVersion, &Zeroizing<[u8; 32]>) {
        (self.enforced, &self.roots[&self.enforced])
    }

    pub(super) fn enforced_first(
        &self,
    ) -> impl Iterator<Item = (IndexVersion, &Zeroizing<[u8; 32]>)> {
        let others = self
            .roots
            .iter()
            .filter(|(version, _)| **version != self.enforced);
        std::iter::once(self.enforced()).chain(others.map(|(version, root)| (*version, root)))
    }

    pub(super) fn root(
        &self,
        version: IndexVersion,
    ) -> Result<&Zeroizing<[u8; 32]>, UnknownIndexVersion> {
        self.roots.get(&version).ok_or(UnknownIndexVersion(version))
    }
}

impl fmt::Debug for IndexRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<_> = self.roots.keys().map(|version| version.value()).collect();
        f.debug_struct("IndexRoots")
            .field("enforced", &self.enforced.value())
            .field("versions", &versions)
            .finish_non_exhaustive()
    }
}

const CHECK_LABEL: &str = "portcullis/index/check/v1";
