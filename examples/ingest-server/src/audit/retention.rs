//! How long entries are kept, and what lies beside them.

use std::{error::Error, num::NonZeroU32, sync::Arc, time::Duration};

use portcullis_audit_log::{
    audit::{Audit, Retention},
    store::Store,
};
use portcullis_telemetry::BackgroundTask;

use super::AuditFolder;

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
    folder: AuditFolder,
    ages: Retention,
    held: impl Fn(Retention) -> Retention,
) {
    loop {
        TASK.run(async {
            if let Err(error) = audit.retain(&held(ages.clone())).await {
                tell(&error);
            }
            // Of those, nobody gets any more what they have not got.
            let retaining = |earlier: Vec<(NonZeroU32, Arc<dyn Store>)>| async {
                for (_, store) in earlier {
                    if let Err(error) = audit.retain_in(&*store, &ages).await {
                        tell(&error);
                    }
                }
            };
            if let Err(error) = folder.with_earlier(retaining).await {
                tell(&error);
            }
        })
        .await;
        tokio::time::sleep(EVERY).await;
    }
}

fn tell(error: &(dyn Error + 'static)) {
    tracing::warn!(
        error,
        "entries of the audit log that are too old were not taken away"
    );
}
