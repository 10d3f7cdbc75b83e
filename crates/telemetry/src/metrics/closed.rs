//! Counters whose label values are all known at compile time.

use std::fmt;

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::{MetricType, counter::Counter},
};

use super::{Label, MetricError, Registry};

/// Counters with one label whose values are all known when the program is written.
#[derive(Clone, Debug)]
pub(crate) struct ClosedCounters<const N: usize> {
    label: &'static str,
    series: [(&'static str, Counter); N],
}

impl<const N: usize> ClosedCounters<N> {
    pub(crate) fn new(label: &'static str, values: [&'static str; N]) -> Self {
        Self {
            label,
            series: values.map(|value| (value, Counter::default())),
        }
    }

    pub(crate) fn register(
        &self,
        registry: &Registry,
        name: &str,
        help: &str,
    ) -> Result<(), MetricError> {
        let values = self.series.iter().map(|(value, _)| *value);
        let label = Label::closed(self.label, values);
        registry.register_labelled(name, help, [label], self.clone())
    }

    /// The counter of the value at `index` in the list given to [`new`](Self::new).
    pub(crate) fn at(&self, index: usize) -> &Counter {
        &self.series[index].1
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Counter> {
        self.series.iter().map(|(_, counter)| counter)
    }
}

impl<const N: usize> EncodeMetric for ClosedCounters<N> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        for (value, counter) in &self.series {
            counter.encode(encoder.encode_family(&[(self.label, *value)])?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}
