//! API-key checks, as metrics.

mod cache;
mod changes;

use std::{sync::Arc, time::Duration};

use portcullis_apikey_cache::observer::{DenialReason, Event, Hit, Observer};
use portcullis_telemetry::{
    BoundedFamily, Buckets, Label, MetricError, Registry,
    prometheus_client::metrics::{counter::Counter, histogram::Histogram},
};

use self::{cache::CacheMetrics, changes::ChangeMetrics};
use super::{SMALL, in_span, objectives::ObjectiveMetrics};
use crate::pipeline::key_checks::{KeyCheck, KeyCheckObserver};

pub(crate) use self::cache::register_key_cache;

/// Counts where answers came from, why keys were refused, and what went wrong.
#[derive(Debug)]
pub(crate) struct ApiKeyMetrics {
    hits: Counter,
    negative_hits: Counter,
    misses: Counter,
    direct: Counter,
    prefiltered: Counter,
    refusals: BoundedFamily<1, Counter>,
    faults: BoundedFamily<1, Counter>,
    load_seconds: Histogram,
    check_seconds: Histogram,
    cache: CacheMetrics,
    changes: ChangeMetrics,
}

/// From what a check from memory takes to what one of the store does.
const CHECK_SECONDS: [f64; 12] = [
    0.000_000_25,
    0.000_000_5,
    0.000_001,
    0.000_002_5,
    0.000_01,
    0.000_1,
    0.001,
    0.01,
    0.1,
    0.12,
    0.5,
    1.0,
];

const REASONS: [DenialReason; 8] = [
    DenialReason::ForeignFormat,
    DenialReason::InventedKid,
    DenialReason::Unknown,
    DenialReason::Revoked,
    DenialReason::RowRejected,
    DenialReason::WrongSecret,
    DenialReason::NotYetValid,
    DenialReason::Expired,
];

const MEMORY: &str = "memory";
const NEGATIVE: &str = "negative";
const STORE: &str = "store";
const STORE_UNCONFIRMED: &str = "store_unconfirmed";
const PREFILTER: &str = "prefilter";
const SOURCES: [&str; 5] = [MEMORY, NEGATIVE, STORE, STORE_UNCONFIRMED, PREFILTER];

const LOAD_DISCARDED: &str = "load_discarded";
const ROW_REJECTED: &str = "row_rejected";
const STORE_FAILED: &str = "store_failed";
const OUTBOX_GAP: &str = "outbox_gap";
const BUS_GAP: &str = "bus_gap";
const FAULTS: [&str; 5] = [
    LOAD_DISCARDED,
    ROW_REJECTED,
    STORE_FAILED,
    OUTBOX_GAP,
    BUS_GAP,
];

impl ApiKeyMetrics {
    pub(crate) fn register(
        registry: &Registry,
        objectives: Arc<ObjectiveMetrics>,
    ) -> Result<Self, MetricError> {
        let lookups = registry.counter_family(
            "apikey_lookups",
            "API-key checks by what answered them: its memory, its memory of keys that there are not, the \
             database, the database since nobody confirms the memory, or the look of the key",
            [Label::closed("source", SOURCES)],
            SMALL,
        )?;
        let refusals = registry.counter_family(
            "apikey_refusals",
            "Refused API keys by reason, which callers are not told",
            [Label::closed("reason", REASONS.map(DenialReason::as_str))],
            SMALL,
        )?;
        let faults = registry.counter_family(
            "apikey_faults",
            "Rows not served, store failures, gaps in the outbox or on the bus, discarded loads",
            [Label::closed("kind", FAULTS)],
            SMALL,
        )?;
        // There from the start, for alerts on the first.
        for reason in REASONS {
            let _ = refusals.with([reason.as_str()]);
        }
        for kind in FAULTS {
            let _ = faults.with([kind]);
        }
        let [hits, negative_hits, misses, direct, prefiltered] =
            SOURCES.map(|source| lookups.with([source]));
        Ok(Self {
            hits,
            negative_hits,
            misses,
            direct,
            prefiltered,
            refusals,
            faults,
            load_seconds: registry.histogram(
                "apikey_load_seconds",
                "Time to load an API key from the store",
                Buckets::STAGE_SECONDS,
            )?,
            check_seconds: registry.histogram(
                "apikey_check_seconds",
                "Time to check an API key, of one check in 64",
                Buckets::new(CHECK_SECONDS),
            )?,
            cache: CacheMetrics::register(registry)?,
            changes: ChangeMetrics::register(registry, objectives)?,
        })
    }

    fn fault(&self, kind: &str) {
        self.faults.with([kind]).inc();
    }
}

impl Observer for ApiKeyMetrics {
    fn observe(&self, event: &Event) {
        match event {
            Event::Hit(Hit::Positive) => answered(&self.hits, MEMORY),
            Event::Hit(Hit::Negative) => answered(&self.negative_hits, NEGATIVE),
            Event::Miss => answered(&self.misses, STORE),
            Event::DirectValidation => answered(&self.direct, STORE_UNCONFIRMED),
            Event::PrefilterReject => answered(&self.prefiltered, PREFILTER),
            Event::Denied(reason) => {
                KeyCheck::note_refusal(reason.as_str());
                self.refusals.with([reason.as_str()]).inc();
            }
            Event::Loaded { took } => self.load_seconds.observe(took.as_secs_f64()),
            Event::LoadDiscarded(_) => self.fault(LOAD_DISCARDED),
            Event::RowRejected { kid, fault } => {
                in_span(|| tracing::error!(%kid, %fault, "the row of an API key is not intact"));
                self.fault(ROW_REJECTED);
            }
            // Told by the store, which knows the cause.
            Event::StoreFailed(_) => self.fault(STORE_FAILED),
            Event::FeedGap(kind) => {
                in_span(|| tracing::warn!(?kind, "changes of API keys may have been missed"));
                self.fault(OUTBOX_GAP);
            }
            Event::BusGap => self.fault(BUS_GAP),
            event => {
                self.cache.observe(event);
                self.changes.observe(event);
            }
        }
    }
}

impl KeyCheckObserver for ApiKeyMetrics {
    fn checked(&self, took: Duration) {
        self.check_seconds.observe(took.as_secs_f64());
    }
}

/// Counts what answered a check, and tells the check.
fn answered(counter: &Counter, source: &'static str) {
    KeyCheck::note_source(source);
    counter.inc();
}

#[cfg(test)]
mod tests;
