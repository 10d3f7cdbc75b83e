//! Hears of changes that other processes made.

use std::num::NonZeroU16;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::select;
use tokio::time::{sleep, timeout};

use super::{ApiKeyCache, Shared};
use crate::observer::{Event, OutboxGap, StoreTask};
use crate::store::{OutboxPage, OutboxSeq};

/// From one reading of the outbox to the next. Less than the 500 ms that are promised, which
/// leaves a busy runtime some room.
const READ_EVERY: Duration = Duration::from_millis(400);
/// Changes read at once.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");
/// From one writing of the dates of last use to the next.
const WRITE_USES_EVERY: Duration = Duration::from_secs(30);

impl ApiKeyCache {
    /// Reads the outbox of the store, for as long as a handle to the cache exists: at least every
    /// 500 ms, so that a revocation by another process is heard within that and a round trip. It
    /// also writes when keys were last used.
    ///
    /// The caller spawns the future; dropping it makes every validation ask the store from 3 s
    /// later. It needs a Tokio runtime with time enabled.
    pub fn follow(&self) -> impl Future<Output = ()> + Send + 'static {
        let reading = read_repeatedly(Arc::downgrade(&self.shared));
        let writing = write_uses_repeatedly(Arc::downgrade(&self.shared));
        // Side by side: a write that has to wait must not delay a reading.
        async move {
            select(pin!(reading), pin!(writing)).await;
        }
    }
}

/// Ends with the last handle to the cache.
async fn read_repeatedly(shared: Weak<Shared>) {
    let mut follower = Follower::default();
    loop {
        // From beginning to beginning, however long the reading takes.
        let due = sleep(READ_EVERY);
        match shared.upgrade() {
            Some(shared) => follower.read(&shared).await,
            None => return,
        }
        due.await;
    }
}

/// Writes when keys were last used; ends with the last handle to the cache.
async fn write_uses_repeatedly(shared: Weak<Shared>) {
    loop {
        sleep(WRITE_USES_EVERY).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let uses = shared.last_used.take();
        if uses.is_empty() {
            continue;
        }
        if !matches!(
            timeout(shared.store_timeout, shared.store.touch(&uses)).await,
            Ok(Ok(()))
        ) {
            shared.emit(&Event::StoreFailed(StoreTask::Touch));
        }
    }
}

/// How far the outbox has been read.
#[derive(Debug, Default)]
struct Follower {
    /// The last change that was heard of, `None` before the first reading.
    heard: Option<OutboxSeq>,
}

impl Follower {
    /// Hears of all changes up to now.
    async fn read(&mut self, shared: &Shared) {
        loop {
            let asked_at = shared.clock.uptime();
            let after = self.heard.unwrap_or(OutboxSeq::END);
            let answer = timeout(
                shared.store_timeout,
                shared.store.changes_after(after, PAGE),
            );
            let Ok(Ok(page)) = answer.await else {
                shared.emit(&Event::StoreFailed(StoreTask::Follow));
                return;
            };
            let heard = self.hear(shared, &page);
            self.heard = Some(heard);
            let behind = page.head.as_u64().saturating_sub(heard.as_u64());
            let changes = page.changes.len() as u64;
            shared.emit(&Event::OutboxRead { changes, behind });
            if behind == 0 {
                shared.confirm(asked_at);
                return;
            }
        }
    }

    /// Invalidates what a page says, and everything if there is something that it does not say.
    /// Gives the place up to which everything has been heard.
    fn hear(&self, shared: &Shared, page: &OutboxPage) -> OutboxSeq {
        let Some(mut heard) = self.heard else {
            // What was loaded before the first reading may have changed unheard.
            shared.fenced.invalidate_all();
            return page.head;
        };
        if page.head < heard {
            shared.fenced.begin_anew();
            shared.emit(&Event::OutboxGap(OutboxGap::Regressed));
            return page.head;
        }
        let mut gap = false;
        for change in &page.changes {
            gap |= change.seq != heard.next();
            heard = change.seq;
            shared.invalidate(&change.kid, change.version);
        }
        // A page that is not full ends with the head, or what follows was dropped.
        let is_last = page.changes.len() < usize::from(PAGE.get());
        if is_last && heard < page.head {
            gap = true;
            heard = page.head;
        }
        if gap {
            shared.fenced.invalidate_all();
            shared.emit(&Event::OutboxGap(OutboxGap::Missing));
        }
        heard
    }
}
