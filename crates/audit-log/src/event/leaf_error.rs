//! Where a leaf is not one.

/// Bytes that are no leaf of version 1: they begin to differ at `at`, where something else must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the leaf must have {expected} at byte {at}")]
#[non_exhaustive]
pub struct LeafError {
    /// The byte, from 0.
    pub at: usize,
    /// What must stand there.
    pub expected: &'static str,
}
