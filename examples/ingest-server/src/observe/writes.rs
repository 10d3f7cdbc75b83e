//! Group commits, as metrics.

use portcullis_telemetry::{
    Buckets, MetricError, Registry,
    prometheus_client::metrics::{counter::Counter, histogram::Histogram},
};

use crate::store::{WriteEvent, WriteObserver};

/// How large groups are and how long they take.
#[derive(Debug)]
pub(crate) struct WriteMetrics {
    rows: Histogram,
    seconds: Histogram,
    failures: Counter,
    late: Counter,
    committed_late: Counter,
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
            late: registry.counter(
                "ingest_late_rows",
                "Rows that were refused because they had waited too long since they were sealed",
            )?,
            committed_late: registry.counter(
                "ingest_late_commits",
                "Commits that ended later than 30 s after something in them was sealed",
            )?,
        })
    }
}

impl WriteObserver for WriteMetrics {
    fn observe(&self, event: &WriteEvent) {
        match event {
            WriteEvent::Committed { rows, took } => {
                let rows = u32::try_from(*rows).unwrap_or(u32::MAX);
                self.rows.observe(f64::from(rows));
                self.seconds.observe(took.as_secs_f64());
            }
            WriteEvent::Failed { .. } => {
                self.failures.inc();
            }
            WriteEvent::Late { rows } => {
                tracing::warn!(
                    rows,
                    "rows were refused: they had waited too long since they were sealed"
                );
                self.late.inc_by(*rows as u64);
            }
            WriteEvent::CommittedLate { rows } => {
                tracing::error!(
                    rows,
                    "a commit ended more than 30 s after something in it was sealed: run `keys verify` before a \
                     key is disabled or destroyed"
                );
                self.committed_late.inc();
            }
            WriteEvent::Recovered { failures } => {
                tracing::info!(failures, "the database can be written again");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{movement::assert_moved, scraped};

    /// A process would have to stand still for half a minute in the middle of a commit.
    #[test]
    fn a_commit_that_ends_too_late_is_counted() {
        let registry = Registry::new();
        let metrics = WriteMetrics::register(&registry).unwrap();
        let before = scraped(&registry);
        metrics.observe(&WriteEvent::CommittedLate { rows: 3 });
        let after = scraped(&registry);
        assert_moved(&before, &after, ["ingest_late_commits_total"]);
        assert_eq!(after["ingest_late_commits_total"], 1.0);
    }
}
