//! Counts events.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{Shared, tally::Tally};
use crate::observer::{Event, Hit, Refresh};

/// How a cache has done since it was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Records in memory, about: those that are not good any more are counted until they leave.
    pub entries: u64,
    /// Answers from a cached record.
    pub hits: u64,
    /// Answers from the memory of kids without a good record.
    pub negative_hits: u64,
    /// Answers from a cached record in grace, while neither the feed nor the store could be asked.
    pub unconfirmed_hits: u64,
    /// Kids that were not in memory.
    pub misses: u64,
    /// Requests for which the store was asked because the change feed was not read lately, or there is no cache.
    pub direct_validations: u64,
    /// Invented kids that were refused without asking the store.
    pub prefilter_rejects: u64,
    /// Denied requests, for all reasons together.
    pub denied: u64,
    /// Answers of the store.
    pub loads: u64,
    /// Answers of the store that were thrown away because of an invalidation.
    pub loads_discarded: u64,
    /// Records that were loaded again before their time was over, whatever came of it.
    pub refreshes: u64,
    /// Those of them for which the store could not be asked.
    pub refreshes_failed: u64,
    /// Rows that are not as this crate wrote them.
    pub rows_rejected: u64,
    /// Failures of the store.
    pub store_failures: u64,
    /// Times that everything was dropped because changes may have been missed.
    pub feed_gaps: u64,
    /// Changes that were still to be read when the change feed was last read.
    pub feed_behind: u64,
    /// Changes heard on the bus before they were read in the feed.
    pub bus_heard: u64,
    /// Changes told on the bus.
    pub bus_told: u64,
    /// Times that the feed was read at once since a change was not heard on the bus.
    pub bus_gaps: u64,
    /// Times that the bus went down.
    pub bus_failures: u64,
    /// Whether the bus works.
    pub bus: BusState,
    /// For how long from now the cache may answer without reading the change feed again; zero if
    /// it asks the store for every request.
    pub confirmed_for: Duration,
}

/// Whether changes reach this cache, and others from it, before the feed is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BusState {
    /// The cache has no bus.
    #[default]
    None,
    /// Notices are heard and told.
    Up,
    /// It does not answer, or nobody spawned [`follow`](super::ApiKeyCache::follow): changes arrive with the
    /// next reading of the feed.
    Down,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    hits: Tally,
    negative_hits: Tally,
    unconfirmed_hits: Tally,
    misses: Tally,
    direct_validations: Tally,
    prefilter_rejects: Tally,
    denied: Tally,
    loads: Tally,
    loads_discarded: Tally,
    refreshes: Tally,
    refreshes_failed: Tally,
    rows_rejected: Tally,
    store_failures: Tally,
    feed_gaps: Tally,
    feed_behind: AtomicU64,
    bus_heard: Tally,
    bus_told: Tally,
    bus_gaps: Tally,
    bus_failures: Tally,
}

impl Counters {
    pub(super) fn count(&self, event: &Event) {
        let mut amount = 1;
        if let Event::FeedRead { behind, .. } = event {
            self.feed_behind.store(*behind, Ordering::Relaxed);
        }
        let counter = match event {
            Event::Hit(Hit::Positive) => &self.hits,
            Event::Hit(Hit::Negative) => &self.negative_hits,
            Event::Hit(Hit::Unconfirmed) => &self.unconfirmed_hits,
            Event::Miss => &self.misses,
            Event::DirectValidation => &self.direct_validations,
            Event::PrefilterReject => &self.prefilter_rejects,
            Event::Denied(_) => &self.denied,
            Event::Loaded { .. } => &self.loads,
            Event::LoadDiscarded(_) => &self.loads_discarded,
            Event::Refreshed(outcome) => {
                if *outcome == Refresh::Failed {
                    self.refreshes_failed.add(1);
                }
                &self.refreshes
            }
            Event::RowRejected { .. } => &self.rows_rejected,
            Event::StoreFailed(_) => &self.store_failures,
            Event::FeedGap(_) => &self.feed_gaps,
            Event::BusHeard { changes } => {
                amount = *changes;
                &self.bus_heard
            }
            Event::BusTold { changes } => {
                amount = *changes;
                &self.bus_told
            }
            Event::BusGap => &self.bus_gaps,
            Event::BusFailed(_) => &self.bus_failures,
            Event::Applied { .. }
            | Event::Confirmed { .. }
            | Event::Effective { .. }
            | Event::Detached
            | Event::Rehashed { .. }
            | Event::FeedRead { .. }
            | Event::Warmed { .. }
            | Event::ScopesMissing => return,
        };
        counter.add(amount);
    }
}

impl Shared {
    pub(super) fn stats(&self) -> CacheStats {
        let counters = &self.counters;
        let until = Duration::from_nanos(self.confirmed_until.load(Ordering::SeqCst));
        CacheStats {
            entries: self.fenced.len(),
            hits: counters.hits.total(),
            negative_hits: counters.negative_hits.total(),
            unconfirmed_hits: counters.unconfirmed_hits.total(),
            misses: counters.misses.total(),
            direct_validations: counters.direct_validations.total(),
            prefilter_rejects: counters.prefilter_rejects.total(),
            denied: counters.denied.total(),
            loads: counters.loads.total(),
            loads_discarded: counters.loads_discarded.total(),
            refreshes: counters.refreshes.total(),
            refreshes_failed: counters.refreshes_failed.total(),
            rows_rejected: counters.rows_rejected.total(),
            store_failures: counters.store_failures.total(),
            feed_gaps: counters.feed_gaps.total(),
            feed_behind: counters.feed_behind.load(Ordering::Relaxed),
            bus_heard: counters.bus_heard.total(),
            bus_told: counters.bus_told.total(),
            bus_gaps: counters.bus_gaps.total(),
            bus_failures: counters.bus_failures.total(),
            bus: match &self.bus {
                None => BusState::None,
                Some(_) if self.following.bus_works() => BusState::Up,
                Some(_) => BusState::Down,
            },
            confirmed_for: until.saturating_sub(self.clock.monotonic()),
        }
    }
}
