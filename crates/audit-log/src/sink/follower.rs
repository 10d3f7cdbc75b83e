//! Follows a log by a durable cursor.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{DeliveryError, FollowEnd, RetrySchedule, Sink, SinkStatus};
use crate::{
    clock::{Clock, timestamp},
    entropy::Entropy,
    event::Id,
    export::Entry,
    observer::{self, NoObserver, Observer},
    store::{EntryBatch, Store, StoreError, cursor_in_log},
};

/// Gives the leaves of a log to a sink, each at least once and in their order.
///
/// One process follows a log for a sink: two would deliver everything twice.
#[derive(Debug)]
pub struct Follower {
    name: Id,
    store: Arc<dyn Store>,
    sink: Box<dyn Sink>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    status: Arc<SinkStatus>,
    observer: Arc<dyn Observer>,
}

/// How often the log is looked at while nothing new is in it.
const POLL: Duration = Duration::from_secs(1);
/// How often the cursor is moved while entries are taken over: each time takes the disk, and a receiver may take one entry
/// at a time.
const MOVE_EVERY: Duration = Duration::from_secs(1);
/// What is read at once.
const READ_BYTES: NonZeroUsize = NonZeroUsize::new(256 * 1024).expect("it is not zero");
/// What a receiver may ask for at most.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

impl Follower {
    /// Follows `store` for `sink`, whose cursor has this name.
    #[must_use]
    pub fn new(
        name: Id,
        store: Arc<dyn Store>,
        sink: Box<dyn Sink>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            name,
            store,
            sink,
            clock,
            entropy,
            status: Arc::default(),
            observer: Arc::new(NoObserver),
        }
    }

    /// Who is told that the cursor is none of the log; nobody by default.
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// How far it has come, while it runs.
    #[must_use]
    pub fn status(&self) -> Arc<SinkStatus> {
        Arc::clone(&self.status)
    }

    /// Follows the log until something ends that. It may be dropped at any time; what was delivered since the cursor was
    /// last moved is then delivered again.
    ///
    /// It needs a Tokio runtime with time.
    pub async fn run(self) -> FollowEnd {
        let Err(end) = self.follow().await;
        end
    }

    async fn follow(&self) -> Result<std::convert::Infallible, FollowEnd> {
        let mut next = self.start().await?;
        loop {
            self.status.at(next);
            let batch = self.asked(|| self.store.entries(next, READ_BYTES));
            match batch.await {
                Ok(batch) if batch.is_empty() => {
                    self.status.waits(None);
                    sleep(POLL).await;
                }
                Ok(batch) => next = self.deliver_all(&batch).await?,
                Err(StoreError::Pruned { first }) if first > next => {
                    // `n` has a gap at the receiver, and here it is counted.
                    self.status.has_missed(first - next);
                    self.move_to(first).await?;
                    next = first;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Where the cursor is. One that is behind the end of the log is set to the first leaf there is: what was delivered
    /// comes again, and nothing is left out.
    async fn start(&self) -> Result<u64, FollowEnd> {
        let cursor = self.asked(|| cursor_in_log(&*self.store, &self.name));
        let (next, beyond) = cursor.await?;
        let Some(found) = beyond else {
            return Ok(next.unwrap_or(0));
        };
        let cursor = &self.name;
        self.observer
            .observe(&observer::Event::CursorBeyond { cursor, found });
        let first = self.asked(|| self.store.first()).await?;
        self.move_to(first).await?;
        Ok(first)
    }

    /// Delivers a batch, and gives the leaf behind it. The cursor is moved each second, and before there is a wait.
    async fn deliver_all(&self, batch: &EntryBatch) -> Result<u64, FollowEnd> {
        let mut entries = Vec::new();
        for (n, bytes) in batch.iter() {
            let entry = Entry::parse(bytes).map_err(|source| FollowEnd::NoLeaf { n, source })?;
            entries.push((n, entry.leaf().time(), entry));
        }
        let mut next = batch.next();
        let mut moved = self.clock.monotonic();
        for chunk in entries.chunks(self.sink.max_entries().get()) {
            let Some((first, oldest, _)) = chunk.first() else {
                break;
            };
            self.status.at(*first);
            self.status.waits(Some(*oldest));
            let chunk: Vec<_> = chunk.iter().map(|(.., entry)| entry.clone()).collect();
            self.deliver(*first, &chunk).await?;
            next = first + chunk.len() as u64;
            self.status.has_delivered(chunk.len() as u64);
            let now = self.clock.monotonic();
            if now.saturating_sub(moved) >= MOVE_EVERY {
                self.move_to(next).await?;
                moved = now;
            }
        }
        self.move_to(next).await?;
        Ok(next)
    }

    async fn deliver(&self, next: u64, entries: &[Entry<'_>]) -> Result<(), FollowEnd> {
        let retries = self.sink.retries();
        let mut failed = 0;
        while let Err(error) = self.sink.deliver(entries, timestamp(&*self.clock)).await {
            failed += 1;
            self.status.has_failed();
            if failed == 1 {
                // Nothing that was taken over before is to come again because of what now takes longer.
                self.move_to(next).await?;
            }
            if matches!(error, DeliveryError::Gone) {
                return Err(FollowEnd::Gone);
            }
            let Some(delay) = self.delay(retries, failed, &error) else {
                let last = error;
                return Err(FollowEnd::Exhausted { next, last });
            };
            sleep(delay).await;
        }
        Ok(())
    }

    /// What the schedule says and up to a tenth more, so that what failed together does not come again together; or what
    /// the receiver asks for, if that is later.
    fn delay(
        &self,
        retries: RetrySchedule,
        failed: usize,
        error: &DeliveryError,
    ) -> Option<Duration> {
        let delay = retries.delay(failed)?;
        let mut random = [0; 4];
        // Without randomness there is no jitter.
        let random = match self.entropy.fill(&mut random) {
            Ok(()) => u32::from_be_bytes(random),
            Err(_) => 0,
        };
        let jitter = delay.mul_f64(f64::from(random) / f64::from(u32::MAX) / 10.0);
        let asked = match error {
            DeliveryError::Refused { after, .. } => after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        Some((delay + jitter).max(asked.min(MAX_RETRY_AFTER)))
    }

    async fn move_to(&self, next: u64) -> Result<(), FollowEnd> {
        let moved = self.asked(|| self.store.move_cursor(&self.name, next));
        Ok(moved.await?)
    }

    /// Asks the store until it can be asked.
    async fn asked<T, F>(&self, ask: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut failed = 0;
        loop {
            let answer = ask().await;
            if !matches!(answer, Err(StoreError::Unavailable(_))) {
                return answer;
            }
            failed += 1;
            let delay = RetrySchedule::for_ever().delay(failed);
            sleep(delay.unwrap_or(POLL)).await;
        }
    }
}
