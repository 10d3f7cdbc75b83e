//! Whether the secrets in use are those that there are.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::clock::{Clock, SystemClock};

/// What came of one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshOutcome {
    /// Everything is as before.
    Unchanged,
    Replaced,
    /// What is there cannot be used.
    Refused,
    /// What holds them, or the database, did not answer.
    Unavailable,
}

/// Is told of each look.
pub(crate) trait SecretObserver: fmt::Debug + Send + Sync {
    fn observe(&self, outcome: RefreshOutcome);
}

/// Cheap to clone; clones share what is known.
#[derive(Debug, Clone)]
pub(crate) struct SecretHealth {
    known: Arc<Mutex<Known>>,
    clock: Arc<dyn Clock>,
    can_change: bool,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    outcome: RefreshOutcome,
    /// By the monotonic clock, when those in use were last found to be what there is.
    confirmed_at: Duration,
}

impl SecretHealth {
    /// They have just been read.
    pub(super) fn new(can_change: bool) -> Self {
        Self::with_clock(Arc::new(SystemClock), can_change)
    }

    fn with_clock(clock: Arc<dyn Clock>, can_change: bool) -> Self {
        let known = Known {
            outcome: RefreshOutcome::Unchanged,
            confirmed_at: clock.monotonic(),
        };
        let known = Arc::new(Mutex::new(known));
        Self {
            known,
            clock,
            can_change,
        }
    }

    pub(super) fn note(&self, outcome: RefreshOutcome) {
        let now = self.clock.monotonic();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.outcome = outcome;
        if matches!(
            outcome,
            RefreshOutcome::Unchanged | RefreshOutcome::Replaced
        ) {
            known.confirmed_at = now;
        }
    }

    /// What came of the last look.
    pub(crate) fn outcome(&self) -> RefreshOutcome {
        self.known().outcome
    }

    /// How long ago those in use were last found to be what there is; zero where nothing can change.
    pub(crate) fn age(&self) -> Duration {
        if !self.can_change {
            return Duration::ZERO;
        }
        let confirmed_at = self.known().confirmed_at;
        self.clock.monotonic().saturating_sub(confirmed_at)
    }

    fn known(&self) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use time::OffsetDateTime;

    use super::*;

    #[derive(Debug, Default)]
    struct Seconds(AtomicU64);

    impl Clock for Seconds {
        fn wall(&self) -> OffsetDateTime {
            OffsetDateTime::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn the_age_goes_on_while_nothing_is_confirmed() {
        let clock = Arc::new(Seconds::default());
        let health = SecretHealth::with_clock(clock.clone(), true);
        let fixed = SecretHealth::with_clock(clock.clone(), false);
        let at = |second, outcome| {
            clock.0.store(second, Ordering::Relaxed);
            health.note(outcome);
            health.age().as_secs()
        };
        assert_eq!(at(60, RefreshOutcome::Unchanged), 0);
        assert_eq!(at(120, RefreshOutcome::Unavailable), 60);
        assert_eq!(at(180, RefreshOutcome::Refused), 120);
        assert_eq!(health.outcome(), RefreshOutcome::Refused);
        assert_eq!(at(240, RefreshOutcome::Replaced), 0);
        assert_eq!(fixed.age(), Duration::ZERO);
    }
}
