//! Those that are asked over a network.

use std::time::Duration;

use async_trait::async_trait;
use portcullis_audit_log::{
    anchor::{Anchor, AnchorError, ArchiveAnchor},
    note::{KeyName, NoteSignature, SignedNote},
};
use tokio::time::timeout;

use super::LogArchive;

/// One that is asked over a network, and not waited for for long: a start and an end wait for it.
#[derive(Debug)]
pub(super) struct Hurried<A>(pub(super) A);

/// How long it is waited for.
const REMOTE_WAIT: Duration = Duration::from_secs(5);

#[async_trait]
impl<A: Anchor> Anchor for Hurried<A> {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        let latest = timeout(REMOTE_WAIT, self.0.latest()).await;
        latest.map_err(AnchorError::new)?
    }

    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        let kept = timeout(REMOTE_WAIT, self.0.keep(checkpoint)).await;
        kept.map_err(AnchorError::new)?
    }
}

/// Objects in the archive of the log, one for each checkpoint.
#[derive(Debug)]
pub(super) struct InArchive {
    archive: LogArchive,
    base: KeyName,
}

impl InArchive {
    pub(super) const fn new(archive: LogArchive, base: KeyName) -> Self {
        Self { archive, base }
    }

    async fn opened(&self) -> Result<ArchiveAnchor, AnchorError> {
        let archive = self.archive.open().await.map_err(AnchorError::new)?;
        Ok(ArchiveAnchor::new(
            self.name(),
            self.base.clone(),
            archive.clone(),
        ))
    }
}

#[async_trait]
impl Anchor for InArchive {
    fn name(&self) -> &str {
        "archive"
    }

    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        self.opened().await?.latest().await
    }

    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        self.opened().await?.keep(checkpoint).await
    }
}
