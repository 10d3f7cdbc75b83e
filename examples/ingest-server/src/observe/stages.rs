//! The stages of requests, as metrics.

use std::time::Duration;

use portcullis_telemetry::{
    Buckets, MetricError, Registry,
    prometheus_client::metrics::{counter::Counter, histogram::Histogram},
};

use super::{SERIES, SMALL};
use crate::pipeline::stages::{Stage, StageFailure, StageObserver};

/// How long each stage takes, and how often it ends a request.
#[derive(Debug)]
pub(crate) struct StageMetrics {
    seconds: [Histogram; Stage::ALL.len()],
    failures: [[Counter; StageFailure::ALL.len()]; Stage::ALL.len()],
}

impl StageMetrics {
    /// Every series is there from the start, for alerts on the first failure.
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let seconds = registry.histogram_family(
            "ingest_stage_seconds",
            "Time of one stage of a request, whether it passes or fails",
            ["stage"],
            Buckets::STAGE_SECONDS,
            SMALL,
        )?;
        let failures = registry.counter_family(
            "ingest_stage_failures",
            "Requests that a stage ended, by who has to do something about it",
            ["stage", "failure"],
            SERIES,
        )?;
        Ok(Self {
            seconds: Stage::ALL.map(|stage| seconds.with([stage.as_str()])),
            failures: Stage::ALL.map(|stage| {
                StageFailure::ALL.map(|failure| failures.with([stage.as_str(), failure.as_str()]))
            }),
        })
    }
}

impl StageObserver for StageMetrics {
    fn ended(&self, stage: Stage, took: Duration) {
        self.seconds[stage as usize].observe(took.as_secs_f64());
    }

    fn failed(&self, stage: Stage, failure: StageFailure) {
        self.failures[stage as usize][failure as usize].inc();
    }
}
