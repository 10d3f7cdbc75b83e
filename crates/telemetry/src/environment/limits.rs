//! How much of a span is kept, and how many wait for their export.

use std::time::Duration;

use super::{EnvironmentError, reader::Reader, syntax};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) schedule_delay: Option<Duration>,
    pub(crate) queue_spans: Option<u32>,
    pub(crate) batch_spans: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct SpanLimits {
    pub(crate) attributes: u32,
    pub(crate) events: u32,
    pub(crate) links: u32,
    pub(crate) attributes_per_event: u32,
}

impl Reader<'_> {
    pub(super) fn batch(&mut self) -> Batch {
        let spans = "a number of spans from 1 to 100000";
        let batch = Batch {
            schedule_delay: self.parsed(
                &["OTEL_BSP_SCHEDULE_DELAY"],
                "a number of milliseconds from 1 to 3600000",
                syntax::milliseconds,
            ),
            queue_spans: self.parsed(&["OTEL_BSP_MAX_QUEUE_SIZE"], spans, syntax::spans),
            batch_spans: self.parsed(&["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"], spans, syntax::spans),
        };
        if batch.batch_spans > batch.queue_spans && batch.queue_spans.is_some() {
            self.refuse(EnvironmentError {
                variable: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                expected: "no more than OTEL_BSP_MAX_QUEUE_SIZE",
            });
        }
        batch
    }

    pub(super) fn span_limits(&mut self) -> SpanLimits {
        let mut limit = |variable| {
            let number = "a number from 1 to 4294967295";
            self.parsed(&[variable], number, syntax::positive)
        };
        let of_any = limit("OTEL_ATTRIBUTE_COUNT_LIMIT").unwrap_or(128);
        // Links have no attributes here: that their number is one is all there is to see to.
        limit("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT");
        SpanLimits {
            attributes: limit("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT").unwrap_or(of_any),
            events: limit("OTEL_SPAN_EVENT_COUNT_LIMIT").unwrap_or(128),
            links: limit("OTEL_SPAN_LINK_COUNT_LIMIT").unwrap_or(128),
            attributes_per_event: limit("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT").unwrap_or(of_any),
        }
    }
}
