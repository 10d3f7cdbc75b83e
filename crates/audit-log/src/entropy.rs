//! Randomness as a parameter.

use std::fmt::Debug;

use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

/// A source of unpredictable bytes.
///
/// # Contract
///
/// Every byte is uniform and unpredictable: ids and salts are made from it.
pub trait Entropy: Debug + Send + Sync {
    /// Fills the buffer.
    ///
    /// # Errors
    ///
    /// If the source has nothing to give; the buffer is then not to be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The source of randomness failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the source of randomness failed; check the operating system's generator")]
#[non_exhaustive]
pub struct EntropyError;

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemEntropy;

impl SystemEntropy {
    /// The generator of this machine.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        SystemRandom::new().fill(bytes).map_err(|_| EntropyError)
    }
}
