//! The decision at the start of a trace.

use opentelemetry::trace::{SpanContext, TraceId};

use crate::sampling::{Head, ParentDecision};

impl Head {
    /// Whether a trace is exported whatever comes of it: by its id, or as its caller has decided.
    pub(super) fn samples(self, trace: TraceId, parent: Option<&SpanContext>) -> bool {
        match (self.parent, parent) {
            (ParentDecision::Follow, Some(parent)) => parent.is_sampled(),
            (ParentDecision::Follow | ParentDecision::Ignore, _) => self.chooses(trace),
        }
    }

    /// As the samplers of other services choose: by the 63 bits in front of the id's last one, so that a
    /// trace is chosen by all of them or by none.
    fn chooses(self, trace: TraceId) -> bool {
        const CHOICES: f64 = (1_u64 << 63) as f64;
        let [.., a, b, c, d, e, f, g, h] = trace.to_bytes();
        let choice = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1;
        let share = self.ratio.value();
        share >= 1.0 || (choice as f64) < share * CHOICES
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_sdk::trace::{
        IdGenerator as _, RandomIdGenerator, Sampler, SamplingDecision, ShouldSample as _,
    };

    use super::*;
    use crate::sampling::Ratio;

    #[test]
    fn ids_are_chosen_as_opentelemetry_chooses_them() {
        for share in [0.0, 0.001, 0.01, 0.3, 0.999, 1.0] {
            let head = Head {
                ratio: Ratio::new(share).unwrap(),
                parent: ParentDecision::Ignore,
            };
            let theirs = Sampler::TraceIdRatioBased(share);
            for _ in 0..2_000 {
                let id = RandomIdGenerator::default().new_trace_id();
                let kind = opentelemetry::trace::SpanKind::Internal;
                let theirs = theirs.should_sample(None, id, "", &kind, &[], &[]);
                let theirs = theirs.decision == SamplingDecision::RecordAndSample;
                assert_eq!(head.samples(id, None), theirs, "{share} {id}");
            }
        }
    }
}
