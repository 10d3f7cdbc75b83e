//! From a span that ended to the collector: sampling, queue, redaction, export.

mod export;
mod otlp;
mod queue;
mod redaction;
mod sampler;
mod tail;
mod times;

use std::{sync::Arc, time::Duration};

use opentelemetry::KeyValue;
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfig, BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use prometheus_client::metrics::counter::Counter;

use self::{export::RedactingExporter, queue::SpanQueue, tail::TailSampler, times::SpanTimes};
use crate::{
    clock::Clock,
    environment::{Batch, Settings},
    metrics::{ClosedCounters, MetricError, Registry},
    redact::Redactor,
    sampling::Sampling,
};

pub use self::otlp::Otlp;
pub(crate) use self::{export::BoxedExporter, otlp::exporter};

/// What became of the spans that were chosen for export.
#[derive(Clone, Debug)]
pub(crate) struct SpanCounts {
    pub(crate) selected: Counter,
    exported: ClosedCounters<2>,
}

impl SpanCounts {
    pub(crate) fn new() -> Self {
        let exported = ClosedCounters::new("outcome", ["delivered", "failed"]);
        Self {
            selected: Counter::default(),
            exported,
        }
    }

    pub(crate) fn delivered(&self) -> &Counter {
        self.exported.at(0)
    }

    pub(crate) fn failed(&self) -> &Counter {
        self.exported.at(1)
    }

    pub(crate) fn register(&self, registry: &Registry) -> Result<(), MetricError> {
        registry.register(
            "telemetry_spans_selected",
            "Spans chosen for export, at the start of their trace or at its end",
            self.selected.clone(),
        )?;
        registry.register(
            "telemetry_spans_exported",
            "Spans handed to the collector, by whether it took them",
            self.exported.clone(),
        )
    }
}

/// What the tracer provider is built from.
pub(crate) struct Pipeline<'a> {
    pub(crate) service: &'a str,
    pub(crate) settings: &'a Settings,
    pub(crate) sampling: &'a Sampling,
    pub(crate) exporter: Option<BoxedExporter>,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) registry: &'a Registry,
    pub(crate) counts: SpanCounts,
}

impl Pipeline<'_> {
    /// A provider with one span processor: a second would export what the tail holds back.
    pub(crate) fn provider(self) -> Result<SdkTracerProvider, MetricError> {
        let limits = self.settings.span_limits;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource(self.service, self.settings))
            .with_max_attributes_per_span(limits.attributes)
            .with_max_events_per_span(limits.events)
            .with_max_links_per_span(limits.links)
            .with_max_attributes_per_event(limits.attributes_per_event)
            .with_max_attributes_per_link(limits.attributes_per_link);
        let Some(exporter) = self.exporter else {
            return Ok(provider.with_sampler(Sampler::AlwaysOff).build());
        };
        let exporter = RedactingExporter::new(exporter, self.redactor, self.counts.clone());
        let queue = BatchSpanProcessor::new(exporter, batch_config(self.settings.batch));
        let queue = SpanQueue::new(queue, self.counts.selected);
        Ok(match &self.sampling.tail {
            None => provider
                .with_sampler(sampler::head(self.sampling.head))
                .with_span_processor(SpanTimes::new(queue, self.clock)),
            Some(tail) => {
                let tail = TailSampler::new(queue, *tail, Arc::clone(&self.clock));
                tail.register(self.registry)?;
                provider
                    .with_sampler(sampler::record_all(self.sampling.head))
                    .with_span_processor(SpanTimes::new(tail, self.clock))
            }
        }
        .build())
    }
}

fn resource(service: &str, settings: &Settings) -> Resource {
    let attributes = settings.resource.iter().cloned();
    Resource::builder_empty()
        .with_attributes(attributes.map(|(key, value)| KeyValue::new(key, value)))
        .with_service_name(service.to_owned())
        .build()
}

/// Every value is given, so that nothing is read from the process's environment unseen.
fn batch_config(batch: Batch) -> BatchConfig {
    let queue_spans = batch.queue_spans.unwrap_or(2_048);
    let batch_spans = batch.batch_spans.unwrap_or(512).min(queue_spans);
    BatchConfigBuilder::default()
        .with_max_queue_size(queue_spans as usize)
        .with_max_export_batch_size(batch_spans as usize)
        .with_scheduled_delay(batch.schedule_delay.unwrap_or(Duration::from_secs(5)))
        .build()
}
