//! How often the keys of the store have changed, as last read: one number for all tenants.

use std::time::Duration;

use tokio::sync::RwLock;

use crate::{clock::Clock, store::DekStore};

/// How long nobody asks again a store that gave no number. Those who waited for it go on without one:
/// each with an attempt of its own, the last of many would wait for all of them.
const WITHOUT_FOR: Duration = Duration::from_millis(250);

/// The number of changes, as last read.
#[derive(Debug, Default)]
pub(super) struct Changes {
    last: RwLock<Option<Attempt>>,
}

/// A number of changes, and when the read of it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) number: u64,
    pub(super) read_at: Duration,
}

/// What came of asking the store.
#[derive(Debug, Clone, Copy)]
enum Attempt {
    Counted(Counted),
    /// The store failed, or does not count.
    Without {
        since: Duration,
    },
}

impl Changes {
    /// What is known, if `still_good` says so of the moment it was read; else what the store says now,
    /// if it says anything. Callers who come together wait for one read.
    pub(super) async fn read_unless(
        &self,
        still_good: impl Fn(Duration) -> bool,
        store: &dyn DekStore,
        clock: &dyn Clock,
    ) -> Option<Counted> {
        let read_at = clock.monotonic();
        let good = |attempt: &Attempt| match attempt {
            Attempt::Counted(counted) => still_good(counted.read_at),
            Attempt::Without { since } => read_at < *since + WITHOUT_FOR,
        };
        let known = self.last.read().await.filter(good);
        if let Some(attempt) = known {
            return attempt.counted();
        }
        let mut last = self.last.write().await;
        if let Some(attempt) = last.filter(good) {
            return attempt.counted();
        }
        let attempt = match store.changes().await {
            Ok(Some(number)) => Attempt::Counted(Counted { number, read_at }),
            Ok(None) | Err(_) => Attempt::Without {
                since: clock.monotonic(),
            },
        };
        *last = Some(attempt);
        attempt.counted()
    }
}

impl Attempt {
    fn counted(self) -> Option<Counted> {
        match self {
            Self::Counted(counted) => Some(counted),
            Self::Without { .. } => None,
        }
    }
}
