//! Data keys that another process took out of use leave the memory of this one too, also while nobody asks for them.

use std::time::Duration;

use portcullis_keyring::Keyring;
use portcullis_telemetry::BackgroundTask;

const TASK: BackgroundTask = BackgroundTask::new("forget_unusable_keys");

/// With it an erased tenant is forgotten within 10 s in every process.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Forgets them until it is dropped.
pub(super) async fn forget(keyring: Keyring) {
    let mut has_failed = false;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let look = async {
            let looked = keyring.forget_unusable().await;
            // Once for an outage, of which the database itself tells more.
            if let Err(error) = &looked
                && !has_failed
            {
                let error: &dyn std::error::Error = error;
                tracing::warn!(
                    error,
                    "unusable data keys may still be in memory; it is looked again"
                );
            }
            looked.is_err()
        };
        has_failed = TASK.run(look).await;
    }
}
