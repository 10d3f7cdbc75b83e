//! Who else keeps checkpoints, so that somebody with the log and its key cannot rewrite what is older.

#[cfg(feature = "archive")]
mod archive;
mod file;
mod later;
#[cfg(feature = "export")]
mod witness;

use std::{error::Error, fmt};

use async_trait::async_trait;

use crate::note::{NoteSignature, SignedNote};

#[cfg(feature = "archive")]
pub use self::archive::ArchiveAnchor;
#[cfg(feature = "export")]
pub use self::witness::{WitnessAnchor, WitnessConnection, WitnessError};
pub use self::{file::FileAnchor, later::KeepsLater};

/// A place outside the log that keeps its latest checkpoint.
///
/// # Contract
/// [`latest`](Self::latest) gives what the last [`keep`](Self::keep) that returned was given, or a later one. An anchor
/// that several processes use goes back for none of them: see [`KeepsLater`].
#[async_trait]
pub trait Anchor: fmt::Debug + Send + Sync {
    /// What it is called in metrics and errors.
    fn name(&self) -> &str;

    /// The latest checkpoint that it keeps.
    ///
    /// # Errors
    /// [`AnchorError`] if it cannot be asked.
    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError>;

    /// Keeps a checkpoint. Gives signatures that are to stand on it too, as those of a witness.
    ///
    /// # Errors
    /// [`AnchorError`] if it is not kept.
    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError>;
}

/// An anchor did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("an anchor of the audit log does not answer")]
pub struct AnchorError(#[source] Box<dyn Error + Send + Sync>);

impl AnchorError {
    /// For `map_err`.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }

    /// Whether the anchor has a later checkpoint, and keeps that: [`KeepsLater`].
    #[must_use]
    pub fn is_later(&self) -> bool {
        self.0.is::<KeepsLater>()
    }
}
