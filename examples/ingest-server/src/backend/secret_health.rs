//! Whether the secrets in use are those that there are.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::RefreshOutcome;
use crate::clock::{Clock, SystemClock};

/// Cheap to clone; clones share what is known.
#[derive(Debug, Clone)]
pub(crate) struct SecretHealth {
    known: Arc<Mutex<Known>>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    outcome: RefreshOutcome,
    /// By the monotonic clock, when those in use were last found to be what there is.
    confirmed_at: Duration,
}

impl SecretHealth {
    /// They have just been read.
    pub(super) fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let known = Known {
            outcome: RefreshOutcome::Unchanged,
            confirmed_at: clock.monotonic(),
        };
        let known = Arc::new(Mutex::new(known));
        Self { known, clock }
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

    /// How long ago those in use were last found to be what there is.
    pub(crate) fn age(&self) -> Duration {
        let confirmed_at = self.known().confirmed_at;
        self.clock.monotonic().saturating_sub(confirmed_at)
    }

    fn known(&self) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
