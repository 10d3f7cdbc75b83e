//! Whether the log is what it has signed: found out each day, and when an operator asks.

mod tally;

use std::{
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use portcullis_audit_log::{
    checkpoint::Checkpoint,
    event::{Code, Outcome as Recorded},
    verify::{Outcome, Report},
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{AuditError, AuditEvents};
use crate::{
    admin::{
        Action, Actor, JobStatus,
        job::{Job, UnderWay},
        record,
    },
    audit::{AuditDraft, AuditLog, Pace, VerifyError, Verifying, WHOLE, actions::AUDIT_VERIFIED},
    clock::Clock,
};

pub(crate) use self::tally::VerificationTally;

/// Verifications of the log, one at a time.
#[derive(Debug, Clone)]
pub(crate) struct Verifications {
    audit: AuditLog,
    clock: Arc<dyn Clock>,
    job: Job<Verified>,
    tally: VerificationTally,
    progress: Arc<AtomicU64>,
    /// What the whole log was when it was found sound.
    kept: Arc<Mutex<Option<Checkpoint>>>,
}

/// Which entries are verified: from one on, and before another; without either, all.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerificationRequest {
    from: Option<u64>,
    to: Option<u64>,
}

/// Entries that the log does not have, of which nothing can be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} are to be verified: {}", entries(*from, *to), wrong(*from, *to, *size))]
pub(crate) struct NoSuchRange {
    from: u64,
    to: u64,
    size: u64,
}

/// What was verified, and what was found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Verified {
    /// `sound`, `incomplete`, `unusable` or `tampered`.
    outcome: String,
    from: u64,
    /// The entry behind the last.
    to: Option<u64>,
    /// How many entries the checkpoint has that it was held against.
    size: Option<u64>,
    entries: u64,
    /// Entries that are known by their hashes alone.
    pruned: u64,
    /// What lies beside the log and is what its entries commit to; and what is not there, or cannot be opened.
    personal: u64,
    personal_absent: u64,
    /// What is wrong, in the order of the log.
    findings: Vec<String>,
    /// How many findings are not listed.
    more_findings: u64,
}

/// How long somebody waits for the answer before it is told that it is under way.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// The longest that one may take which an operator asks for, and one of every day.
const ASKED: Duration = Duration::from_secs(10 * 60);
const DAILY: Duration = Duration::from_secs(20 * 60 * 60);

fn entries(from: u64, to: u64) -> String {
    match to {
        u64::MAX => format!("entries from {from} on"),
        to => format!("entries {from} to {to}"),
    }
}

fn wrong(from: u64, to: u64, size: u64) -> String {
    if from < to {
        format!("`from` must be less than {size}, as the log has so many, from 0 on")
    } else {
        "`to` must be more than `from`, as it is not included".to_owned()
    }
}

impl VerificationRequest {
    /// Of a log of so many entries.
    fn range(self, size: u64) -> Result<Range<u64>, NoSuchRange> {
        let from = self.from.unwrap_or(0);
        let to = self.to.unwrap_or(u64::MAX);
        if from < to && (from == 0 || from < size) {
            return Ok(from..to);
        }
        Err(NoSuchRange { from, to, size })
    }
}

impl Verified {
    fn new(range: &Range<u64>, report: &Report) -> Self {
        let signed = report.signed.as_ref();
        Self {
            outcome: report.outcome().to_string(),
            from: range.start,
            to: (range.end != u64::MAX).then_some(range.end),
            size: signed.map(|signed| signed.checkpoint().size()),
            entries: report.entries,
            pruned: report.pruned,
            personal: report.personal,
            personal_absent: report.personal_absent,
            findings: report.findings.iter().map(ToString::to_string).collect(),
            more_findings: report.more,
        }
    }
}

impl Verifications {
    pub(super) fn new(audit: AuditLog, clock: Arc<dyn Clock>) -> Self {
        let name = "a verification of the audit log";
        Self {
            audit,
            job: Job::new(name, "verify_audit_log", Arc::clone(&clock)),
            clock,
            tally: VerificationTally::default(),
            progress: Arc::default(),
            kept: Arc::default(),
        }
    }

    /// What it has come to, for gauges.
    pub(crate) const fn tally(&self) -> &VerificationTally {
        &self.tally
    }

    /// How far it has come, or what came of the last one.
    pub(crate) fn status(&self) -> JobStatus<Verified> {
        let (status, total) = (self.job.status(), self.audit.status().now().size);
        JobStatus {
            // It is counted by whole bundles.
            done: self.progress.load(Ordering::Relaxed).min(total),
            total,
            ..status
        }
    }

    /// Verifies the whole log in the background, slowly.
    pub(crate) fn start_daily(&self) -> Result<JobStatus<Verified>, UnderWay> {
        self.start(Actor::Schedule, 0..u64::MAX, Pace::Background, DAILY)
    }

    /// Cuts it off if it runs.
    pub(crate) fn stop(&self) {
        self.job.stop();
    }

    fn start(
        &self,
        actor: Actor,
        range: Range<u64>,
        pace: Pace,
        within: Duration,
    ) -> Result<JobStatus<Verified>, UnderWay> {
        let this = self.clone();
        self.job
            .start(|_| async move { this.verify(&actor, range, pace, within).await })
    }

    async fn verify(
        &self,
        actor: &Actor,
        range: Range<u64>,
        pace: Pace,
        within: Duration,
    ) -> Result<Verified, VerifyError> {
        let is_whole = range == (0..u64::MAX);
        let verifying = Verifying {
            kept: self.kept().clone().filter(|_| is_whole),
            range,
            pace,
            within,
            progress: Arc::clone(&self.progress),
        };
        let reads = self.audit.reading();
        let report = match reads.verify(&verifying, &self.clock).await {
            Ok(report) => report,
            Err(error) => {
                self.tally.failed();
                self.note(actor, is_whole, 0, Some(Code::new("unfinished")))
                    .await;
                return Err(error);
            }
        };
        let fault = match report.outcome() {
            Outcome::Sound => None,
            Outcome::Incomplete => Some(Code::new("incomplete")),
            Outcome::Unusable => Some(Code::new("unusable")),
            Outcome::Tampered => Some(Code::new("tampered")),
        };
        match fault {
            None if is_whole => {
                self.tally.succeeded(self.clock.wall());
                let signed = report.signed.as_ref();
                *self.kept() = signed.map(|signed| signed.checkpoint().clone());
            }
            None => {}
            Some(fault) => {
                self.tally.failed();
                let first = report.findings.first().map(tracing::field::display);
                tracing::error!(
                    outcome = fault.as_str(),
                    first,
                    "the audit log is not what it has signed"
                );
            }
        }
        self.note(actor, is_whole, report.entries, fault).await;
        Ok(Verified::new(&verifying.range, &report))
    }

    /// Puts on record what came of it, by which a report knows the days on which the log was verified.
    async fn note(&self, actor: &Actor, is_whole: bool, entries: u64, fault: Option<Code>) {
        let outcome = fault.map_or(Recorded::Success, |_| Recorded::Failure);
        let draft = AuditDraft {
            action: AUDIT_VERIFIED,
            resources: vec![if is_whole { WHOLE } else { "range" }.to_owned()],
            count: entries,
            outcome,
            detail: fault,
            ..record::draft(actor, &Action::VerifyAudit, None)
        };
        if let Err(error) = self.audit.record(draft).await {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "it is not on record that the audit log was verified");
        }
    }

    fn kept(&self) -> MutexGuard<'_, Option<Checkpoint>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditEvents {
    /// Verifies the log, or a part of it. It is told what came of it, or, where that takes longer, that it is under way.
    pub(crate) async fn verify(
        &self,
        actor: &Actor,
        request: VerificationRequest,
    ) -> Result<JobStatus<Verified>, AuditError> {
        let verifications = &self.verifications;
        let range = request.range(verifications.audit.tail().size().await?)?;
        let mut ends = verifications.job.ends();
        self.recorded(actor, Action::VerifyAudit, async { Ok(()) })
            .await?;
        verifications.start(actor.clone(), range, Pace::Full, ASKED)?;
        // Else the status tells, when it has ended.
        let _ = timeout(ANSWERED_WITHIN, ends.changed()).await;
        Ok(verifications.status())
    }
}

#[cfg(test)]
mod tests;
