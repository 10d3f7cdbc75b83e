//! The secrets that blind indexes are keyed with.

use std::{collections::BTreeMap, fmt, num::NonZeroU16, sync::Arc};

use portcullis_keyring::{
    check_value,
    secrets::{CheckValue, SecretVersion, VersionedSecrets},
};
use secrecy::SecretBox;

use super::{IndexState, IndexVersion, key::IndexRoot};

/// The secrets that blind indexes are keyed with, in one or several live versions. Cheap to clone;
/// the bytes are wiped when the last clone is dropped.
#[derive(Clone)]
pub struct IndexRoots {
    // The live ones, the enforced version first.
    roots: Arc<[IndexRoot]>,
    // All, for what was stored under a version that is not live any more.
    configured: Arc<[IndexRoot]>,
    secrets: VersionedSecrets,
}

/// A version of the index root is 0, or does not fit into a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("index root version {0} is out of range: number index roots from 1 to 65535")]
pub struct IndexVersionOutOfRange(u32);

/// The version of an index root is not configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("version {0} of the index root is not configured: add it")]
pub struct UnknownIndexVersion(IndexVersion);

impl IndexRoots {
    /// Takes every live version; unique lookups enforce the primary one.
    ///
    /// # Errors
    /// [`IndexVersionOutOfRange`] when a version is greater than 65,535.
    ///
    /// # Security
    /// The roots must be 32 uniformly random bytes, and no other secret of the service: with one of
    /// them, guesses can be tested against every fingerprint.
    pub fn new(secrets: VersionedSecrets) -> Result<Self, IndexVersionOutOfRange> {
        let root = |(version, root): (SecretVersion, &SecretBox<_>)| {
            Ok(IndexRoot::new(version.try_into()?, root))
        };
        let roots = secrets.primary_first().map(root);
        let roots: Arc<[IndexRoot]> = roots.collect::<Result<_, _>>()?;
        Ok(Self {
            configured: Arc::clone(&roots),
            roots,
            secrets,
        })
    }

    /// These roots, with the versions that are live in a state, of which it enforces one. Versions that
    /// are configured and not live are neither written nor looked up; what is stored of them is still
    /// compared ([`fingerprint_under`](Self::fingerprint_under)).
    ///
    /// # Errors
    /// [`UnknownIndexVersion`]: a live version is not configured, so that its values could not be written.
    pub fn in_state(&self, state: &IndexState) -> Result<Self, UnknownIndexVersion> {
        let live = state.live().into_iter();
        let roots = live.map(|version| self.root(version).cloned());
        let roots: Arc<[IndexRoot]> = roots.collect::<Result<_, _>>()?;
        Ok(Self {
            // Before the first row of the state is written, what is configured counts.
            roots: if roots.is_empty() {
                Arc::clone(&self.configured)
            } else {
                roots
            },
            configured: Arc::clone(&self.configured),
            secrets: self.secrets.clone(),
        })
    }

    /// The version that unique lookups enforce.
    #[must_use]
    pub fn enforced_version(&self) -> IndexVersion {
        self.enforced().version()
    }

    /// The check value of every version, label `portcullis/index/check/v1`.
    #[must_use]
    pub fn check_values(&self) -> BTreeMap<SecretVersion, CheckValue> {
        let check = |(version, root)| (version, check_value(root, CHECK_LABEL, version));
        self.secrets.iter().map(check).collect()
    }

    pub(super) fn enforced(&self) -> &IndexRoot {
        self.roots.first().expect("secrets have a primary version")
    }

    pub(super) fn enforced_first(&self) -> impl Iterator<Item = &IndexRoot> {
        self.roots.iter()
    }

    pub(super) fn configured(&self) -> impl Iterator<Item = &IndexRoot> {
        self.configured.iter()
    }

    pub(super) fn root(&self, version: IndexVersion) -> Result<&IndexRoot, UnknownIndexVersion> {
        let root = self
            .configured
            .iter()
            .find(|root| root.version() == version);
        root.ok_or(UnknownIndexVersion(version))
    }
}

impl UnknownIndexVersion {
    /// The version that is not configured.
    #[must_use]
    pub const fn version(self) -> IndexVersion {
        self.0
    }
}

impl fmt::Debug for IndexRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexRoots")
            .field("enforced", &self.enforced_version())
            .field("secrets", &self.secrets)
            .finish()
    }
}

impl TryFrom<u32> for IndexVersion {
    type Error = IndexVersionOutOfRange;

    fn try_from(version: u32) -> Result<Self, Self::Error> {
        let number = u16::try_from(version).ok().and_then(NonZeroU16::new);
        number.map(Self::new).ok_or(IndexVersionOutOfRange(version))
    }
}

impl TryFrom<SecretVersion> for IndexVersion {
    type Error = IndexVersionOutOfRange;

    fn try_from(version: SecretVersion) -> Result<Self, Self::Error> {
        version.value().try_into()
    }
}

const CHECK_LABEL: &str = "portcullis/index/check/v1";
