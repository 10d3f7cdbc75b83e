//! From a span that ended to the collector: sampling, queue, redaction, export.

mod details;
mod ended;
mod entered;
mod exemplar;
mod export;
mod layer;
mod open;
mod otlp;
mod queue;
mod recorder;
mod redaction;
mod sampler;
mod tail;
mod trace;
mod visit;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use opentelemetry::KeyValue;
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfig, BatchConfigBuilder, BatchSpanProcessor, SpanProcessor as _},
};
use prometheus_client::metrics::counter::Counter;

use self::{export::RedactingExporter, queue::SpanQueue, recorder::Exit, tail::TailSampler};
use crate::{
    clock::Clock,
    environment::{Batch, Settings},
    metrics::{ClosedCounters, MetricError, Registry},
    redact::Redactor,
    sampling::Sampling,
};

pub(crate) use self::{
    entered::{Ids, current_ids, current_span_context},
    exemplar::note_exemplar,
    export::BoxedExporter,
    layer::{SpanLayer, add_links, ids_of, set_parent},
    otlp::exporter,
    recorder::Recorder,
};
pub use self::{layer::ParentError, otlp::Otlp};

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

/// What spans are recorded with.
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
    pub(crate) fn recorder(self) -> Result<Recorder, MetricError> {
        let (head, limits) = (self.sampling.head, self.settings.span_limits);
        let Some(exporter) = self.exporter else {
            return Ok(Recorder::new(head, limits, self.clock, None, None));
        };
        let exporter = RedactingExporter::new(exporter, self.redactor, self.counts.clone());
        let queue = BatchSpanProcessor::new(exporter, batch_config(self.settings.batch));
        let mut queue = SpanQueue::new(queue, self.counts.selected);
        queue.set_resource(&resource(self.service, self.settings));
        let tail = self.sampling.tail;
        let tail = tail.map(|rules| TailSampler::new(rules, Arc::clone(&self.clock)));
        if let Some(tail) = &tail {
            tail.register(self.registry)?;
        }
        let exit = Exit::new(queue, limits);
        Ok(Recorder::new(head, limits, self.clock, Some(exit), tail))
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests;
