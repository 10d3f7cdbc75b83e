//! Secrets that were tried and not accepted, as metrics. The log line is written where the attempt is.

use portcullis_telemetry::{
    BoundedFamily, Label, MetricError, Registry, prometheus_client::metrics::counter::Counter,
};

use super::SMALL;
use crate::pipeline::failed_attempts::{AttemptFault, AttemptObserver, FailedAttempt, TriedSecret};

/// Counts failures by listener and kind; addresses are no labels, the log has them.
#[derive(Debug)]
pub(crate) struct AttemptMetrics {
    admin: BoundedFamily<1, Counter>,
    public: BoundedFamily<1, Counter>,
    slowed: BoundedFamily<1, Counter>,
}

impl AttemptMetrics {
    /// Every series is there from the start, for alerts on the first failure.
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let reason = Label::closed("reason", AttemptFault::ALL.map(AttemptFault::as_str));
        let metrics = Self {
            admin: registry.counter_family(
                "admin_auth_failures",
                "Requests of the admin listener without the right admin token",
                [reason.clone()],
                SMALL,
            )?,
            public: registry.counter_family(
                "apikey_auth_failures",
                "Requests of the public listener without a valid API key",
                [reason],
                SMALL,
            )?,
            slowed: registry.counter_family(
                "auth_failures_slowed",
                "Failed attempts answered with 429, since their client network had failed too often",
                [Label::closed("secret", TriedSecret::ALL.map(TriedSecret::as_str))],
                SMALL,
            )?,
        };
        for fault in AttemptFault::ALL {
            let _ = metrics.admin.with([fault.as_str()]);
            let _ = metrics.public.with([fault.as_str()]);
        }
        for secret in TriedSecret::ALL {
            let _ = metrics.slowed.with([secret.as_str()]);
        }
        Ok(metrics)
    }
}

impl AttemptObserver for AttemptMetrics {
    fn observe(&self, attempt: FailedAttempt) {
        let failures = match attempt.secret {
            TriedSecret::AdminToken => &self.admin,
            TriedSecret::ApiKey => &self.public,
        };
        failures.with([attempt.fault.as_str()]).inc();
        if attempt.is_slowed {
            self.slowed.with([attempt.secret.as_str()]).inc();
        }
    }
}
