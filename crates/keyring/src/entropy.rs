//! Random bytes, as a parameter.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};

/// Where random bytes come from.
///
/// # Contract
/// [`fill`](Entropy::fill) fills the whole slice with bytes nobody can predict, or fails; it never
/// leaves part of it as it was.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// [`EntropyError`] when the source has none to give.
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError>;
}

/// The source of random bytes failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no random bytes are available: check the random source of the operating system")]
#[non_exhaustive]
pub struct EntropyError;

impl EntropyError {
    /// The error, for implementations of [`Entropy`].
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Default for EntropyError {
    fn default() -> Self {
        Self::new()
    }
}

/// The random source of the operating system.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemEntropy;

impl SystemEntropy {
    /// The random source of the operating system.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        SystemRandom::new()
            .fill(out)
            .map_err(|_| EntropyError::new())
    }
}
