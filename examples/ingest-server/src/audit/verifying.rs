//! The log held against what it has signed, by the code that third parties use.

mod beside;
mod paced;

use std::{
    ops::Range,
    sync::{Arc, atomic::AtomicU64, mpsc},
    time::Duration,
};

use portcullis_audit_log::{
    checkpoint::{Checkpoint, InvalidPolicy, Policy},
    source::StoreSource,
    store::{FileStoreError, StoreError},
    verify::{Outcome, Report, Verification},
};
use tokio::{
    runtime::Handle,
    task::{JoinError, spawn_blocking},
};

use self::{
    beside::Beside,
    paced::{Cut, Paced},
};
use super::AuditReads;
use crate::clock::Clock;

pub(crate) use self::paced::Pace;

/// What is verified, and how.
#[derive(Debug, Clone)]
pub(crate) struct Verifying {
    /// Entries by their numbers; what is behind the end of the log is none.
    pub(crate) range: Range<u64>,
    /// What the log had when it was verified before.
    pub(crate) kept: Option<Checkpoint>,
    pub(crate) pace: Pace,
    /// The longest that it may take.
    pub(crate) within: Duration,
    /// How many entries were read, for who asks meanwhile.
    pub(crate) progress: Arc<AtomicU64>,
}

/// Why nobody knows whether the log is what was signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error("the audit log cannot be read")]
    Log(#[from] StoreError),
    #[error("the index of the audit log cannot be read")]
    Index(#[from] FileStoreError),
    #[error("the keys of the audit log cannot verify it")]
    Keys(#[from] InvalidPolicy),
    #[error("it took longer than it may: verify ranges of the log")]
    TooLong,
    #[error("the service ends")]
    Stopped,
    #[error("the verification ended before its end")]
    Ended(#[from] JoinError),
}

impl AuditReads<'_> {
    /// Verifies the log at a checkpoint that has all there is by now, or at the published one where none can be made.
    /// Dropped, it ends where it is.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub(crate) async fn verify(
        &self,
        verifying: &Verifying,
        clock: &Arc<dyn Clock>,
    ) -> Result<Report, VerifyError> {
        let policy = Policy::new(self.identity.keys.clone())?;
        // Where none can be made, there is one from a minute before.
        let _ = self.audit.checkpoint().await;
        let until = clock.monotonic() + verifying.within;
        loop {
            let first = self.audit.store().first().await?;
            let verified = self.verify_from(first, verifying, &policy, clock, until);
            let (report, cut) = verified.await?;
            let is_pruned = self.audit.store().first().await? > first;
            match (report.outcome(), cut) {
                (Outcome::Tampered, _) | (Outcome::Sound, None) => return Ok(report),
                (_, Some(Cut::Late)) => return Err(VerifyError::TooLong),
                (_, Some(Cut::Stopped)) => return Err(VerifyError::Stopped),
                // What is missing was taken away meanwhile, for its age.
                (_, None) if is_pruned => {}
                (_, None) => return Ok(report),
            }
        }
    }

    async fn verify_from(
        &self,
        first: u64,
        verifying: &Verifying,
        policy: &Policy,
        clock: &Arc<dyn Clock>,
        until: Duration,
    ) -> Result<(Report, Option<Cut>), VerifyError> {
        let runtime = Handle::current();
        let index = self.folder.index(runtime.clone())?;
        let source = StoreSource::new(Arc::clone(self.audit.store()), runtime.clone());
        let (running, stopped) = mpsc::channel();
        let progress = Arc::clone(&verifying.progress);
        let pace = verifying.pace;
        let source = Paced::new(source, stopped, Arc::clone(clock), pace, until, progress);
        let mut beside = Beside::new(self.audit.clone(), index, runtime);
        let (range, kept) = (verifying.range.clone(), verifying.kept.clone());
        let policy = policy.clone();
        let verified = spawn_blocking(move || {
            let verification = Verification::new(&source, &policy)
                .range(range)
                .pruned_below(first)
                .pruning_on_record()
                .companions(&mut beside);
            let report = match &kept {
                Some(kept) => verification.since(kept).run(),
                None => verification.run(),
            };
            (report, source.cut())
        });
        let verified = verified.await;
        // Until here: dropped with the future, it ends the thread.
        drop(running);
        Ok(verified?)
    }
}
