use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanProcessor};
use prometheus_client::metrics::counter::Counter;

/// The queue to the exporter's thread, which drops what does not fit without saying so: what was
/// given to it is counted here, what came out at its end by the exporter.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: BatchSpanProcessor,
    selected: Counter,
}

impl Outbox {
    pub(super) fn new(queue: BatchSpanProcessor, selected: Counter) -> Self {
        Self { queue, selected }
    }
}

impl SpanProcessor for Outbox {
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
