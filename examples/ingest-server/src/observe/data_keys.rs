//! Data keys and calls of the key-encryption key, as metrics and log lines.

use portcullis_keyring::observer::{Event, Observer};
use portcullis_telemetry::{
    BoundedFamily, Buckets, MetricError, Registry,
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

impl DataKeyMetrics {
    /// `provider` is the label of the configured provider of key-encryption keys.
    pub(crate) fn register(
        registry: &Registry,
        provider: &'static str,
    ) -> Result<Self, MetricError> {
        let lookups = registry.counter_family(
            "keyring_lookups",
            "Look-ups of unwrapped data keys by what answered them",
            ["source"],
            SMALL,
        )?;
        Ok(Self {
            provider,
            kek_calls: registry.counter_family(
                "kek_calls",
                "Calls of the key-encryption key, and how they ended",
                ["provider", "operation", "outcome"],
                SMALL,
            )?,
            kek_seconds: registry.histogram(
                "kek_call_seconds",
                "Time of one call of the key-encryption key",
                Buckets::STAGE_SECONDS,
            )?,
            hits: lookups.with(["memory"]),
            misses: lookups.with(["kek"]),
            faults: registry.counter_family(
                "keyring_faults",
                "Failed refreshes, unreadable or stale states, keys asked for that may not be used",
                ["kind"],
                SMALL,
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
            Event::RefreshFailed { .. } => self.fault("refresh_failed"),
            Event::StatesUnavailable { .. } => self.fault("states_unavailable"),
            Event::StatesStale { .. } => self.fault("states_stale"),
            Event::RefusedKeyRequested { state, .. } => {
                let state = state.as_str();
                in_span(|| tracing::error!(state, "a data key was asked for that may not be used"));
                self.fault("refused_key");
            }
            Event::UnknownKeyRequested { .. } => {
                in_span(|| {
                    tracing::warn!("a data key was asked for that the tenant does not have")
                });
                self.fault("unknown_key");
            }
            _ => {}
        }
    }
}
