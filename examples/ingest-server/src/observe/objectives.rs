//! Whether what the service promises was kept, as a metric.

use std::time::Duration;

use portcullis_apikey_cache::EffectiveBy;
use portcullis_telemetry::{MetricError, Registry, prometheus_client::metrics::counter::Counter};

use crate::{
    pipeline::objectives::{ObjectiveObserver, Slo, Verdict},
    slo::{Counts, ObjectiveCounts},
};

/// Counts what objectives are about, and what of it was bad.
#[derive(Debug)]
pub(crate) struct ObjectiveMetrics {
    /// In the order of [`Slo::ALL`] and, within, of [`Verdict::ALL`].
    verdicts: [[Counter; 2]; 4],
}

/// A change that all others said to have applied: half a second until they read the outbox, and as long again where
/// a message was lost.
const ACKNOWLEDGED: Duration = Duration::from_secs(1);

/// One that not all answered for: the three seconds of a lease, and what a timer may be late.
const LEASES_EXPIRED: Duration = Duration::from_millis(3_500);

impl ObjectiveMetrics {
    /// Every series is there from the start.
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let family = registry.closed_counter_family(
            "slo_requests",
            "What the objectives are about, by whether it was as promised: answers of /v1, answers 2xx of /v1, \
             accepted events, revocations",
            [
                ("slo", &Slo::ALL.map(Slo::as_str)[..]),
                ("verdict", &Verdict::ALL.map(Verdict::as_str)),
            ],
        )?;
        let verdicts = Slo::ALL
            .map(|slo| Verdict::ALL.map(|verdict| family.with([slo.as_str(), verdict.as_str()])));
        Ok(Self { verdicts })
    }

    /// A revocation is in effect everywhere.
    pub(super) fn revoked(&self, took: Duration, how: EffectiveBy) {
        let bound = match how {
            EffectiveBy::Acknowledged => ACKNOWLEDGED,
            _ => LEASES_EXPIRED,
        };
        self.decided(Slo::Revocation, Verdict::good_if(took <= bound), 1);
    }
}

impl ObjectiveObserver for ObjectiveMetrics {
    fn decided(&self, slo: Slo, verdict: Verdict, times: u64) {
        self.verdicts[slo as usize][verdict as usize].inc_by(times);
    }
}

impl ObjectiveCounts for ObjectiveMetrics {
    fn counted(&self) -> [Counts; 4] {
        self.verdicts.each_ref().map(|[good, bad]| Counts {
            good: good.get(),
            bad: bad.get(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{movement::assert_moved, scraped};

    fn sample(slo: Slo, verdict: Verdict) -> String {
        let (slo, verdict) = (slo.as_str(), verdict.as_str());
        format!("slo_requests_total{{slo=\"{slo}\",verdict=\"{verdict}\"}}")
    }

    #[test]
    fn each_verdict_has_a_series_of_its_own_from_the_start() {
        let registry = Registry::new();
        let metrics = ObjectiveMetrics::register(&registry).unwrap();
        for (times, slo) in (1..).zip(Slo::ALL) {
            for verdict in Verdict::ALL {
                let before = scraped(&registry);
                assert_eq!(before[&sample(slo, verdict)], 0.0);
                metrics.decided(slo, verdict, times);
                let after = scraped(&registry);
                assert_moved(&before, &after, ["slo_requests_total"]);
                assert_eq!(
                    after[&sample(slo, verdict)],
                    f64::from(u32::try_from(times).unwrap())
                );
            }
        }
    }

    #[test]
    fn a_revocation_is_late_beyond_the_bound_that_applied() {
        let registry = Registry::new();
        let metrics = ObjectiveMetrics::register(&registry).unwrap();
        let (acknowledged, expired) = (EffectiveBy::Acknowledged, EffectiveBy::LeasesExpired);
        for (took, how, good, bad) in [
            (1_000, acknowledged, 1.0, 0.0),
            (1_001, acknowledged, 1.0, 1.0),
            (3_500, expired, 2.0, 1.0),
            (3_501, expired, 2.0, 2.0),
        ] {
            metrics.revoked(Duration::from_millis(took), how);
            let after = scraped(&registry);
            assert_eq!(
                after[&sample(Slo::Revocation, Verdict::Good)],
                good,
                "{took}"
            );
            assert_eq!(after[&sample(Slo::Revocation, Verdict::Bad)], bad, "{took}");
        }
    }
}
