//! When to try again.

use std::time::Duration;

/// How long to wait after each attempt that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySchedule {
    delays: &'static [Duration],
    ends: bool,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Ten attempts in 75 hours and 35 minutes: the first at once, and nine later.
const STANDARD_WEBHOOKS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(5 * HOUR),
    Duration::from_secs(10 * HOUR),
    Duration::from_secs(14 * HOUR),
    Duration::from_secs(20 * HOUR),
    Duration::from_secs(24 * HOUR),
];

const FOR_EVER: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(MINUTE),
    Duration::from_secs(2 * MINUTE),
    Duration::from_secs(5 * MINUTE),
];

impl RetrySchedule {
    /// The schedule that Standard Webhooks advises: 10 attempts, after 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h.
    #[must_use]
    pub const fn standard_webhooks() -> Self {
        Self {
            delays: &STANDARD_WEBHOOKS,
            ends: true,
        }
    }

    /// For what the operator runs: after 1 s, 5 s, 15 s, 1 min, 2 min, and then each 5 min.
    #[must_use]
    pub const fn for_ever() -> Self {
        Self {
            delays: &FOR_EVER,
            ends: false,
        }
    }

    /// How long to wait after so many attempts that failed, one at the least. `None` if there is none any more.
    #[must_use]
    pub fn delay(&self, failed: usize) -> Option<Duration> {
        let delay = self.delays.get(failed.saturating_sub(1));
        let last = self.delays.last().filter(|_| !self.ends);
        delay.or(last).copied()
    }
}
