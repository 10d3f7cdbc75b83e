//! What is kept with a data key.

#[cfg(feature = "aws-lc-rs")]
use std::sync::OnceLock;

use portcullis_keyring::{DerivedKeys, PreparedKey};

#[cfg(feature = "aws-lc-rs")]
use super::aead::AwsLc;
use super::{
    aead::{AeadKey, Ring},
    epoch::KeySubkeys,
};

/// What is derived from one data key, for each library.
#[derive(Debug, Default)]
pub(super) struct Derived {
    ring: KeySubkeys<Ring>,
    #[cfg(feature = "aws-lc-rs")]
    // Few processes use both libraries: it takes its memory once it is used.
    aws_lc: OnceLock<Box<KeySubkeys<AwsLc>>>,
}

impl DerivedKeys for Derived {
    fn clear(&self) {
        self.ring.clear();
        #[cfg(feature = "aws-lc-rs")]
        if let Some(aws_lc) = self.aws_lc.get() {
            aws_lc.clear();
        }
    }
}

/// A library whose subkeys are kept.
pub(super) trait Library: AeadKey {
    fn of(derived: &Derived) -> &KeySubkeys<Self>;

    /// The subkeys of a key; they die with it.
    #[inline]
    fn subkeys(key: &PreparedKey) -> &KeySubkeys<Self> {
        Self::of(key.derived(|_| Derived::default()))
    }
}

impl Library for Ring {
    #[inline]
    fn of(derived: &Derived) -> &KeySubkeys<Self> {
        &derived.ring
    }
}

#[cfg(feature = "aws-lc-rs")]
impl Library for AwsLc {
    #[inline]
    fn of(derived: &Derived) -> &KeySubkeys<Self> {
        derived.aws_lc.get_or_init(Box::default)
    }
}
