//! Group commits, as metrics.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis_telemetry::{
    Buckets, MetricError, Registry,
    prometheus_client::metrics::{counter::Counter, histogram::Histogram},
};

/// How large groups are and how long they take.
#[derive(Debug, Clone)]
pub(crate) struct WriteMetrics {
    rows: Histogram,
    seconds: Histogram,
    failures: Counter,
    last_failed: Arc<AtomicBool>,
}

impl WriteMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        Ok(Self {
            rows: registry.histogram(
                "ingest_group_rows",
                "Rows that one commit made durable",
                Buckets::new([1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0]),
            )?,
            seconds: registry.histogram(
                "ingest_commit_seconds",
                "Time of one commit",
                Buckets::STAGE_SECONDS,
            )?,
            failures: registry.counter("ingest_commit_failures", "Groups that were not written")?,
            last_failed: Arc::default(),
        })
    }

    pub(crate) fn committed(&self, rows: usize, took: Duration) {
        self.rows
            .observe(f64::from(u32::try_from(rows).unwrap_or(u32::MAX)));
        self.seconds.observe(took.as_secs_f64());
        self.last_failed.store(false, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.failures.inc();
        self.last_failed.store(true, Ordering::Relaxed);
    }

    /// Whether the last group was not written.
    pub(crate) fn last_failed(&self) -> bool {
        self.last_failed.load(Ordering::Relaxed)
    }
}
