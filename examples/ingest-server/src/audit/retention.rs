//! How long entries are kept, and what lies beside them.

use std::{num::NonZeroU32, time::Duration};

use portcullis_audit_log::audit::{Audit, Retention};
use portcullis_telemetry::BackgroundTask;

const TASK: BackgroundTask = BackgroundTask::new("audit_retention");

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long entries are kept, and what lies beside them.
pub(crate) fn retention(days: NonZeroU32, personal_days: NonZeroU32) -> Retention {
    Retention::default()
        .leaves(DAY * days.get())
        .personal(DAY * personal_days.get())
}

/// Takes away what is older than so many days, entries and what lies beside them, until it is dropped; for whom entries
/// are held longer is asked each time. That something went is on record.
pub(crate) async fn retain(
    audit: Audit,
    days: NonZeroU32,
    personal_days: NonZeroU32,
    held: impl Fn(Retention) -> Retention,
) {
    let ages = retention(days, personal_days);
    loop {
        TASK.run(async {
            if let Err(error) = audit.retain(&held(ages.clone())).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "entries of the audit log that are too old were not taken away"
                );
            }
        })
        .await;
        tokio::time::sleep(EVERY).await;
    }
}
