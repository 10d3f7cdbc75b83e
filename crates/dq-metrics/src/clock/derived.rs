//! One reading of a clock for two of them.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{Clock, UnixMillis};

/// What the wall clock says, by the monotonic one: an event needs one reading of a clock for both. How far the two
/// are apart is read once a second, so that a wall clock that is set is followed within that.
#[derive(Debug)]
pub(crate) struct WallByMonotonic {
    /// Milliseconds from the monotonic clock to the wall clock, modulo 2^64.
    apart: AtomicU64,
    read_at: AtomicU64,
}

impl WallByMonotonic {
    const REREAD_AFTER_MILLIS: u64 = 1_000;

    pub(crate) fn new(clock: &dyn Clock) -> Self {
        let wall = Self {
            apart: AtomicU64::new(0),
            read_at: AtomicU64::new(0),
        };
        wall.read(clock, whole_millis(clock.monotonic()));
        wall
    }

    pub(crate) fn at(&self, clock: &dyn Clock, monotonic: Duration) -> UnixMillis {
        let monotonic = whole_millis(monotonic);
        let age = monotonic.saturating_sub(self.read_at.load(Ordering::Relaxed));
        if age >= Self::REREAD_AFTER_MILLIS {
            self.read(clock, monotonic);
        }
        UnixMillis::new(self.apart.load(Ordering::Relaxed).wrapping_add(monotonic))
    }

    fn read(&self, clock: &dyn Clock, monotonic: u64) {
        let wall = UnixMillis::saturating_from(clock.wall()).value();
        self.apart
            .store(wall.wrapping_sub(monotonic), Ordering::Relaxed);
        self.read_at.store(monotonic, Ordering::Relaxed);
    }
}

pub(crate) fn whole_millis(time: Duration) -> u64 {
    let seconds = time.as_secs().saturating_mul(1_000);
    seconds.saturating_add(u64::from(time.subsec_millis()))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::clock::FakeClock;

    #[test]
    fn the_wall_clock_is_followed_within_a_second() {
        let clock = FakeClock::default();
        let wall = WallByMonotonic::new(&clock);
        let now = || wall.at(&clock, clock.monotonic());
        for millis in [0, 1, 998, 1_000, 86_400_000] {
            clock.advance(Duration::from_millis(millis));
            assert_eq!(now(), UnixMillis::saturating_from(clock.wall()));
        }
        for set in [UNIX_EPOCH, UNIX_EPOCH + Duration::from_hours(500_000)] {
            clock.set_wall(set);
            clock.advance(Duration::from_secs(1));
            assert_eq!(now(), UnixMillis::saturating_from(clock.wall()));
        }
    }
}
