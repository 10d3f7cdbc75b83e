//! What the probe wrote is deleted each hour.

use std::{future::pending, time::Duration};

use portcullis_keyring::TenantId;
use portcullis_telemetry::BackgroundTask;

use crate::admin::{Actor, ProbeRows};

const TASK: BackgroundTask = BackgroundTask::new("delete_probe_rows");

/// From one time to the next; the first comes at once, so that one who is restarted often does it too.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// After a time that failed.
const AGAIN: Duration = Duration::from_secs(60);

/// Deletes what this tenant wrote, until it is dropped. Several processes may do so.
pub(super) async fn delete(rows: ProbeRows, tenant: Option<TenantId>) {
    let Some(tenant) = tenant else {
        return pending().await;
    };
    loop {
        let deleted = TASK.run(async {
            match rows.delete(&Actor::Schedule, &tenant).await {
                Ok(0) => true,
                Ok(rows) => {
                    tracing::info!(rows, "what the probe wrote was deleted");
                    true
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "what the probe wrote was not deleted");
                    false
                }
            }
        });
        let pause = if deleted.await { EVERY } else { AGAIN };
        tokio::time::sleep(pause).await;
    }
}
