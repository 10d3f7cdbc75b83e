//! How long what was sealed may still be committed. Data keys retire and index versions go 30 s after the last
//! process has read that nothing new is to be written under them.

use std::time::Duration;

use crate::clock::Clock;

/// From when it was decided what is written until it is durable. What retires keys and index versions rests
/// on it.
pub(crate) const COMMITTED_WITHIN: Duration = Duration::from_secs(30);

/// How much of it is left to the commit, which cannot be taken back once it has begun: a disk may take long to
/// sync.
const COMMIT_TAKES: Duration = Duration::from_secs(5);

/// When it was decided what is written: on the states of data keys and index versions as they were then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DecidedAt(Duration);

impl DecidedAt {
    /// To be called before the first state is asked for.
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        Self(clock.monotonic())
    }

    /// Whether a commit may begin.
    pub(crate) fn may_be_committed(self, now: Duration) -> bool {
        now.saturating_sub(self.0) <= COMMITTED_WITHIN.saturating_sub(COMMIT_TAKES)
    }

    /// Whether a commit that has just ended was in time.
    pub(crate) fn was_committed_in_time(self, now: Duration) -> bool {
        now.saturating_sub(self.0) <= COMMITTED_WITHIN
    }
}
