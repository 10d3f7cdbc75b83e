//! The proof that an entry is in the log, for who believes nobody but the log's key.

use std::sync::Arc;

use portcullis_audit_log::{
    audit,
    checkpoint::{CheckpointError, InvalidPolicy, Policy, SignedCheckpoint},
    note::SignedNote,
    proof::{ProveError, TlogProof},
    source::StoreSource,
    store::StoreError,
};
use tokio::{
    runtime::Handle,
    task::{JoinError, spawn_blocking},
};

use super::AuditReads;

/// Why there is no proof of an entry that is there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofError {
    #[error("no checkpoint that has the entry could be published")]
    Unpublished(#[from] audit::Unrecorded),
    #[error("the audit log cannot be read")]
    Log(#[from] StoreError),
    #[error("the keys of the audit log cannot verify it")]
    Keys(#[from] InvalidPolicy),
    #[error("the published checkpoint is not the log's")]
    Checkpoint(#[from] CheckpointError),
    #[error("the audit log has not what it has signed")]
    Files(#[source] ProveError),
    #[error("the proof was not made to its end")]
    Ended(#[from] JoinError),
}

impl AuditReads<'_> {
    /// The proof of an entry, with its exact bytes beside it; none of one that is not there, or pruned. It is of the
    /// published checkpoint if that has the entry, else one is published.
    ///
    /// # Errors
    /// [`ProofError`].
    pub(crate) async fn proof(&self, n: u64) -> Result<Option<TlogProof>, ProofError> {
        if n >= self.size().await? {
            return Ok(None);
        }
        let signed = self.checkpoint_with(n).await?;
        let source = StoreSource::new(Arc::clone(self.audit.store()), Handle::current());
        // It reads files.
        let made = spawn_blocking(move || TlogProof::from_source(&source, &signed, n));
        match made.await? {
            Ok((entry, proof)) => Ok(Some(proof.with_extra(entry))),
            Err(ProveError::NoBundle { .. } | ProveError::NoSuchEntry { .. }) => Ok(None),
            Err(error) => Err(ProofError::Files(error)),
        }
    }

    async fn checkpoint_with(&self, n: u64) -> Result<SignedCheckpoint, ProofError> {
        let policy = Policy::new(self.identity.keys.clone())?;
        let open = |note: &SignedNote| policy.open(note.to_string().as_bytes());
        let published = self.checkpoint().await?;
        // One from before a key was replaced is none of those that the caller can verify.
        let published = published.and_then(|note| open(&note).ok());
        match published.filter(|signed| n < signed.checkpoint().size()) {
            Some(signed) => Ok(signed),
            None => Ok(open(&self.audit.checkpoint().await?)?),
        }
    }
}
