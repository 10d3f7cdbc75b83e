//! Shreds in the background what was erased, also what a process erased that has ended since.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tracing::Instrument as _;

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
}

/// How often it is looked for what another process, or an earlier one, owes.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// For each second of it there are nine without.
const PAUSE: u32 = 9;

impl Shredder {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            asked: watch::Sender::new(0),
            done: watch::Sender::new(0),
        }
    }

    /// Waits until what was erased by now is shredded, for so long at most: it will be in any case.
    pub(crate) async fn wait(&self, longest: Duration) {
        let mut number = 0;
        self.asked.send_modify(|asked| {
            *asked += 1;
            number = *asked;
        });
        let mut done = self.done.subscribe();
        // Told by the one that shreds if it takes longer.
        drop(timeout(longest, done.wait_for(|done| *done >= number)).await);
    }

    /// Shreds until it is dropped.
    pub(crate) async fn run(self) {
        let mut asked = self.asked.subscribe();
        let mut has_failed = false;
        loop {
            let number = *asked.borrow_and_update();
            let began = self.clock.monotonic();
            let span = tracing::info_span!(parent: None, "shred_erased_rows");
            let shredded = self.shred_owed().instrument(span.clone()).await;
            // Once for an outage, of which the database itself tells more.
            if !has_failed {
                span.in_scope(|| tell(&shredded));
            }
            has_failed = !matches!(shredded, Ok(true));
            self.done.send_replace(number);
            let took = self.clock.monotonic().saturating_sub(began);
            sleep(took * PAUSE).await;
            drop(timeout(LOOK_EVERY, asked.changed()).await);
        }
    }

    async fn shred_owed(&self) -> Result<bool, StoreError> {
        if self.store.owes_shredding().await? {
            self.store.shred().await
        } else {
            Ok(true)
        }
    }
}

fn tell(shredded: &Result<bool, StoreError>) {
    match shredded {
        Ok(true) => {}
        Ok(false) => tracing::warn!(
            "somebody reads the log of the database for long: what was erased stands there until it is emptied, \
             which is tried again"
        ),
        Err(error) => {
            let error: &dyn std::error::Error = error;
            tracing::warn!(
                error,
                "what was erased may still stand in the files of the database; it is tried again"
            );
        }
    }
}
