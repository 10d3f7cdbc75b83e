//! What a sink gets of logs whose processes have ended.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_audit_log::{
    event::{Id, Timestamp},
    sink::{Follower, SinkStatus},
    store::{Store, StoreError, cursor_in_log},
};
use tokio::time::{sleep, timeout};

/// How far a sink has come in each of those logs.
#[derive(Debug, Default)]
pub(super) struct Ended(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    delivered: u64,
    failed: u64,
    missed: u64,
    /// The logs of which it has not all.
    behind: BTreeMap<String, Arc<SinkStatus>>,
}

/// How long a sink may take: nobody else has the log meanwhile, and what is left is delivered a minute later.
const MOST: Duration = Duration::from_secs(20);

/// From one look to the next whether it has all.
const LOOK: Duration = Duration::from_millis(20);

impl Ended {
    /// Delivers what a log has behind a cursor, until the first failure. Gives whether that was all.
    pub(super) async fn deliver(
        &self,
        log: &str,
        follower: Follower,
        store: &Arc<dyn Store>,
        cursor: &Id,
        size: u64,
    ) -> Result<bool, StoreError> {
        let status = follower.status();
        let looking = async {
            loop {
                let (next, _) = cursor_in_log(&**store, cursor).await?;
                if next.unwrap_or(0) >= size {
                    return Ok(true);
                }
                if status.failed() > 0 {
                    return Ok(false);
                }
                sleep(LOOK).await;
            }
        };
        let delivering = async {
            tokio::select! {
                biased;
                has_all = looking => has_all,
                // The receiver is gone, or the log cannot be read: the follower of this process's log tells.
                _ = follower.run() => Ok(false),
            }
        };
        let has_all = timeout(MOST, delivering).await.unwrap_or(Ok(false));
        let mut state = self.locked();
        state.delivered += status.delivered();
        state.failed += status.failed();
        state.missed += status.missed();
        if matches!(has_all, Ok(true)) {
            state.behind.remove(log);
        } else {
            state.behind.insert(log.to_owned(), status);
        }
        has_all
    }

    /// For how long the oldest entry waits that it has not got.
    pub(super) fn lag(&self, now: Timestamp) -> Duration {
        let state = self.locked();
        let lags = state.behind.values().map(|status| status.lag(now));
        lags.max().unwrap_or_default()
    }

    pub(super) fn delivered(&self) -> u64 {
        self.locked().delivered
    }

    pub(super) fn failed(&self) -> u64 {
        self.locked().failed
    }

    pub(super) fn missed(&self) -> u64 {
        self.locked().missed
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
