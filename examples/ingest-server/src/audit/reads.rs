//! Reading what is on record. That somebody does is for the caller to record.

use std::{num::NonZeroUsize, sync::Arc};

use portcullis_audit_log::{
    audit::{Audit, Erasure, PersonalError},
    event::Personal,
    note::SignedNote,
    search::{Page, Query},
    store::{Store, StoreError},
    tile::TilePath,
};

use super::{AuditFolder, AuditIdentity, FoundBefore, OtherLogError, concerns_any, finding};

/// A way to what is on record.
#[derive(Debug)]
pub(crate) struct AuditReads<'a> {
    pub(super) audit: &'a Audit,
    pub(super) folder: &'a AuditFolder,
    pub(super) identity: &'a AuditIdentity,
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    #[error(transparent)]
    Log(#[from] StoreError),
    #[error(transparent)]
    Other(#[from] OtherLogError),
}

/// An entry, as it is in the tree.
#[derive(Debug)]
pub(crate) struct KeptLeaf {
    pub(crate) n: u64,
    pub(crate) bytes: Vec<u8>,
}

impl<'a> AuditReads<'a> {
    pub(super) const fn new(
        audit: &'a Audit,
        folder: &'a AuditFolder,
        identity: &'a AuditIdentity,
    ) -> Self {
        Self {
            audit,
            folder,
            identity,
        }
    }

    /// A page of events, the newest first, of this process's log or of one that has ended, which this process may be
    /// looking at itself: that is waited for.
    pub(crate) async fn search(
        &self,
        log: Option<&str>,
        query: &Query,
    ) -> Result<Page, SearchError> {
        let Some(other) = log.filter(|log| !self.folder.is_own(log)) else {
            return Ok(self.audit.search(query).await?);
        };
        let (log, _held) = self.folder.open_ended(other).await?;
        let page = log.store().search(query).await;
        log.close().await?;
        Ok(page?)
    }

    /// How many entries there are, by whichever process.
    pub(crate) async fn size(&self) -> Result<u64, StoreError> {
        self.audit.store().size().await
    }

    /// Whether there is an entry that an erasure is about, in this log or one that it has followed, or one of a process
    /// that has ended.
    pub(crate) async fn concerns_any(&self, erasure: &Erasure) -> Result<bool, StoreError> {
        if concerns_any(&**self.audit.store(), erasure).await? {
            return Ok(true);
        }
        if matches!(erasure, Erasure::Event(_)) {
            return Ok(false);
        }
        let looking = async |earlier: Vec<Arc<dyn Store>>| {
            for store in earlier {
                if concerns_any(&*store, erasure).await? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        let earlier = self.folder.earlier()?;
        let (concerns, opened) = self.folder.with_earlier(&earlier, looking).await;
        match concerns {
            Ok(false) => opened?,
            concerns => return concerns,
        }
        // Its state is large, and would be on the stack of who waits.
        Box::pin(self.folder.with_ended(looking)).await.0
    }

    /// One entry, if there is one that is not pruned.
    pub(crate) async fn leaf(&self, n: u64) -> Result<Option<KeptLeaf>, StoreError> {
        // Others may have appended it.
        if n >= self.size().await? {
            return Ok(None);
        }
        let batch = match self.audit.store().entries(n, NonZeroUsize::MIN).await {
            Err(StoreError::Pruned { .. }) => return Ok(None),
            batch => batch?,
        };
        let leaf = batch.iter().find(|(found, _)| *found == n);
        Ok(leaf.map(|(n, bytes)| KeptLeaf {
            n,
            bytes: bytes.to_vec(),
        }))
    }

    /// A finding of the rules by the number of its entry.
    pub(crate) async fn finding(&self, n: u64) -> Result<Option<FoundBefore>, StoreError> {
        finding(&**self.audit.store(), n).await
    }

    /// What lies beside an entry, if it is still there and can be opened: of an erased tenant nothing can.
    pub(crate) async fn personal(&self, kept: &KeptLeaf) -> Result<Option<Personal>, StoreError> {
        match self.audit.personal(kept.n).await {
            Ok(personal) => Ok(personal),
            Err(PersonalError::Sealed(error)) if !error.is_damaged() => Ok(None),
            Err(PersonalError::Store(error)) => Err(error),
            Err(error) => Err(StoreError::damaged(error)),
        }
    }

    /// The published checkpoint.
    pub(crate) async fn checkpoint(&self) -> Result<Option<SignedNote>, StoreError> {
        self.audit.store().checkpoint().await
    }

    /// A file of the published log by its path, if there is one.
    pub(crate) async fn file(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if path == "checkpoint" {
            // Of all that is there by now, unless that cannot be published.
            let note = match self.audit.checkpoint().await {
                Ok(note) => Some(note),
                Err(_) => self.checkpoint().await?,
            };
            return Ok(note.map(|note| note.to_string().into_bytes()));
        }
        let Ok(path) = path.parse::<TilePath>() else {
            return Ok(None);
        };
        self.audit.store().tile(path).await
    }
}
