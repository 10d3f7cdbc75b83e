//! What runs on the exporter's thread: records become spans, are redacted and handed over.

mod driver;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

use self::driver::Driver;
#[cfg(feature = "otlp-grpc")]
use self::driver::OwnRuntime;
use super::{ended::EndedSpan, queue::QueuedSpan, redaction::redact};
use crate::{environment::SpanLimits, redact::Redactor};

/// Any [`SpanExporter`]; the trait itself cannot be an object.
pub(crate) struct BoxedExporter {
    exporter: Box<dyn AnyExporter>,
    driver: Driver,
}

type Exported<'a> = Pin<Box<dyn Future<Output = OTelSdkResult> + Send + 'a>>;

trait AnyExporter: Send + Sync + fmt::Debug {
    fn export(&self, batch: Vec<SpanData>) -> Exported<'_>;
    fn shutdown(&self) -> OTelSdkResult;
    fn set_resource(&mut self, resource: &Resource);
}

impl<E: SpanExporter> AnyExporter for E {
    fn export(&self, batch: Vec<SpanData>) -> Exported<'_> {
        Box::pin(SpanExporter::export(self, batch))
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.shutdown_with_timeout(SHUTDOWN_TIMEOUT)
    }

    fn set_resource(&mut self, resource: &Resource) {
        SpanExporter::set_resource(self, resource);
    }
}

/// Nothing is left to export then.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

impl BoxedExporter {
    pub(crate) fn new(exporter: impl SpanExporter + 'static) -> Self {
        Self {
            exporter: Box::new(exporter),
            driver: Driver::Thread,
        }
    }

    /// One whose futures are of this runtime, which runs while the exporter's thread waits for them.
    #[cfg(feature = "otlp-grpc")]
    pub(crate) fn on_runtime(
        exporter: impl SpanExporter + 'static,
        runtime: tokio::runtime::Runtime,
    ) -> Self {
        Self {
            exporter: Box::new(exporter),
            driver: Driver::Runtime(OwnRuntime::new(runtime)),
        }
    }
}

/// Makes spans of records, redacts each, and hands the batch on.
///
/// This happens here and not where spans end, so that requests do not pay for it and spans that are not
/// exported cost nothing.
pub(super) struct Exporter {
    inner: Box<dyn AnyExporter>,
    driver: Driver,
    redactor: Arc<Redactor>,
    scope: InstrumentationScope,
    limits: SpanLimits,
}

impl Exporter {
    pub(super) fn new(
        exporter: BoxedExporter,
        resource: &Resource,
        redactor: Arc<Redactor>,
        limits: SpanLimits,
    ) -> Self {
        let BoxedExporter {
            exporter: mut inner,
            driver,
        } = exporter;
        inner.set_resource(resource);
        Self {
            inner,
            driver,
            redactor,
            scope: InstrumentationScope::builder(env!("CARGO_PKG_NAME")).build(),
            limits,
        }
    }

    /// Blocks until the collector has taken the batch, or the exporter has given up.
    pub(super) fn export(&self, batch: Vec<QueuedSpan>) -> OTelSdkResult {
        let span_data = |QueuedSpan { trace, span, .. }| {
            let mut span = EndedSpan::into_span_data(span, &trace, &self.scope, &self.limits);
            redact(&mut span, &self.redactor);
            span
        };
        let batch = batch.into_iter().map(span_data).collect();
        self.driver.block_on(self.inner.export(batch))
    }

    pub(super) fn shut_down(self) {
        // There is nothing left that could be lost.
        let _ = self.inner.shutdown();
    }
}

impl fmt::Debug for BoxedExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An exporter's headers carry credentials.
        f.debug_struct("BoxedExporter").finish_non_exhaustive()
    }
}
