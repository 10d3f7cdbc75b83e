//! Series under the labels that their metric says it has.

use std::fmt;

use prometheus_client::encoding::{EncodeGaugeValue, MetricEncoder, NoLabelSet};

use super::label::MetricLabel;

/// Where the series of one metric are written.
pub(crate) struct Series<'labels, 'encoder> {
    labels: &'labels [MetricLabel],
    encoder: MetricEncoder<'encoder>,
}

impl<'labels, 'encoder> Series<'labels, 'encoder> {
    pub(crate) const fn new(
        labels: &'labels [MetricLabel],
        encoder: MetricEncoder<'encoder>,
    ) -> Self {
        Self { labels, encoder }
    }

    /// A counter; `values` are those of the metric's labels, in their order.
    pub(crate) fn counter(&mut self, values: &[&str], count: u64) -> fmt::Result {
        self.write(values, |encoder| {
            encoder.encode_counter::<NoLabelSet, _, u64>(&count, None)
        })
    }

    /// A gauge, in the same way.
    pub(crate) fn gauge(&mut self, values: &[&str], value: impl EncodeGaugeValue) -> fmt::Result {
        self.write(values, |encoder| encoder.encode_gauge(&value))
    }

    fn write(
        &mut self,
        values: &[&str],
        write: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        debug_assert_eq!(self.labels.len(), values.len());
        if self.labels.is_empty() {
            return write(&mut self.encoder);
        }
        let names = self.labels.iter().map(MetricLabel::name);
        let labels: Vec<_> = names.zip(values.iter().copied()).collect();
        write(&mut self.encoder.encode_family(&labels)?)
    }
}
