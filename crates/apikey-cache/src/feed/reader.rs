//! Who reads a feed, and how far.

use std::fmt;

use super::FeedSeq;
use crate::store::UnixMillis;

/// One cache that reads a feed: 16 random bytes, made when it begins to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReaderId([u8; 16]);

impl ReaderId {
    /// From the bytes a store kept.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for ReaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReaderId({:032x})", u128::from_be_bytes(self.0))
    }
}

/// That a cache reads a feed, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a feed writes and builds every column"
)]
pub struct Reader {
    /// Which cache.
    pub id: ReaderId,
    /// It has applied every change up to this one.
    pub applied: FeedSeq,
    /// When it said so, by its own clock.
    pub at: UnixMillis,
}
