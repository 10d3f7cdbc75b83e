//! Moves the hashes of keys in use to the primary pepper.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{sync::Semaphore, time::timeout};

use super::{Shared, entry::Entry, nanoseconds};
use crate::{
    key::ApiKey,
    observer::{Event, StoreTask},
    verifier::Verifier,
};

/// Writes at once at most. A request waits for its own, and for no other's.
const PERMITS: usize = 4;

/// How long none is begun after one failed, for which a request has waited.
const PAUSE: Duration = Duration::from_secs(5);

/// Bounds what requests wait for that are accepted already.
pub(super) struct Rehashing {
    permits: Semaphore,
    /// In nanoseconds of the monotonic clock.
    paused_until: AtomicU64,
}

impl Default for Rehashing {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(PERMITS),
            paused_until: AtomicU64::new(0),
        }
    }
}

impl Shared {
    /// Hashes a key again, if it is not hashed under the primary pepper. What the key is allowed
    /// stays, so nothing is invalidated; if it is not done now, the first use after the next load tries again.
    pub(super) async fn renew_hash(&self, key: &ApiKey, entry: &Entry) {
        let from = entry.pepper;
        let hashing = self.hashing.load_full();
        let primary = hashing.peppers.primary();
        let paused_until = self.rehashing.paused_until.load(Ordering::Relaxed);
        if from == primary.version || nanoseconds(self.clock.monotonic()) < paused_until {
            return;
        }
        let Ok(_permit) = self.rehashing.permits.try_acquire() else {
            return;
        };
        let record = &entry.record;
        let verifier = Verifier::derive(primary, record, key);
        let renewed = self
            .store
            .rehash(&record.kid, record.version, from, &verifier);
        match timeout(self.store_timeout, renewed).await {
            Ok(Ok(())) => self.emit(&Event::Rehashed { from }),
            Ok(Err(_)) | Err(_) => {
                let until = nanoseconds(self.clock.monotonic() + PAUSE);
                self.rehashing.paused_until.store(until, Ordering::Relaxed);
                self.emit(&Event::StoreFailed(StoreTask::Rehash));
            }
        }
    }
}
