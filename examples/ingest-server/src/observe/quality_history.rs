//! What became of the history of data quality, as metrics.

use portcullis_dq_metrics::history::HistoryWriter;
use portcullis_telemetry::{MetricError, Registry};

use super::label;
use crate::quality::Reason;

/// Tells what is written of it, what waits, and what was given up.
pub(crate) fn register_quality_history(
    registry: &Registry,
    writer: &HistoryWriter<Reason>,
) -> Result<(), MetricError> {
    for metric in writer.metrics() {
        let labels: Vec<_> = metric.labels().iter().map(label).collect();
        registry.register_labelled(metric.name(), metric.help(), labels, metric)?;
    }
    Ok(())
}
