//! Writes when keys were last used, and trims the feed.

use std::{sync::Weak, time::Duration};

use tokio::time::sleep;

use super::Shared;
use crate::{feed::RETENTION, observer::StoreTask};

/// From one writing of the dates of last use to the next.
const WRITE_USES_EVERY: Duration = Duration::from_secs(30);
/// Dates written in one transaction: who revokes a key meanwhile waits for its end.
const BATCH: usize = 500;
/// From the end of one to the next: who waits for a lock of SQLite looks for it every 100 ms.
const BETWEEN_BATCHES: Duration = Duration::from_millis(110);
/// The feed is trimmed at one of so many writings: every 10 minutes.
const WRITINGS_PER_TRIM: u32 = 20;

/// Ends with the last handle to the cache.
pub(super) async fn repeatedly(shared: Weak<Shared>) {
    let mut writings: u32 = 0;
    loop {
        sleep(WRITE_USES_EVERY).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        shared.write_uses().await;
        writings = writings.wrapping_add(1);
        if writings.is_multiple_of(WRITINGS_PER_TRIM) {
            shared.trim_feed().await;
        }
    }
}

impl Shared {
    /// Writes what there is to write now, up to the first failure: the rest is written the next time.
    pub(super) async fn write_uses(&self) {
        let batches = self.last_used.len().div_ceil(BATCH);
        for batch in 0..batches {
            if batch > 0 {
                sleep(BETWEEN_BATCHES).await;
            }
            let uses = self.last_used.some(BATCH);
            let written = self.store.update_last_used(&uses);
            let written = self.within_timeout(StoreTask::UpdateLastUsed, written);
            if written.await.is_none() {
                return;
            }
            self.last_used.written(&uses);
        }
    }

    async fn trim_feed(&self) {
        if let Some(feed) = &self.feed {
            let trimmed = feed.trim(self.wall().saturating_sub(RETENTION));
            self.within_timeout(StoreTask::Trim, trimmed).await;
        }
    }
}
