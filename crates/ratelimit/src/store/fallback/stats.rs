//! What a fallback tells of itself.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_breaker::BreakerState;

use crate::clock::Timestamp;

/// What a [`FallbackStore`](super::FallbackStore) does at present, and has done since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FallbackStats {
    /// Whether the primary is asked.
    pub state: BreakerState,
    /// Since when not every request asks the primary, by the limiter's clock; `None` while the breaker is
    /// closed.
    pub open_since: Option<Timestamp>,
    /// When a request tries the primary again, by the limiter's clock; `None` unless the state is open.
    pub open_until: Option<Timestamp>,
    /// Buckets with tokens that the primary was not told of yet.
    pub unsettled_buckets: usize,
    /// Their tokens.
    pub unsettled_tokens: u64,
    /// The tokens that were admitted in place of the primary, of all limits together.
    pub admitted_tokens: u64,
    /// The tokens that the primary was told of.
    pub settled_tokens: u64,
    /// Requests that were refused because there was no room to remember what they take.
    pub refused_for_room: u64,
}

/// What is only counted.
#[derive(Debug, Default)]
pub(super) struct Totals {
    admitted: AtomicU64,
    settled: AtomicU64,
    refused_for_room: AtomicU64,
}

impl Totals {
    pub(super) fn admit(&self, tokens: u64) {
        self.admitted.fetch_add(tokens, Ordering::Relaxed);
    }

    pub(super) fn settle(&self, tokens: u64) {
        self.settled.fetch_add(tokens, Ordering::Relaxed);
    }

    pub(super) fn refuse_for_room(&self) {
        self.refused_for_room.fetch_add(1, Ordering::Relaxed);
    }

    /// Admitted, settled and refused.
    pub(super) fn read(&self) -> [u64; 3] {
        [&self.admitted, &self.settled, &self.refused_for_room]
            .map(|total| total.load(Ordering::Relaxed))
    }
}
