//! What verifications have come to since the start.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};

use time::OffsetDateTime;

/// Numbers for gauges. Clones are the same; it holds nothing of the service.
#[derive(Debug, Clone, Default)]
pub(crate) struct VerificationTally(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    failures: AtomicU64,
    /// Unix time; 0 before the first.
    last_success: AtomicI64,
}

impl VerificationTally {
    /// How many did not find the log sound, or did not end.
    pub(crate) fn failures(&self) -> u64 {
        self.0.failures.load(Relaxed)
    }

    /// When all of the log was found sound.
    pub(crate) fn last_success(&self) -> Option<OffsetDateTime> {
        let seconds = self.0.last_success.load(Relaxed);
        let at = (seconds != 0).then(|| OffsetDateTime::from_unix_timestamp(seconds));
        at.and_then(Result::ok)
    }

    pub(super) fn failed(&self) {
        self.0.failures.fetch_add(1, Relaxed);
    }

    pub(super) fn succeeded(&self, at: OffsetDateTime) {
        self.0.last_success.store(at.unix_timestamp(), Relaxed);
    }
}
