//! What is done with personal data, as metrics.

use portcullis_pii_crypto::{PiiKind, PiiKinds};
use portcullis_pii_detect::Kind;
use portcullis_telemetry::{
    BoundedFamily, MetricError, Registry, prometheus_client::metrics::counter::Counter,
};

use super::SERIES;
use crate::{
    detection::Handling,
    lead::LeadColumn,
    pipeline::pii::{PiiObserver, PiiOperation, PiiOutcome},
};

/// Counts values that are sealed, opened and looked up, by what their keys are for; and what is found
/// where no schema declares any.
#[derive(Debug)]
pub(crate) struct PiiMetrics {
    operations: BoundedFamily<3, Counter>,
    detected: BoundedFamily<2, Counter>,
}

impl PiiMetrics {
    /// Every series is there from the start: an alert on the first failure would not see one that is
    /// born at 1.
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let operations = registry.counter_family(
            "pii_operations",
            "Values of personal data that were sealed, opened or looked up, and what came of it",
            ["operation", "purpose", "outcome"],
            SERIES,
        )?;
        for kind in PiiKinds::built_in().iter() {
            let purpose = kind.purpose();
            for operation in PiiOperation::ALL {
                let mut by_part = LeadColumn::found_by_part();
                let is_looked_up = kind.is_indexed() || by_part.any(|it| it.kind() == kind);
                if operation == PiiOperation::Index && !is_looked_up {
                    continue;
                }
                for outcome in PiiOutcome::ALL {
                    let _ =
                        operations.with([operation.as_str(), purpose.as_str(), outcome.as_str()]);
                }
            }
        }
        let detected = registry.counter_family(
            "pii_detected",
            "Values in which personal data was found that no schema declares, and what became of them",
            ["kind", "handling"],
            SERIES,
        )?;
        for kind in Kind::ALL {
            for handling in [Handling::Reject, Handling::Seal] {
                let _ = detected.with([kind.as_str(), handling.as_str()]);
            }
        }
        Ok(Self {
            operations,
            detected,
        })
    }
}

impl PiiObserver for PiiMetrics {
    fn observe(&self, operation: PiiOperation, kind: PiiKind, outcome: PiiOutcome) {
        let purpose = kind.purpose();
        let labels = [operation.as_str(), purpose.as_str(), outcome.as_str()];
        self.operations.with(labels).inc();
    }

    fn detected(&self, kind: Kind, handling: Handling) {
        self.detected.with([kind.as_str(), handling.as_str()]).inc();
    }
}
