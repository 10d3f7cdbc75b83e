//! What runs on the exporter's thread: redaction, hand-over, counts.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

use super::{SpanCounts, redaction::redact};
use crate::redact::Redactor;

/// Any [`SpanExporter`]; the trait itself cannot be an object.
pub(crate) struct BoxedExporter(Box<dyn AnyExporter>);

type Exported<'a> = Pin<Box<dyn Future<Output = OTelSdkResult> + Send + 'a>>;

trait AnyExporter: Send + Sync + fmt::Debug {
    fn export(&self, batch: Vec<SpanData>) -> Exported<'_>;
    fn shutdown(&self, timeout: Duration) -> OTelSdkResult;
    fn force_flush(&self) -> OTelSdkResult;
    fn set_resource(&mut self, resource: &Resource);
}

impl<E: SpanExporter> AnyExporter for E {
    fn export(&self, batch: Vec<SpanData>) -> Exported<'_> {
        Box::pin(SpanExporter::export(self, batch))
    }

    fn shutdown(&self, timeout: Duration) -> OTelSdkResult {
        self.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        SpanExporter::force_flush(self)
    }

    fn set_resource(&mut self, resource: &Resource) {
        SpanExporter::set_resource(self, resource);
    }
}

impl BoxedExporter {
    pub(crate) fn new(exporter: impl SpanExporter + 'static) -> Self {
        Self(Box::new(exporter))
    }
}

/// What runs on the exporter's own thread: redacts each span, hands the batch on, counts.
///
/// Redaction happens here and not where spans end, so that requests do not pay for it and spans
/// that are not exported cost nothing.
#[derive(Debug)]
pub(super) struct RedactingExporter {
    inner: Box<dyn AnyExporter>,
    redactor: Arc<Redactor>,
    counts: SpanCounts,
}

impl RedactingExporter {
    pub(super) fn new(
        exporter: BoxedExporter,
        redactor: Arc<Redactor>,
        counts: SpanCounts,
    ) -> Self {
        Self {
            inner: exporter.0,
            redactor,
            counts,
        }
    }
}

impl SpanExporter for RedactingExporter {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &mut batch {
            redact(span, &self.redactor);
        }
        let spans = batch.len() as u64;
        let result = self.inner.export(batch).await;
        match &result {
            Ok(()) => self.counts.delivered().inc_by(spans),
            Err(_) => self.counts.failed().inc_by(spans),
        };
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl fmt::Debug for BoxedExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An exporter's headers carry credentials.
        f.debug_struct("BoxedExporter").finish_non_exhaustive()
    }
}
