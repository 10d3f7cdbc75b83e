//! How long to wait before the next try to connect.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

const FIRST: Duration = Duration::from_millis(50);
const MOST: Duration = Duration::from_secs(1);

/// 50 ms at first and twice as long each time, at most 1 s: a breaker before the store tries it more and more
/// seldom, and should find a connection when it does. A random part of up to half is taken off, so that
/// processes which lost one server together do not come back together.
#[derive(Debug)]
pub(super) struct Backoff {
    tries: u32,
    random: RandomState,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self {
            tries: 0,
            random: RandomState::new(),
        }
    }

    pub(super) fn next_delay(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.tries.min(16)).min(MOST);
        let random = self.random.hash_one(self.tries) % 1_024;
        self.tries = self.tries.saturating_add(1);
        let part = u32::try_from(random).unwrap_or_default();
        whole - whole / 2 * part / 1_024
    }
}

#[cfg(test)]
mod tests;
