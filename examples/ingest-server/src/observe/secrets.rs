//! Secrets that are read again while the service runs, as metrics.

use portcullis_telemetry::{
    BoundedFamily, Label, MetricError, Registry, prometheus_client::metrics::counter::Counter,
};

use super::SMALL;
use crate::backend::{RefreshOutcome, SecretHealth, SecretObserver};

/// Counts looks by what came of them.
#[derive(Debug)]
pub(crate) struct SecretMetrics {
    refreshes: BoundedFamily<1, Counter>,
}

const ALL: [RefreshOutcome; 4] = [
    RefreshOutcome::Unchanged,
    RefreshOutcome::Replaced,
    RefreshOutcome::Refused,
    RefreshOutcome::Unavailable,
];

impl SecretMetrics {
    /// Every series is there from the start, so that an alert sees the first one.
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let refreshes = registry.counter_family(
            "ingest_secret_refreshes",
            "Looks at what holds the secrets, by what came of them; refused: the set before stays",
            [Label::closed("outcome", ALL.map(label))],
            SMALL,
        )?;
        for outcome in ALL {
            refreshes.with([label(outcome)]).inc_by(0);
        }
        Ok(Self { refreshes })
    }
}

/// Tells how long ago the secrets in use were last found to be those that there are.
pub(crate) fn register_secrets(
    registry: &Registry,
    health: &SecretHealth,
) -> Result<(), MetricError> {
    let health = health.clone();
    registry.observed_gauge(
        "ingest_secrets_age_seconds",
        "How long ago the secrets in use were last found to be those that there are",
        move || health.age().as_secs_f64(),
    )
}

impl SecretObserver for SecretMetrics {
    fn observe(&self, outcome: RefreshOutcome) {
        self.refreshes.with([label(outcome)]).inc();
    }
}

const fn label(outcome: RefreshOutcome) -> &'static str {
    match outcome {
        RefreshOutcome::Unchanged => "unchanged",
        RefreshOutcome::Replaced => "replaced",
        RefreshOutcome::Refused => "refused",
        RefreshOutcome::Unavailable => "unavailable",
    }
}
