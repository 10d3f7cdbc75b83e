//! The last calls of the last seconds.

use std::time::Duration;

use crate::settings::BreakerSettings;

/// The last calls that ended, at most so many and none older than so long.
#[derive(Debug)]
pub(crate) struct Window {
    /// A ring of microseconds, with the lowest bit set for a failure.
    calls: Box<[u64]>,
    oldest: usize,
    len: usize,
    failures: usize,
    latest: u64,
    time: u64,
}

impl Window {
    pub(crate) fn new(settings: &BreakerSettings) -> Self {
        let calls = usize::try_from(settings.window_calls.get()).unwrap_or(usize::MAX);
        Self {
            calls: vec![0; calls].into(),
            oldest: 0,
            len: 0,
            failures: 0,
            latest: 0,
            time: micros(settings.window_time),
        }
    }

    /// Adds a call that ended at `now`. A time before the latest counts as that.
    #[inline]
    pub(crate) fn push(&mut self, now: Duration, is_failure: bool) {
        self.latest = self.latest.max(micros(now));
        while self.len > 0 && (self.calls[self.oldest] >> 1) + self.time <= self.latest {
            self.pop();
        }
        if self.len == self.calls.len() {
            self.pop();
        }
        let mut place = self.oldest + self.len;
        if place >= self.calls.len() {
            place -= self.calls.len();
        }
        self.calls[place] = self.latest << 1 | u64::from(is_failure);
        self.len += 1;
        self.failures += usize::from(is_failure);
    }

    /// Whether there are enough calls, and enough of them have failed.
    #[inline]
    pub(crate) fn is_over(&self, settings: &BreakerSettings) -> bool {
        let (calls, failed) = (self.len as u64, self.failures as u64);
        let of_calls = u64::from(settings.of_calls.get());
        calls >= of_calls && failed * of_calls >= calls * u64::from(settings.failures.get())
    }

    pub(crate) fn clear(&mut self) {
        (self.oldest, self.len, self.failures) = (0, 0, 0);
    }

    fn pop(&mut self) {
        self.failures -= usize::from(self.calls[self.oldest] & 1 == 1);
        self.len -= 1;
        self.oldest += 1;
        if self.oldest == self.calls.len() {
            self.oldest = 0;
        }
    }
}

/// Below 2⁶², so that a bit fits beside it and two can be added.
fn micros(time: Duration) -> u64 {
    let most = u64::MAX >> 2;
    u64::try_from(time.as_micros()).map_or(most, |micros| micros.min(most))
}
