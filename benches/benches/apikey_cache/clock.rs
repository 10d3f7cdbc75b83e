//! A clock that costs what the system's does, and stands still.

use std::{
    hint::black_box,
    time::{Duration, SystemTime},
};

use portcullis_apikey_cache::clock::{Clock, SystemClock};

/// What was read of the feed stays confirmed by it, and no record outlives its 60 s: what is measured is
/// a hit, however long that takes.
#[derive(Debug)]
pub(crate) struct StoppedClock {
    wall: SystemTime,
    monotonic: Duration,
}

impl StoppedClock {
    pub(crate) fn new() -> Self {
        let system = SystemClock::new();
        Self {
            wall: system.wall(),
            monotonic: system.monotonic(),
        }
    }
}

impl Clock for StoppedClock {
    fn wall(&self) -> SystemTime {
        black_box(SystemClock::new().wall());
        self.wall
    }

    fn monotonic(&self) -> Duration {
        black_box(SystemClock::new().monotonic());
        self.monotonic
    }
}
