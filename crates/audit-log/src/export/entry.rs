//! A leaf with its bytes.

use crate::event::{Leaf, LeafError};

/// A leaf as it was read, and as it is written: what is exported from what it says, and what is handed on as it is.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    bytes: &'a [u8],
    leaf: Leaf<'a>,
}

impl<'a> Entry<'a> {
    /// Reads a leaf.
    ///
    /// # Errors
    /// [`LeafError`] names the byte where it stops to be one.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LeafError> {
        let leaf = Leaf::parse(bytes)?;
        Ok(Self { bytes, leaf })
    }

    /// The bytes that are hashed: JSON, in ASCII.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What they say.
    #[must_use]
    pub const fn leaf(&self) -> &Leaf<'a> {
        &self.leaf
    }
}
