//! What the filter tells of itself.

use std::fmt;

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::MetricType,
    registry::Registry,
};

use super::{DuplicateFilter, Lookups};
use crate::{
    metrics::{MetricLabel, Series},
    score::as_f64,
};

/// One metric of a [`DuplicateFilter`], read at each scrape.
#[derive(Clone, Debug)]
pub struct DuplicateFilterMetric {
    name: &'static str,
    help: &'static str,
    metric_type: MetricType,
    filter: DuplicateFilter,
    labels: Vec<MetricLabel>,
    encode: fn(&DuplicateFilter, &mut Series<'_, '_>) -> fmt::Result,
}

impl DuplicateFilter {
    /// Adds all metrics to a registry; call it once for each registry.
    pub fn register(&self, registry: &mut Registry) {
        for metric in self.metrics() {
            registry.register(metric.name(), metric.help(), metric);
        }
    }

    /// All metrics, 7 series, for a registry that takes them one by one.
    pub fn metrics(&self) -> [DuplicateFilterMetric; 4] {
        use MetricType::{Counter, Gauge};
        let metric =
            |name, help, metric_type, labels: &[MetricLabel], encode| DuplicateFilterMetric {
                name,
                help,
                metric_type,
                labels: labels.to_vec(),
                filter: self.clone(),
                encode,
            };
        [
            metric(
                "dq_duplicate_filter_lookups",
                "Events that were looked for, by what is known of them",
                Counter,
                &[MetricLabel::closed("result", RESULTS)],
                lookups,
            ),
            metric(
                "dq_duplicate_filter_false_positive_bound",
                "Probability that a new event is taken for one that may be stored",
                Gauge,
                &[],
                bound,
            ),
            metric(
                "dq_duplicate_filter_ids",
                "Ids that are remembered",
                Gauge,
                &[],
                ids,
            ),
            metric(
                "dq_duplicate_filter_bytes",
                "Memory that the filter has taken",
                Gauge,
                &[],
                bytes,
            ),
        ]
    }
}

impl DuplicateFilterMetric {
    /// The name, without the suffix that a counter gets in the exposition.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it tells, without a full stop: the registry adds one.
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// What its series are told apart by, in the order in which they have it.
    pub fn labels(&self) -> &[MetricLabel] {
        &self.labels
    }
}

impl EncodeMetric for DuplicateFilterMetric {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        (self.encode)(&self.filter, &mut Series::new(&self.labels, encoder))
    }

    fn metric_type(&self) -> MetricType {
        self.metric_type
    }
}

const RESULTS: [&str; 4] = ["unseen", "seen_natural", "seen_conflicting", "maybe_seen"];

fn lookups(filter: &DuplicateFilter, series: &mut Series<'_, '_>) -> fmt::Result {
    let Lookups {
        unseen,
        natural,
        conflicting,
        maybe_seen,
    } = filter.lookups();
    let all = [unseen, natural, conflicting, maybe_seen];
    for (result, lookups) in RESULTS.into_iter().zip(all) {
        series.counter(&[result], lookups)?;
    }
    Ok(())
}

fn bound(filter: &DuplicateFilter, series: &mut Series<'_, '_>) -> fmt::Result {
    series.gauge(&[], filter.false_positive_bound())
}

fn ids(filter: &DuplicateFilter, series: &mut Series<'_, '_>) -> fmt::Result {
    series.gauge(&[], as_f64(filter.remembered()))
}

fn bytes(filter: &DuplicateFilter, series: &mut Series<'_, '_>) -> fmt::Result {
    series.gauge(&[], as_f64(filter.memory() as u64))
}
