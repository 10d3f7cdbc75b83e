//! Who writes beside the writer of groups. SQLite gives its lock to the one that asks at the right moment,
//! and between two groups that moment is short: who asks seldom would hardly ever meet it.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

/// The turns to write inside this process, in the order in which they were asked for. They are a matter of
/// fairness: the lock that keeps writers apart is SQLite's.
#[derive(Debug, Clone, Default)]
pub(crate) struct WriteTurns(Arc<Mutex<()>>);

/// How long a turn is waited for: with what SQLite waits for another process, less than the two seconds in
/// which a request is answered.
const WAIT: Duration = Duration::from_millis(150);

/// Lasts until it is dropped.
#[derive(Debug)]
pub(crate) struct WriteTurn {
    _held: Option<OwnedMutexGuard<()>>,
}

impl WriteTurns {
    /// Waits for a turn. Where the one before waits for another process, it is not waited out.
    pub(crate) async fn take(&self) -> WriteTurn {
        let held = timeout(WAIT, Arc::clone(&self.0).lock_owned()).await;
        WriteTurn { _held: held.ok() }
    }
}
