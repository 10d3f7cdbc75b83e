//! What a registry can tell of its metrics without a scrape.

use std::fmt;

use prometheus_client::metrics::MetricType;

use super::{label::Label, names};

/// What a registry knows of one metric, whether it has any series yet or not.
///
/// It is what a list of metrics, a dashboard or an alert is checked against:
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use portcullis_telemetry::{Label, Registry};
///
/// let registry = Registry::new();
/// let outcome = Label::closed("outcome", ["done", "failed"]);
/// registry.counter_family("jobs", "Jobs that ended", [outcome], NonZeroUsize::MIN)?;
/// let described = registry.descriptions();
/// let jobs = described.iter().find(|metric| metric.name == "jobs_total").expect("registered");
/// assert_eq!(jobs.help, "Jobs that ended");
/// assert_eq!(jobs.labels[0].values(), Some(&["done".to_owned(), "failed".to_owned()][..]));
/// # Ok::<(), portcullis_telemetry::MetricError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MetricDescription {
    /// The name in queries: a counter's ends in `_total`, an info's in `_info`. Samples of a histogram add
    /// `_bucket`, `_sum` or `_count` to it.
    pub name: String,
    /// What may be done with its values.
    pub kind: MetricType,
    /// What they are measured in; `None` where they are a number of things, a state or a score.
    pub unit: Option<MetricUnit>,
    /// What it tells, as it was registered, without a full stop at the end.
    pub help: String,
    /// What its series are told apart by, in the order in which samples have it.
    pub labels: Vec<Label>,
    /// The upper bounds of a histogram's buckets but the last, which is infinite; empty for what has none.
    pub buckets: Vec<f64>,
}

/// What a metric is measured in.
///
/// It is read off the end of the name, where Prometheus and OpenMetrics want it to stand, so that it cannot
/// be another one than readers take it for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricUnit {
    /// `…_seconds`: a duration, or a time since 1970.
    Seconds,
    /// `…_bytes`.
    Bytes,
    /// `…_ratio`: from 0 to 1.
    Ratio,
}

impl MetricDescription {
    pub(super) fn new(family: &str, kind: MetricType, help: &str, labels: Vec<Label>) -> Self {
        Self {
            name: names::queried(family, kind),
            kind,
            unit: MetricUnit::of(family),
            help: help.trim_end_matches('.').to_owned(),
            labels,
            buckets: Vec::new(),
        }
    }
}

impl MetricUnit {
    fn of(family: &str) -> Option<Self> {
        let (_, end) = family.rsplit_once('_')?;
        let all = [Self::Seconds, Self::Bytes, Self::Ratio];
        all.into_iter().find(|unit| unit.as_str() == end)
    }

    /// The word at the end of the name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Ratio => "ratio",
        }
    }
}

impl fmt::Display for MetricUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
