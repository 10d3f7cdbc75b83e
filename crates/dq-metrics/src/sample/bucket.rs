//! How many samples may be captured: a token bucket on a clock that is a parameter.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::clock::Clock;

/// A token bucket over captures.
#[derive(Debug)]
pub(crate) struct Bucket(RateLimiter<NotKeyed, InMemoryState, Elapsed, NoOpMiddleware<Duration>>);

/// Our clock as the bucket wants it.
#[derive(Clone, Debug)]
struct Elapsed(Arc<dyn Clock>);

// === impl Bucket ===

impl Bucket {
    pub(crate) fn new(per_second: NonZeroU32, burst: NonZeroU32, clock: Arc<dyn Clock>) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self(RateLimiter::direct_with_clock(quota, Elapsed(clock)))
    }

    pub(super) fn takes_one(&self) -> bool {
        self.0.check().is_ok()
    }
}

// === impl Elapsed ===

impl governor::clock::Clock for Elapsed {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;

    #[test]
    fn a_burst_empties_the_bucket_and_time_refills_it() {
        let clock = Arc::new(FakeClock::default());
        let [rate, burst] = [2, 3].map(|n| NonZeroU32::new(n).unwrap());
        let bucket = Bucket::new(rate, burst, clock.clone());
        let taken = || (0..10).filter(|_| bucket.takes_one()).count();
        assert_eq!(taken(), 3);
        clock.advance(Duration::from_secs(1));
        assert_eq!(taken(), 2);
        clock.set(std::time::UNIX_EPOCH);
        clock.advance(Duration::from_secs(60));
        assert_eq!(taken(), 3, "a wall clock that steps back stops nothing");
    }
}
