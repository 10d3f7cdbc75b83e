//! Data keys and calls of the key-encryption key, as metrics and log lines.

use portcullis_keyring::observer::{Event, KekOperation, KekOutcome, Observer};
use portcullis_telemetry::{
    BoundedFamily, Buckets, Label, MetricError, Registry,
    prometheus_client::metrics::{counter::Counter, histogram::Histogram},
};

use super::{SMALL, in_span};
use crate::pipeline::key_lookups::KeyLookups;

/// Counts calls of the key-encryption key, look-ups in the cache of unwrapped keys, and what went
/// wrong.
#[derive(Debug)]
pub(crate) struct DataKeyMetrics {
    provider: &'static str,
    kek_calls: BoundedFamily<3, Counter>,
    kek_seconds: Histogram,
    hits: Counter,
    misses: Counter,
    faults: BoundedFamily<1, Counter>,
}

const SOURCES: [&str; 2] = ["memory", "kek"];

const REFRESH_FAILED: &str = "refresh_failed";
const STATES_UNAVAILABLE: &str = "states_unavailable";
const STATES_STALE: &str = "states_stale";
const REFUSED_KEY: &str = "refused_key";
const UNKNOWN_KEY: &str = "unknown_key";
const FAULTS: [&str; 5] = [
    REFRESH_FAILED,
    STATES_UNAVAILABLE,
    STATES_STALE,
    REFUSED_KEY,
    UNKNOWN_KEY,
];

impl DataKeyMetrics {
    /// `provider` is the label of the configured provider of key-encryption keys.
    pub(crate) fn register(
        registry: &Registry,
        provider: &'static str,
    ) -> Result<Self, MetricError> {
        let lookups = registry.counter_family(
            "keyring_lookups",
            "Look-ups of unwrapped data keys by what answered them",
            [Label::closed("source", SOURCES)],
            SMALL,
        )?;
        let [hits, misses] = SOURCES.map(|source| lookups.with([source]));
        let kek_calls = registry.counter_family(
            "kek_calls",
            "Calls of the key-encryption key, and how they ended",
            [
                Label::from("provider"),
                Label::closed("operation", KekOperation::ALL.map(KekOperation::as_str)),
                Label::closed("outcome", KekOutcome::ALL.map(KekOutcome::as_str)),
            ],
            SMALL,
        )?;
        // There from the start, for alerts on the first failure.
        for operation in KekOperation::ALL {
            for outcome in KekOutcome::ALL {
                let _ = kek_calls.with([provider, operation.as_str(), outcome.as_str()]);
            }
        }
        Ok(Self {
            provider,
            kek_calls,
            kek_seconds: registry.histogram(
                "kek_call_seconds",
                "Time of one call of the key-encryption key",
                Buckets::STAGE_SECONDS,
            )?,
            hits,
            misses,
            faults: registry.closed_counter_family(
                "keyring_faults",
                "Failed refreshes, unreadable or stale states, keys asked for that may not be used",
                [("kind", &FAULTS)],
            )?,
        })
    }

    fn fault(&self, kind: &str) {
        self.faults.with([kind]).inc();
    }
}

impl Observer for DataKeyMetrics {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::KekCalled {
                operation,
                outcome,
                error,
                took,
                ..
            } => {
                let labels = [self.provider, operation.as_str(), outcome.as_str()];
                self.kek_calls.with(labels).inc();
                self.kek_seconds.observe(took.as_secs_f64());
                if let Some(error) = *error {
                    let error: &(dyn std::error::Error + 'static) = error;
                    in_span(|| {
                        tracing::error!(
                            error,
                            "the key-encryption key did not do what it was asked"
                        );
                    });
                }
            }
            Event::CacheHit { .. } => {
                KeyLookups::note_cached();
                self.hits.inc();
            }
            Event::CacheMiss { .. } => {
                KeyLookups::note_unwrapped();
                self.misses.inc();
            }
            Event::RefreshFailed { .. } => self.fault(REFRESH_FAILED),
            Event::StatesUnavailable { .. } => self.fault(STATES_UNAVAILABLE),
            Event::StatesStale { .. } => self.fault(STATES_STALE),
            Event::RefusedKeyRequested { state, .. } => {
                let state = state.as_str();
                in_span(|| tracing::error!(state, "a data key was asked for that may not be used"));
                self.fault(REFUSED_KEY);
            }
            Event::UnknownKeyRequested { .. } => {
                in_span(|| {
                    tracing::warn!("a data key was asked for that the tenant does not have")
                });
                self.fault(UNKNOWN_KEY);
            }
            _ => {}
        }
    }
}
