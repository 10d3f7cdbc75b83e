//! Whether who holds the key-encryption key could be reached, as its last calls show.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_keyring::observer::{Event, KekOutcome, Observer};

use crate::clock::Clock;

/// Looks at how calls end, beside another who does.
#[derive(Debug)]
pub(crate) struct KekCalls {
    inner: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    /// When the last call found nobody; none once one was answered.
    unanswered: Mutex<Option<Duration>>,
}

/// For how long an unanswered call tells anything: who asks again asks sooner, and where nobody does nobody waits.
const TELLS_FOR: Duration = Duration::from_secs(5 * 60);

impl KekCalls {
    pub(crate) fn new(inner: Arc<dyn Observer>, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            clock,
            unanswered: Mutex::default(),
        }
    }

    /// Whether keys serve from memory alone.
    pub(super) fn find_nobody(&self) -> bool {
        let unanswered = *self.unanswered();
        let now = self.clock.monotonic();
        unanswered.is_some_and(|at| now.saturating_sub(at) < TELLS_FOR)
    }

    fn unanswered(&self) -> MutexGuard<'_, Option<Duration>> {
        self.unanswered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for KekCalls {
    fn observe(&self, event: &Event<'_>) {
        if let Event::KekCalled { outcome, .. } = event {
            // A refusal is an answer.
            let found_nobody = *outcome == KekOutcome::Unavailable;
            *self.unanswered() = found_nobody.then(|| self.clock.monotonic());
        }
        self.inner.observe(event);
    }
}

#[cfg(test)]
mod tests {
    use portcullis_keyring::{KeyId, Purpose, TenantId, kek::KekContext, observer::KekOperation};

    use super::*;
    use crate::clock::ToldClock;

    /// Counts what reaches it.
    #[derive(Debug, Default)]
    struct Counted(Mutex<u32>);

    impl Observer for Counted {
        fn observe(&self, _: &Event<'_>) {
            *self.0.lock().unwrap() += 1;
        }
    }

    #[test]
    fn nobody_is_found_until_a_call_is_answered_or_five_minutes_have_passed() {
        let (tenant, purpose) = (
            TenantId::new("acme").unwrap(),
            Purpose::new("email").unwrap(),
        );
        let key = KekContext::new(tenant, purpose, KeyId::new(1));
        // What is asked; then each failure, and what is asked after it.
        let clock = ToldClock::new([0, 10, 11, 12, 13, 20, 319, 320]);
        let counted = Arc::new(Counted::default());
        let calls = KekCalls::new(Arc::clone(&counted) as _, Arc::new(clock));
        let ended = |outcome| {
            calls.observe(&Event::KekCalled {
                operation: KekOperation::Generate,
                key: &key,
                outcome,
                error: None,
                took: Duration::ZERO,
            });
        };
        assert!(!calls.find_nobody());
        ended(KekOutcome::Unavailable);
        assert!(calls.find_nobody());
        ended(KekOutcome::Rejected);
        assert!(!calls.find_nobody(), "a refusal is an answer");
        ended(KekOutcome::Ok);
        assert!(!calls.find_nobody());
        ended(KekOutcome::Unavailable);
        assert!(calls.find_nobody());
        assert!(!calls.find_nobody());
        assert_eq!(*counted.0.lock().unwrap(), 4, "others see each call too");
    }
}
