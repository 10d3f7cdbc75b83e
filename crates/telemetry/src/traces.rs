//! From a span that ended to the collector: sampling, queue, redaction, export.

mod counts;
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
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use self::{
    export::Exporter,
    queue::{ExportQueue, QueueBounds},
    tail::TailSampler,
};
use crate::{
    clock::Clock,
    environment::{Batch, Settings},
    error::InitError,
    metrics::Registry,
    redact::Redactor,
    sampling::Sampling,
};

pub(crate) use self::{
    counts::SpanCounts,
    entered::{Ids, current_ids, current_span_context},
    exemplar::note_exemplar,
    export::BoxedExporter,
    layer::{SpanLayer, add_links, ids_of, set_parent},
    otlp::exporter,
    recorder::Recorder,
};
pub use self::{layer::ParentError, otlp::Otlp};

/// What spans are recorded with.
pub(crate) struct Pipeline<'a> {
    pub(crate) service: &'a str,
    pub(crate) settings: &'a Settings,
    pub(crate) sampling: &'a Sampling,
    pub(crate) exporter: Option<BoxedExporter>,
    pub(crate) queue_bytes: NonZeroUsize,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) registry: &'a Registry,
    pub(crate) counts: SpanCounts,
}

impl Pipeline<'_> {
    pub(crate) fn recorder(self) -> Result<Recorder, InitError> {
        let (head, limits) = (self.sampling.head, self.settings.span_limits);
        let Some(exporter) = self.exporter else {
            return Ok(Recorder::new(head, limits, self.clock, None, None));
        };
        let resource = resource(self.service, self.settings);
        let exporter = Exporter::new(exporter, &resource, self.redactor, limits);
        let bounds = queue_bounds(self.settings.batch, self.queue_bytes);
        let queue = ExportQueue::start(exporter, bounds, self.counts).map_err(InitError::Thread)?;
        queue.register(self.registry)?;
        let tail = self.sampling.tail;
        let tail = tail.map(|rules| TailSampler::new(rules, Arc::clone(&self.clock)));
        if let Some(tail) = &tail {
            tail.register(self.registry)?;
        }
        let exit = Some(Box::new(queue) as _);
        Ok(Recorder::new(head, limits, self.clock, exit, tail))
    }
}

fn resource(service: &str, settings: &Settings) -> Resource {
    let attributes = settings.resource.iter().cloned();
    Resource::builder_empty()
        .with_attributes(attributes.map(|(key, value)| KeyValue::new(key, value)))
        .with_service_name(service.to_owned())
        .build()
}

/// The defaults are those of the specification.
fn queue_bounds(batch: Batch, bytes: NonZeroUsize) -> QueueBounds {
    let queue_spans = batch.queue_spans.unwrap_or(2_048);
    let batch_spans = batch.batch_spans.unwrap_or(512).min(queue_spans);
    QueueBounds {
        spans: queue_spans as usize,
        bytes,
        batch_spans: batch_spans as usize,
        delay: batch.schedule_delay.unwrap_or(Duration::from_secs(5)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests;
