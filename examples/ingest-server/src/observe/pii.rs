//! What is done with personal data, as metrics.

use portcullis_pii_crypto::{PiiKind, PiiKinds};
use portcullis_pii_detect::Kind;
use portcullis_telemetry::{
    BoundedFamily, Label, MetricError, Registry, prometheus_client::metrics::counter::Counter,
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

/// What is done to a value; one that is left alone is not counted.
const COUNTED: [Handling; 2] = [Handling::Reject, Handling::Seal];

/// What the key of a value is for, as a label.
pub(super) fn purpose() -> Label {
    let kinds = PiiKinds::built_in();
    Label::closed(
        "purpose",
        kinds.iter().map(|kind| kind.purpose().to_string()),
    )
}

impl PiiMetrics {
    /// Every series is there from the start: an alert on the first failure would not see one that is
    /// born at 1.
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let operations = registry.counter_family(
            "pii_operations",
            "Values of personal data that were sealed, opened or looked up, and what came of it",
            [
                Label::closed("operation", PiiOperation::ALL.map(PiiOperation::as_str)),
                purpose(),
                Label::closed("outcome", PiiOutcome::ALL.map(PiiOutcome::as_str)),
            ],
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
            "Values in which personal data was found that no schema declares: they cost their event or were sealed",
            [
                Label::closed("kind", Kind::ALL.iter().map(|kind| kind.as_str())),
                Label::closed("handling", COUNTED.map(Handling::as_str)),
            ],
            SERIES,
        )?;
        for kind in Kind::ALL {
            for handling in COUNTED {
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
