//! A log whose process has ended, held against what it has signed. Nothing of it is locked: nobody writes it.

use portcullis_audit_log::{
    clock::timestamp, event::Code, event::Outcome as Recorded, verify::Outcome,
};
use tokio::task::spawn_blocking;

use super::{super::NamedLogError, EndedError, EndedLogs};
use crate::audit::{AuditActor, AuditDraft, Pruning, PublishedError, actions::AUDIT_VERIFIED};

impl EndedLogs {
    /// Verifies what the log of that name has published. What came of it is on record in the log of this process, under
    /// that name.
    ///
    /// # Errors
    /// [`EndedError`]: nobody knows.
    pub(super) async fn verify(&self, name: &str) -> Result<(), EndedError> {
        let log = match self.logs.published(name, None).await {
            // It has none before its first minute is over, and none is added any more.
            Err(NamedLogError::Published {
                error: PublishedError::Unpublished,
                ..
            }) => return Ok(()),
            log => log?,
        };
        let verifying = spawn_blocking(move || log.verify(0..u64::MAX, Pruning::Elsewhere));
        let Ok(report) = verifying.await else {
            // Told by the runtime.
            return Ok(());
        };
        let report = report?;
        let fault = match report.outcome() {
            Outcome::Sound => None,
            Outcome::Incomplete => Some(Code::new("incomplete")),
            Outcome::Unusable => Some(Code::new("unusable")),
            Outcome::Tampered => Some(Code::new("tampered")),
        };
        if let Some(fault) = fault {
            let first = report.findings.first().map(tracing::field::display);
            tracing::error!(
                log = name,
                outcome = fault.as_str(),
                first,
                "the audit log of a process that has ended is not what it has signed"
            );
        }
        let at = timestamp(&*self.clock).to_string();
        self.verified.add(name, at, &report);
        let draft = AuditDraft {
            resources: vec![name.to_owned()],
            count: report.entries,
            outcome: fault.map_or(Recorded::Success, |_| Recorded::Failure),
            detail: fault,
            ..AuditDraft::new(
                None,
                AUDIT_VERIFIED,
                AuditActor::System("schedule".to_owned()),
            )
        };
        self.audit.record(draft.event(), None).await?;
        Ok(())
    }
}
