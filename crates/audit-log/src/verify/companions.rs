//! What lies beside the log.

use std::{fmt, ops::Range};

use crate::{
    event::{Leaf, Personal},
    source::SourceError,
};

/// What is kept of leaves outside of the log, and is to say the same: their personal parts, and rows of an index.
///
/// It is asked once for each leaf that the log has signed, in their order. Who verifies at leisure may wait in it.
pub trait Companions: fmt::Debug {
    /// The personal part of a leaf that commits to one, as it was before it was sealed; `None` if it was erased, or
    /// nobody here can open it. Whether it is the right one is not its business.
    ///
    /// # Errors
    /// [`SourceError`] if nobody can tell.
    fn personal(&mut self, leaf: &Leaf<'_>) -> Result<Option<Personal>, SourceError> {
        let _ = leaf;
        Ok(None)
    }

    /// The leaves that each journal had which somebody has damaged, while it was written to. It is asked once, at the
    /// end.
    ///
    /// # Errors
    /// [`SourceError`] if nobody can tell.
    fn damages(&mut self) -> Result<Vec<Range<u64>>, SourceError> {
        Ok(Vec::new())
    }

    /// Whether what else is kept of the leaf, as the row of an index, agrees with it.
    ///
    /// # Errors
    /// [`SourceError`] if nobody can tell.
    fn agrees(&mut self, leaf: &Leaf<'_>) -> Result<bool, SourceError> {
        let _ = leaf;
        Ok(true)
    }
}
