//! What is told of the cache.

use std::time::Duration;

use portcullis_apikey_cache::{ApiKeyCache, BusState, CacheStats};
use serde::Serialize;

use crate::admin::{Warming, WarmingState};

/// What the cache has done since the start, and whether it knows of every revocation.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct KeyCacheReport {
    stats: Stats,
    health: Health,
}

#[derive(Debug, Clone, Serialize)]
struct Stats {
    /// Records in memory.
    entries: u64,
    hits: u64,
    negative_hits: u64,
    misses: u64,
    /// The share of look-ups that memory answered; null before the first.
    hit_ratio: Option<f64>,
    direct_validations: u64,
    prefilter_rejects: u64,
    denied: u64,
    loads: u64,
    loads_discarded: u64,
    refreshes: u64,
    refreshes_failed: u64,
    rows_rejected: u64,
    store_failures: u64,
    feed_gaps: u64,
}

#[derive(Debug, Clone, Serialize)]
struct Health {
    state: CacheState,
    confirmed_for_ms: u64,
    /// Changes of the feed that are still to be read.
    feed_behind: u64,
    bus: &'static str,
    warming: WarmingState,
}

/// Whether the memory of keys is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum CacheState {
    Confirmed,
    /// Each request asks the store.
    Unconfirmed,
}

impl KeyCacheReport {
    pub(super) fn of(keys: &ApiKeyCache, warming: &Warming) -> Self {
        let stats = keys.stats();
        let confirmed_for = stats.confirmed_for;
        Self {
            health: Health {
                state: if confirmed_for.is_zero() {
                    CacheState::Unconfirmed
                } else {
                    CacheState::Confirmed
                },
                confirmed_for_ms: milliseconds(confirmed_for),
                feed_behind: stats.feed_behind,
                bus: bus(stats.bus),
                warming: warming.state(),
            },
            stats: Stats::from(stats),
        }
    }
}

impl From<CacheStats> for Stats {
    fn from(stats: CacheStats) -> Self {
        let CacheStats {
            entries,
            hits,
            negative_hits,
            misses,
            direct_validations,
            prefilter_rejects,
            denied,
            loads,
            loads_discarded,
            refreshes,
            refreshes_failed,
            rows_rejected,
            store_failures,
            feed_gaps,
            ..
        } = stats;
        let from_memory = hits.saturating_add(negative_hits);
        let from_store = misses.saturating_add(direct_validations);
        Self {
            entries,
            hits,
            negative_hits,
            misses,
            hit_ratio: ratio(from_memory, from_memory.saturating_add(from_store)),
            direct_validations,
            prefilter_rejects,
            denied,
            loads,
            loads_discarded,
            refreshes,
            refreshes_failed,
            rows_rejected,
            store_failures,
            feed_gaps,
        }
    }
}

/// To four digits.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    let digits = u128::from(part) * 10_000 / u128::from(whole.max(1));
    let digits = u32::try_from(digits).ok()?;
    (whole > 0).then(|| f64::from(digits) / 10_000.0)
}

const fn bus(state: BusState) -> &'static str {
    match state {
        BusState::Up => "up",
        BusState::Down => "down",
        _ => "none",
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_has_four_digits_and_none_of_nothing() {
        assert_eq!(ratio(0, 0), None);
        assert_eq!(ratio(0, 3), Some(0.0));
        assert_eq!(ratio(2, 3), Some(0.6666));
        assert_eq!(ratio(u64::MAX, u64::MAX), Some(1.0));
    }
}
