//! Who writes beside the writer of groups. SQLite gives its lock to the one that asks at the right moment,
//! and between two groups that moment is short: who asks seldom would hardly ever meet it.

use std::{error::Error, iter::successors, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use super::failure;

/// The turns to write inside this process, in the order in which they were asked for. They are a matter of
/// fairness: the lock that keeps writers apart is SQLite's.
#[derive(Debug, Clone, Default)]
pub(crate) struct WriteTurns(Arc<Mutex<()>>);

/// How long a turn is waited for. Where the one before waits for another process, it is not waited out.
const WAIT: Duration = Duration::from_millis(100);

/// How long one that writes seldom waits for another process, and how often. SQLite asks for the lock less
/// and less often while it waits, so that several short waits meet the moment between two groups of another
/// process where a long one would not. All of it is less than the two seconds in which a request is answered.
pub(super) const BUSY: Duration = Duration::from_millis(250);
const TRIES: u32 = 3;

/// Lasts until it is dropped.
#[derive(Debug)]
pub(super) struct WriteTurn {
    _held: Option<OwnedMutexGuard<()>>,
}

impl WriteTurns {
    /// Waits for a turn.
    pub(super) async fn take(&self) -> WriteTurn {
        let held = timeout(WAIT, Arc::clone(&self.0).lock_owned()).await;
        WriteTurn { _held: held.ok() }
    }

    /// Writes in a turn, and in another one if another process had the lock.
    pub(crate) async fn write<T, E, F>(&self, write: impl Fn() -> F) -> Result<T, E>
    where
        E: Error + 'static,
        F: Future<Output = Result<T, E>>,
    {
        for _ in 1..TRIES {
            let _turn = self.take().await;
            match write().await {
                Err(error) if is_busy(&error) => {}
                outcome => return outcome,
            }
        }
        let _turn = self.take().await;
        write().await
    }
}

fn is_busy(error: &(dyn Error + 'static)) -> bool {
    let mut causes = successors(Some(error), |&error| error.source());
    causes.any(|error| {
        let error = error.downcast_ref::<sqlx::Error>();
        error.and_then(failure::code) == Some(failure::BUSY)
    })
}
