//! The number that tells one pepper from another, and why secrets cannot be peppers.

use std::{fmt, num::NonZeroU16};

use portcullis_versioned_secrets::SecretVersion;
use thiserror::Error;

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

/// Secrets that cannot be peppers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PepperError {
    /// The version is 0, or does not fit into the two bytes that kids and records have for it.
    #[error("pepper version {0} is out of range: number peppers from 1 to 65535")]
    VersionOutOfRange(u32),
    /// A version has a pepper, and a tag key that is not the one derived from it.
    #[error("the tag key of version {0} is not that of its pepper: remove it, the pepper suffices")]
    ForeignTagKey(PepperVersion),
    /// Two tag keys are given for one version.
    #[error("version {0} has two tag keys: keep one")]
    RepeatedTagKey(PepperVersion),
    /// Two versions have the same tag key, which two peppers never have.
    #[error("versions {0} and {1} have the same tag key: give each its own")]
    SameTagKey(PepperVersion, PepperVersion),
}
