//! What is in the memory of API keys, and for how long it may be used.

use portcullis_apikey_cache::{
    ApiKeyCache, BusState,
    observer::{Event, Refresh},
};
use portcullis_telemetry::{
    Buckets, Label, MetricError, Registry,
    prometheus_client::metrics::{counter::Counter, histogram::Histogram},
};

use crate::observe::SMALL;

/// Counts what is loaded before anybody asks for it.
#[derive(Debug)]
pub(super) struct CacheMetrics {
    margin_seconds: Histogram,
    renewed: Counter,
    withdrawn: Counter,
    failed: Counter,
    warmed: Counter,
    not_warmed: Counter,
}

/// The memory may be used for three seconds, which are renewed each 0.4 s.
const MARGIN_SECONDS: [f64; 8] = [0.0, 0.5, 1.0, 1.5, 2.0, 2.25, 2.5, 3.0];

const REFRESHED: [&str; 3] = ["renewed", "withdrawn", "failed"];
const WARMED: [&str; 2] = ["loaded", "failed"];

impl CacheMetrics {
    pub(super) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let refreshes = registry.counter_family(
            "apikey_refreshes",
            "API keys in use that were loaded again before their time was over, by what came of it",
            [Label::closed("outcome", REFRESHED)],
            SMALL,
        )?;
        let warmed = registry.counter_family(
            "apikey_warmed_keys",
            "API keys that were loaded at the start since they were used before, by what came of it",
            [Label::closed("outcome", WARMED)],
            SMALL,
        )?;
        let [renewed, withdrawn, failed] = REFRESHED.map(|outcome| refreshes.with([outcome]));
        let [warmed, not_warmed] = WARMED.map(|outcome| warmed.with([outcome]));
        Ok(Self {
            margin_seconds: registry.histogram(
                "apikey_confirmed_margin_seconds",
                "For how long the memory of API keys could yet have been used when that was renewed",
                Buckets::new(MARGIN_SECONDS),
            )?,
            renewed,
            withdrawn,
            failed,
            warmed,
            not_warmed,
        })
    }

    pub(super) fn observe(&self, event: &Event) {
        match event {
            Event::Confirmed { margin } => self.margin_seconds.observe(margin.as_secs_f64()),
            Event::Refreshed(outcome) => {
                let counter = match outcome {
                    Refresh::Renewed => &self.renewed,
                    Refresh::Withdrawn => &self.withdrawn,
                    _ => &self.failed,
                };
                counter.inc();
            }
            Event::Warmed { loaded, failed } => {
                self.warmed.inc_by(*loaded);
                self.not_warmed.inc_by(*failed);
            }
            _ => {}
        }
    }
}

/// What the cache itself knows, read at each scrape.
pub(crate) fn register_key_cache(
    registry: &Registry,
    keys: &ApiKeyCache,
) -> Result<(), MetricError> {
    let cache = keys.clone();
    registry.observed_gauge("apikey_cache_entries", "API keys in memory", move || {
        number(cache.stats().entries)
    })?;
    let cache = keys.clone();
    registry.observed_gauge(
        "apikey_cache_confirmed_seconds",
        "For how long the memory of API keys may be used from now on; 0: each request asks the store",
        move || cache.stats().confirmed_for.as_secs_f64(),
    )?;
    let cache = keys.clone();
    registry.observed_gauge(
        "apikey_feed_behind",
        "Changes of API keys that were yet to be read when the outbox was last read",
        move || number(cache.stats().feed_behind),
    )?;
    if keys.stats().bus == BusState::None {
        return Ok(());
    }
    let cache = keys.clone();
    registry.observed_gauge(
        "apikey_bus_up",
        "Whether Redis carries changes of API keys between processes",
        move || f64::from(u8::from(cache.stats().bus == BusState::Up)),
    )
}

fn number(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
