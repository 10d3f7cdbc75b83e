//! What is wrong with the database is found also while nobody asks anything of it.

use std::{sync::Arc, time::Duration};

use portcullis_telemetry::BackgroundTask;

use crate::store::Store;

const TASK: BackgroundTask = BackgroundTask::new("watch_database");

/// From one look to the next.
const EVERY: Duration = Duration::from_millis(500);

/// Asks it again and again, until it is dropped.
pub(super) async fn ping(store: Arc<dyn Store>) {
    loop {
        tokio::time::sleep(EVERY).await;
        // What it finds is remembered and told by the store itself.
        drop(TASK.run(store.ping()).await);
    }
}
