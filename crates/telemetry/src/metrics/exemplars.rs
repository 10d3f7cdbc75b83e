//! Histograms whose buckets name a trace that is exported.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use opentelemetry::trace::{SpanId, TraceId};
use prometheus_client::{
    encoding::{EncodeLabel, EncodeLabelSet, EncodeMetric, LabelSetEncoder, MetricEncoder},
    metrics::{MetricType, TypedMetric, exemplar::HistogramWithExemplars, histogram::Histogram},
};

use super::{BoundedFamily, Buckets};
use crate::traces;

/// A histogram whose buckets name a trace as their exemplar: one that is exported, never another.
///
/// A value that is observed inside a span is the exemplar of its bucket when the trace of the span was chosen
/// at its start, and else when the tail keeps it: until then it waits with the spans of the trace, of which at
/// most four values wait. The last one stays. Exemplars are written as OpenMetrics alone, since the text
/// format 0.0.4 has none, and without a time: traces are kept in another order than values were observed.
#[derive(Clone)]
pub struct ExemplarHistogram(Arc<Shared>);

struct Shared {
    histogram: Histogram,
    buckets: Buckets,
    /// Made for the first exemplar; only its exemplars are written.
    exemplars: OnceLock<HistogramWithExemplars<TraceLabels>>,
}

impl ExemplarHistogram {
    pub(super) fn new(buckets: &Buckets) -> Self {
        Self(Arc::new(Shared {
            histogram: buckets.histogram(),
            buckets: buckets.clone(),
            exemplars: OnceLock::new(),
        }))
    }

    /// Observes a value in the span that the code runs in, if it runs in one.
    pub fn observe(&self, value: f64) {
        self.0.histogram.observe(value);
        traces::note_exemplar(self, value);
    }

    /// The value's bucket is to name the span, whose trace is exported.
    pub(crate) fn name(&self, value: f64, trace: TraceId, span: SpanId) {
        let shared = &self.0;
        let exemplars = shared
            .exemplars
            .get_or_init(|| HistogramWithExemplars::new(shared.buckets.bounds()));
        exemplars.observe(value, Some(TraceLabels { trace, span }), None);
    }
}

impl EncodeMetric for ExemplarHistogram {
    fn encode(&self, encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        self.0.histogram.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for ExemplarHistogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl fmt::Debug for ExemplarHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExemplarHistogram")
            .field("buckets", &self.0.buckets)
            .finish_non_exhaustive()
    }
}

/// The labels of an exemplar, far shorter than the 128 characters that OpenMetrics gives them.
#[derive(Clone, Copy, Debug)]
struct TraceLabels {
    trace: TraceId,
    span: SpanId,
}

impl EncodeLabelSet for TraceLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        let (trace, span) = (self.trace.to_string(), self.span.to_string());
        for pair in [("trace_id", trace.as_str()), ("span_id", span.as_str())] {
            pair.encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

/// What has exemplars, written as histograms of which nothing but the exemplars is right.
#[derive(Debug)]
pub(super) struct ExemplarsOf<M>(pub(super) M);

impl EncodeMetric for ExemplarsOf<ExemplarHistogram> {
    fn encode(&self, encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        match self.0.0.exemplars.get() {
            Some(exemplars) => exemplars.encode(encoder),
            None => Ok(()),
        }
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

impl<const N: usize> EncodeMetric for ExemplarsOf<BoundedFamily<N, ExemplarHistogram>> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        self.0.encode_each(&mut encoder, |histogram, encoder| {
            match histogram.0.exemplars.get() {
                Some(exemplars) => exemplars.encode(encoder),
                None => Ok(()),
            }
        })
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests;
