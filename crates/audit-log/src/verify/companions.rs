//! What lies beside the log.

use std::fmt;

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

    /// The first leaf that is acknowledged, in no bundle yet, and not kept elsewhere as it was written. It is asked once,
    /// at the end.
    ///
    /// # Errors
    /// [`SourceError`] if nobody can tell.
    fn unbundled(&mut self) -> Result<Option<u64>, SourceError> {
        Ok(None)
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
