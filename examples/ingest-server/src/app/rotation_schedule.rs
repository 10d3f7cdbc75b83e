//! Data keys that have sealed for long are replaced by themselves, if that is set.

use std::{future::pending, sync::Arc, time::Duration};

use portcullis_keyring::entropy::Entropy;
use portcullis_telemetry::BackgroundTask;

use crate::admin::{Actor, DataKeys};

const TASK: BackgroundTask = BackgroundTask::new("rotate_overdue_keys");

/// From one look at the age of keys to the next, and as much again at the most: processes that were started
/// together do not look together.
const LOOK_EVERY: Duration = Duration::from_secs(30 * 60);
/// The first look comes at once, but for this much at the most.
const FIRST_WITHIN: Duration = Duration::from_secs(5);

/// Rotates the keys that are older than `period`, until it is dropped. Several processes may do so: each key is
/// rotated by one of them, as the states of the keys have it.
pub(super) async fn run(keys: DataKeys, period: Option<Duration>, entropy: Arc<dyn Entropy>) {
    let Some(period) = period else {
        return pending().await;
    };
    tokio::time::sleep(jitter(&*entropy, FIRST_WITHIN)).await;
    loop {
        TASK.run(rotate(&keys, period)).await;
        tokio::time::sleep(LOOK_EVERY + jitter(&*entropy, LOOK_EVERY)).await;
    }
}

async fn rotate(keys: &DataKeys, period: Duration) {
    match keys.rotate_overdue(&Actor::Schedule, period).await {
        Ok(rotated) if rotated.rotated.is_empty() && rotated.failed.is_empty() => {}
        Ok(rotated) => {
            let (done, failed) = (rotated.rotated.len(), rotated.failed.len());
            tracing::info!("{done} data keys were rotated for their age, {failed} were not");
        }
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the data keys were not rotated for their age");
        }
    }
}

/// Some part of a time.
fn jitter(entropy: &dyn Entropy, most: Duration) -> Duration {
    let mut bytes = [0; 4];
    // Without any, processes may look at the same time, which does no harm.
    if entropy.fill(&mut bytes).is_err() {
        return Duration::ZERO;
    }
    most.mul_f64(f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX))
}
