//! Values that are sealed and opened, and how long each takes.

use portcullis_pii_crypto::{
    PiiKinds,
    observer::{Event, Observer, Operation, Outcome},
};
use portcullis_telemetry::{
    BoundedFamily, Buckets, Label, MetricError, Registry,
    prometheus_client::metrics::{counter::Counter, histogram::Histogram},
};

use super::SERIES;

/// Counts and measures what ciphers do.
#[derive(Debug)]
pub(crate) struct CipherMetrics {
    values: BoundedFamily<3, Counter>,
    seal_seconds: Histogram,
    open_seconds: Histogram,
}

/// A value takes about a microsecond; one that takes a thousand waits for the processor.
const SECONDS: [f64; 10] = [
    0.000_000_5,
    0.000_001,
    0.000_002_5,
    0.000_005,
    0.000_01,
    0.000_025,
    0.000_05,
    0.000_1,
    0.001,
    0.01,
];

impl CipherMetrics {
    /// Every failure is there from the start: an alert on the first would not see a series that is born
    /// at 1.
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let operation = Label::closed("operation", Operation::ALL.map(Operation::as_str));
        let values = registry.counter_family(
            "pii_cipher_values",
            "Values that ciphers sealed or opened, and how each ended",
            [
                operation.clone(),
                super::pii::purpose(),
                Label::closed("outcome", Outcome::ALL.map(Outcome::as_str)),
            ],
            SERIES,
        )?;
        for kind in PiiKinds::built_in().iter() {
            for operation in Operation::ALL {
                for outcome in Outcome::ALL.into_iter().filter(|it| ends(operation, *it)) {
                    let purpose = kind.purpose();
                    let labels = [operation.as_str(), purpose.as_str(), outcome.as_str()];
                    let _ = values.with(labels);
                }
            }
        }
        let seconds = registry.histogram_family(
            "pii_cipher_seconds",
            "Time that one value took to be sealed or opened",
            [operation],
            Buckets::new(SECONDS),
            SERIES,
        )?;
        Ok(Self {
            values,
            seal_seconds: seconds.with([Operation::Seal.as_str()]),
            open_seconds: seconds.with([Operation::Open.as_str()]),
        })
    }
}

impl Observer for CipherMetrics {
    fn observe(&self, event: &Event<'_>) {
        let labels = [
            event.operation.as_str(),
            event.purpose,
            event.outcome.as_str(),
        ];
        self.values.with(labels).inc();
        let seconds = match event.operation {
            Operation::Seal => &self.seal_seconds,
            _ => &self.open_seconds,
        };
        seconds.observe(event.took.as_secs_f64());
    }
}

/// Whether an operation can end so.
const fn ends(operation: Operation, outcome: Outcome) -> bool {
    match operation {
        Operation::Seal => matches!(
            outcome,
            Outcome::Ok
                | Outcome::NoKey
                | Outcome::StaleKeys
                | Outcome::InvalidContext
                | Outcome::TooLong
                | Outcome::NoEntropy
        ),
        _ => matches!(
            outcome,
            Outcome::Ok
                | Outcome::NeedsKey
                | Outcome::Rejected
                | Outcome::KeyUnavailable
                | Outcome::KeyDestroyed
                | Outcome::KeyNotOpened
        ),
    }
}
