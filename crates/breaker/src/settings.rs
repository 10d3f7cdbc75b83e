//! When a breaker opens, and for how long.

use std::{num::NonZeroU32, time::Duration};

/// When a [`Breaker`](crate::Breaker) opens, and for how long.
///
/// The default opens when at least half of at least 20 calls have failed, of the last 200 calls within
/// 10 s, and stays open for 1 s, twice as long after each probe that fails, at most 30 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    pub(crate) failures: NonZeroU32,
    pub(crate) of_calls: NonZeroU32,
    pub(crate) window_calls: NonZeroU32,
    pub(crate) window_time: Duration,
    pub(crate) open_first: Duration,
    pub(crate) open_most: Duration,
}

impl BreakerSettings {
    /// Opens as soon as there are `of_calls` calls in the window, and `failures` of each `of_calls` of
    /// them have failed: 10 of 20 is half of at least twenty. More failures than calls count as all.
    #[must_use]
    pub fn opens_at(self, failures: NonZeroU32, of_calls: NonZeroU32) -> Self {
        let window_calls = self.window_calls.max(of_calls);
        Self {
            failures: failures.min(of_calls),
            of_calls,
            window_calls,
            ..self
        }
    }

    /// The window holds the last `calls` calls that ended within the last `time`; at least as many calls
    /// as [`opens_at`](Self::opens_at) needs. Eight bytes a call are kept.
    ///
    /// A window of as many calls as it takes to open, all of which fail, opens at so many in a row.
    #[must_use]
    pub fn window(self, calls: NonZeroU32, time: Duration) -> Self {
        Self {
            window_calls: calls.max(self.of_calls),
            window_time: time,
            ..self
        }
    }

    /// Stays open for `first`, twice as long after each probe that fails, and never longer than `most`;
    /// each time up to a quarter shorter, so that processes do not all probe at once.
    #[must_use]
    pub fn stays_open(self, first: Duration, most: Duration) -> Self {
        Self {
            open_first: first.min(most),
            open_most: most,
            ..self
        }
    }
}

impl Default for BreakerSettings {
    fn default() -> Self {
        const fn number(number: u32) -> NonZeroU32 {
            NonZeroU32::new(number).expect("above zero")
        }
        Self {
            failures: const { number(10) },
            of_calls: const { number(20) },
            window_calls: const { number(200) },
            window_time: Duration::from_secs(10),
            open_first: Duration::from_secs(1),
            open_most: Duration::from_secs(30),
        }
    }
}
