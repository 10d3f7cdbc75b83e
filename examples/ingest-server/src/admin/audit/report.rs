//! A report on a period: bounded in entries, in time, and one at a time.

use std::{sync::Arc, time::Duration};

use portcullis_audit_log::{
    checkpoint::Policy,
    event::{Leaf, Timestamp},
    report::{Period, Report},
};
use time::OffsetDateTime;
use tokio::{
    sync::{Semaphore, TryAcquireError},
    time::timeout,
};

use super::{AuditError, AuditEvents, InvalidRequest, request};
use crate::{
    admin::{Action, Actor},
    audit::{AuditLog, Reporting},
    clock::Clock,
};

/// What reports are made with.
#[derive(Debug, Clone)]
pub(super) struct Reports {
    clock: Arc<dyn Clock>,
    one: Arc<Semaphore>,
}

/// Which period, as it was written.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditPeriod {
    /// A time, RFC 3339, or a day; included.
    pub(crate) from: Option<String>,
    /// The same, not included; now unless it is said.
    pub(crate) to: Option<String>,
}

/// The longest that a report may take, and the most entries that it may be made of.
const WITHIN: Duration = Duration::from_secs(60);
const MOST_ENTRIES: u64 = 5_000_000;

impl Reports {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let one = Arc::new(Semaphore::new(1));
        Self { clock, one }
    }
}

impl AuditPeriod {
    /// The period.
    ///
    /// # Errors
    /// [`InvalidRequest`] names what is malformed.
    pub(crate) fn read(&self, now: OffsetDateTime) -> Result<Period, InvalidRequest> {
        let from = request::time_or_day("from", self.from.as_deref())?;
        let from = from.ok_or(InvalidRequest {
            parameter: "from",
            expected: "must be there: a time, RFC 3339, or a day, such as 2026-05-01",
        })?;
        let to = request::time_or_day("to", self.to.as_deref())?;
        let to = to
            .or_else(|| instant(now))
            .filter(|to| request::is_period(Some(from), *to));
        let to = to.ok_or(InvalidRequest {
            parameter: "to",
            expected: "must be later than `from`",
        })?;
        Ok(Period::new(from, to))
    }
}

/// A time as the log has it; before 1970 there is none.
pub(crate) fn instant(at: OffsetDateTime) -> Option<Timestamp> {
    let micros = u64::try_from(at.unix_timestamp_nanos() / 1_000).ok()?;
    Timestamp::from_unix_micros(micros)
}

impl AuditEvents {
    /// What happened in a period.
    pub(crate) async fn report(
        &self,
        actor: &Actor,
        asked: &AuditPeriod,
    ) -> Result<Report, AuditError> {
        let Reports { clock, one } = &self.reports;
        let now = clock.wall();
        let period = asked.read(now)?;
        let now = instant(now).unwrap_or(period.to);
        let _one = match one.try_acquire() {
            Err(TryAcquireError::NoPermits) => return Err(AuditError::Reporting),
            // Nobody closes it.
            permit => permit.ok(),
        };
        let making = made(&self.audit, Reporting::new(period), now);
        let making = async {
            let made = timeout(WITHIN, making).await;
            made.unwrap_or(Err(AuditError::TooMuch))
        };
        let action = Action::ReadAudit { tenant: None };
        self.recorded(actor, action, making).await
    }
}

async fn made(
    audit: &AuditLog,
    mut reporting: Reporting,
    now: Timestamp,
) -> Result<Report, AuditError> {
    let reads = audit.reading();
    let (from, to) = reporting.span();
    let first = reads.first_since(from).await?;
    let mut next = first;
    loop {
        let batch = reads.entries(next).await?;
        let mut is_over = true;
        for (n, bytes) in batch.iter() {
            let leaf = Leaf::parse(bytes).map_err(|_| AuditError::Damaged)?;
            is_over = leaf.time() >= to;
            if is_over {
                break;
            }
            reporting.observe(&leaf);
            next = n + 1;
        }
        if is_over {
            break;
        }
        if next - first > MOST_ENTRIES {
            return Err(AuditError::TooMuch);
        }
        // A batch is some milliseconds of work.
        tokio::task::yield_now().await;
    }
    let policy = Policy::new(audit.identity().keys.clone()).ok();
    let note = reads.checkpoint().await?;
    let signed = policy
        .zip(note)
        .and_then(|(policy, note)| policy.open(note.to_string().as_bytes()).ok());
    let checkpoint = signed.map(|signed| signed.checkpoint().clone());
    Ok(reporting.finish(checkpoint, now))
}
