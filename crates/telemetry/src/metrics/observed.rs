//! Metrics whose values are read on each scrape.

use std::{fmt, num::NonZeroUsize};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, counter::Counter},
};

type Read = Box<dyn Fn() -> f64 + Send + Sync>;

pub(super) struct ObservedCounter(Read);

pub(super) struct ObservedGauge(Read);

/// Series that another part of the program keeps, under these labels.
pub(super) struct ObservedFamily<const N: usize> {
    labels: [&'static str; N],
    value: ObservedValue,
    write: WriteEach<N>,
}

/// What may be done with what is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum ObservedValue {
    Counter,
    Gauge,
}

type WriteEach<const N: usize> =
    Box<dyn Fn(&mut dyn FnMut([&str; N], f64) -> fmt::Result) -> fmt::Result + Send + Sync>;

impl ObservedCounter {
    pub(super) fn new(read: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Box::new(read))
    }
}

impl ObservedGauge {
    pub(super) fn new(read: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Box::new(read))
    }
}

impl<const N: usize> ObservedFamily<N> {
    /// One that shows `cap` of what `read` gives, and counts what is left over.
    pub(super) fn new<V: AsRef<str>, I: IntoIterator<Item = ([V; N], f64)>>(
        labels: [&'static str; N],
        value: ObservedValue,
        cap: NonZeroUsize,
        overflowed: Counter,
        read: impl Fn() -> I + Send + Sync + 'static,
    ) -> Self {
        let write = move |write: &mut dyn FnMut([&str; N], f64) -> fmt::Result| {
            let mut series = read().into_iter();
            for (values, number) in series.by_ref().take(cap.get()) {
                write(values.each_ref().map(AsRef::as_ref), number)?;
            }
            overflowed.inc_by(series.count() as u64);
            Ok(())
        };
        Self {
            labels,
            value,
            write: Box::new(write),
        }
    }
}

impl<const N: usize> EncodeMetric for ObservedFamily<N> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        (self.write)(&mut |values, number| {
            let labels: [_; N] = std::array::from_fn(|label| (self.labels[label], values[label]));
            let mut encoder = encoder.encode_family(&labels)?;
            match self.value {
                ObservedValue::Counter => {
                    encoder.encode_counter::<NoLabelSet, _, f64>(&number, None)
                }
                ObservedValue::Gauge => encoder.encode_gauge(&number),
            }
        })
    }

    fn metric_type(&self) -> MetricType {
        match self.value {
            ObservedValue::Counter => MetricType::Counter,
            ObservedValue::Gauge => MetricType::Gauge,
        }
    }
}

impl EncodeMetric for ObservedCounter {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.encode_counter::<NoLabelSet, _, f64>(&(self.0)(), None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}

impl EncodeMetric for ObservedGauge {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.encode_gauge(&(self.0)())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

impl fmt::Debug for ObservedCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservedCounter").finish_non_exhaustive()
    }
}

impl fmt::Debug for ObservedGauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservedGauge").finish_non_exhaustive()
    }
}

impl<const N: usize> fmt::Debug for ObservedFamily<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservedFamily")
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
