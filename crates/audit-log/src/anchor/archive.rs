//! Checkpoints in another object store.

use async_trait::async_trait;

use super::{Anchor, AnchorError};
use crate::{
    archive::{Archive, ArchiveError, Numbers, SIZE_GROUPS, name_of},
    audit::number_of,
    checkpoint::Checkpoint,
    note::{KeyName, NoteSignature, SignedNote},
};

/// Keeps every checkpoint as an object of its own, which is never overwritten: in a bucket whose objects are locked, or
/// on which the service has no right to delete, nobody takes them back.
///
/// They are below `anchored/` of an [`Archive`], by the number of the log
/// ([`Generation`](crate::audit::Generation)) and its size; the latest is the largest of the latest log.
#[derive(Debug, Clone)]
pub struct ArchiveAnchor {
    name: String,
    archive: Archive,
    base: KeyName,
}

/// The number of the log, and behind it the size.
const ANCHORED: Numbers = Numbers {
    under: "anchored",
    depth: 1 + SIZE_GROUPS,
};

impl ArchiveAnchor {
    /// An anchor called `name`, for the logs of that origin: `origin` is that of the first. Where they are kept may be
    /// the place of an archive too.
    #[must_use]
    pub fn new(name: impl Into<String>, origin: KeyName, place: Archive) -> Self {
        Self {
            name: name.into(),
            archive: place,
            base: origin,
        }
    }

    async fn put(&self, note: &SignedNote) -> Result<(), ArchiveError> {
        let checkpoint = Checkpoint::parse(note.unverified_text()).ok();
        let named = checkpoint.and_then(|checkpoint| {
            let generation = number_of(&self.base, checkpoint.origin())?;
            Some((generation, checkpoint.size()))
        });
        let (generation, size) = named.ok_or(ArchiveError::OtherOrigin)?;
        let path = format!("{}/{generation:010}/{}", ANCHORED.under, name_of(size));
        self.archive.put_note(&path, note).await.map(drop)
    }
}

#[async_trait]
impl Anchor for ArchiveAnchor {
    fn name(&self) -> &str {
        &self.name
    }

    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        let latest = self.archive.largest(ANCHORED).await;
        latest.map_err(AnchorError::new)
    }

    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        self.put(checkpoint).await.map_err(AnchorError::new)?;
        Ok(Vec::new())
    }
}
