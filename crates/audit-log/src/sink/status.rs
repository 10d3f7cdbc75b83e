//! How far a sink has come.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::event::Timestamp;

/// What a follower tells about itself while it runs.
#[derive(Debug, Default)]
pub struct SinkStatus {
    next: AtomicU64,
    /// In microseconds since 1970; none is 0.
    oldest: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    missed: AtomicU64,
}

impl SinkStatus {
    /// The leaf that is delivered next. What the log has behind it is what the sink lags by, in events.
    pub fn next(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// How long the oldest leaf has been waiting that is not delivered. Zero if there is none.
    pub fn lag(&self, now: Timestamp) -> Duration {
        let oldest = self.oldest.load(Ordering::Relaxed);
        if oldest == 0 {
            return Duration::ZERO;
        }
        Duration::from_micros(now.unix_micros().saturating_sub(oldest))
    }

    /// How many leaves were delivered.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// How many attempts failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// How many leaves were pruned before they were delivered.
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    pub(super) fn at(&self, next: u64) {
        self.next.store(next, Ordering::Relaxed);
    }

    pub(super) fn waits(&self, oldest: Option<Timestamp>) {
        let oldest = oldest.map_or(0, Timestamp::unix_micros);
        self.oldest.store(oldest, Ordering::Relaxed);
    }

    pub(super) fn has_delivered(&self, leaves: u64) {
        self.delivered.fetch_add(leaves, Ordering::Relaxed);
    }

    pub(super) fn has_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn has_missed(&self, leaves: u64) {
        self.missed.fetch_add(leaves, Ordering::Relaxed);
    }
}
