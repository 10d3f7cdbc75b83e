//! How many samples may be captured: a token bucket on a clock that is a parameter.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

use crate::clock::Clock;

/// A token bucket over captures.
#[derive(Debug)]
pub(crate) struct Bucket(RateLimiter<NotKeyed, InMemoryState, Monotonic, NoOpMiddleware<Duration>>);

/// Our clock as the bucket wants it.
#[derive(Clone, Debug)]
struct Monotonic(Arc<dyn Clock>);

impl Bucket {
    pub(crate) fn new(per_second: NonZeroU32, burst: NonZeroU32, clock: Arc<dyn Clock>) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self(RateLimiter::direct_with_clock(quota, Monotonic(clock)))
    }

    pub(super) fn takes_one(&self) -> bool {
        self.0.check().is_ok()
    }
}

impl governor::clock::Clock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

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
        clock.set_wall(UNIX_EPOCH);
        clock.advance(Duration::from_secs(60));
        assert_eq!(taken(), 3, "a wall clock that steps back stops nothing");
    }
}
