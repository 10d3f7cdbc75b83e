//! The queue to the exporter's thread, counted at its entrance.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, Span, SpanData, SpanProcessor},
};
use prometheus_client::metrics::counter::Counter;

/// The queue to the exporter's thread. It drops spans without a trace when it is full: those that
/// enter are counted here, those that leave by the exporter.
#[derive(Debug)]
pub(super) struct SpanQueue {
    queue: BatchSpanProcessor,
    selected: Counter,
}

impl SpanQueue {
    pub(super) fn new(queue: BatchSpanProcessor, selected: Counter) -> Self {
        Self { queue, selected }
    }
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.selected.inc();
        self.queue.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}
