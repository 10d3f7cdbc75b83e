//! Shreds in the background what was erased, also what a process erased that has ended since.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis_telemetry::BackgroundTask;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{Store, StoreError};
use crate::clock::Clock;

/// One for the process. All pages are gone through for one erasure as for many, so that those which come
/// meanwhile wait for the next time.
#[derive(Debug, Clone)]
pub(crate) struct Shredder {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// How often it was asked for, and which of those are done.
    asked: watch::Sender<u64>,
    done: watch::Sender<u64>,
    /// Since when something is owed, of the clock.
    owed_since: Arc<Mutex<Option<Duration>>>,
}

const TASK: BackgroundTask = BackgroundTask::new("shred_erased_rows");

/// How often it is looked for what another process, or an earlier one, owes.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A pass that takes longer is followed by nine times as long without one, up to half a minute: it reads the whole
/// file, for one who erases one lead after the other.
const SHORT: Duration = Duration::from_millis(100);
const PAUSE: u32 = 9;
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Shredder {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            asked: watch::Sender::new(0),
            done: watch::Sender::new(0),
            owed_since: Arc::default(),
        }
    }

    /// Has what was erased by now shredded soon.
    pub(crate) fn wake(&self) {
        self.ask();
    }

    /// The same, and waits for it, for so long at most.
    pub(crate) async fn wait(&self, longest: Duration) {
        let number = self.ask();
        let mut done = self.done.subscribe();
        // Told by the one that shreds if it takes longer.
        drop(timeout(longest, done.wait_for(|done| *done >= number)).await);
    }

    /// For how long something that was erased may have stood in the files, as this process knows; `None` if
    /// nothing does.
    pub(crate) fn owed_for(&self) -> Option<Duration> {
        let since = *self
            .owed_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        since.map(|since| self.clock.monotonic().saturating_sub(since))
    }

    fn ask(&self) -> u64 {
        let mut number = 0;
        self.asked.send_modify(|asked| {
            *asked += 1;
            number = *asked;
        });
        number
    }

    /// Shreds until it is dropped.
    pub(crate) async fn run(self) {
        let mut asked = self.asked.subscribe();
        let mut told = Told::Nothing;
        loop {
            let number = *asked.borrow_and_update();
            let began = self.clock.monotonic();
            TASK.run(async { told.tell(&self.shred_owed().await) })
                .await;
            self.done.send_replace(number);
            let took = self.clock.monotonic().saturating_sub(began);
            if took > SHORT {
                sleep((took * PAUSE).min(LONGEST_PAUSE)).await;
            }
            drop(timeout(LOOK_EVERY, asked.changed()).await);
        }
    }

    async fn shred_owed(&self) -> Result<bool, StoreError> {
        let is_owed = self.store.owes_shredding().await?;
        self.note_owed(is_owed);
        if !is_owed {
            return Ok(true);
        }
        let is_shredded = self.store.shred().await?;
        // What came meanwhile is looked at next.
        self.note_owed(!is_shredded);
        Ok(is_shredded)
    }

    fn note_owed(&self, is_owed: bool) {
        let mut since = self
            .owed_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *since = is_owed.then(|| since.unwrap_or_else(|| self.clock.monotonic()));
    }
}

/// What was told last: each kind of failure is told once, until it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    IsRead,
    Failed,
}

impl Told {
    fn tell(&mut self, shredded: &Result<bool, StoreError>) {
        let now = match shredded {
            Ok(true) => Self::Nothing,
            Ok(false) => Self::IsRead,
            Err(_) => Self::Failed,
        };
        let before = std::mem::replace(self, now);
        match shredded {
            Ok(false) if before != now => tracing::warn!(
                "somebody reads the log of the database for long: what was erased stands there until it is \
                 emptied, which is tried again"
            ),
            Err(error) if before != now => {
                let error: &dyn std::error::Error = error;
                tracing::warn!(
                    error,
                    "what was erased may still stand in the files of the database; it is tried again"
                );
            }
            _ => {}
        }
    }
}
