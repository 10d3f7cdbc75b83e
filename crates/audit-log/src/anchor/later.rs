//! An anchor never goes back.

use std::cmp::Ordering;

use crate::{audit::order_of, checkpoint::Checkpoint, note::SignedNote};

/// An anchor keeps a later checkpoint of the log than it was given, or another one of that size.
///
/// In an [`AnchorError`](super::AnchorError) it tells the log to ask what that is: of several processes that share a
/// log, another may have been there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the anchor keeps a later checkpoint, or another one of that size")]
#[non_exhaustive]
pub struct KeepsLater;

impl KeepsLater {
    /// Whether an anchor that keeps `kept` may keep `checkpoint` in its place: it is of the same log and no smaller, of
    /// one that follows after an accepted rollback, or of an origin that has nothing to do with it. Signatures are not
    /// looked at.
    ///
    /// # Errors
    /// [`KeepsLater`] if it may not.
    pub fn check(kept: &SignedNote, checkpoint: &SignedNote) -> Result<(), Self> {
        let [kept, checkpoint] =
            [kept, checkpoint].map(|note| Checkpoint::parse(note.unverified_text()));
        let (Ok(kept), Ok(checkpoint)) = (kept, checkpoint) else {
            // What is no checkpoint is no word of any log.
            return Ok(());
        };
        let is_later = match order_of(kept.origin(), checkpoint.origin()) {
            None | Some(Ordering::Less) => false,
            Some(Ordering::Greater) => true,
            Some(Ordering::Equal) if kept.size() == checkpoint.size() => {
                kept.root() != checkpoint.root()
            }
            Some(Ordering::Equal) => kept.size() > checkpoint.size(),
        };
        if is_later { Err(Self) } else { Ok(()) }
    }
}
