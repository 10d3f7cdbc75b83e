//! The decision at the start of a trace.

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceId},
};
use opentelemetry_sdk::trace::{
    ParentBasedSampler, Sampler, SamplingDecision, SamplingResult, ShouldSample,
};

use crate::sampling::{Head, ParentDecision};

/// Decides at the start; what is not chosen is not recorded.
pub(super) fn head(head: Head) -> Box<dyn ShouldSample> {
    let by_id = Sampler::TraceIdRatioBased(head.ratio.value());
    match head.parent {
        ParentDecision::Follow => Box::new(ParentBasedSampler::new(by_id)),
        ParentDecision::Ignore => Box::new(by_id),
    }
}

/// Decides like [`head`], but records the rest for the tail to decide on. The flag that goes to other
/// services stays the head's.
pub(super) fn record_all(decision: Head) -> Box<dyn ShouldSample> {
    Box::new(RecordAll(head(decision)))
}

#[derive(Clone, Debug)]
struct RecordAll(Box<dyn ShouldSample>);

impl ShouldSample for RecordAll {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let mut result =
            self.0
                .should_sample(parent_context, trace_id, name, span_kind, attributes, links);
        if result.decision == SamplingDecision::Drop {
            result.decision = SamplingDecision::RecordOnly;
        }
        result
    }
}
