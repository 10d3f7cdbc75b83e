//! What telemetry is to do, and how it starts.

use std::{num::NonZeroUsize, sync::Arc};

use opentelemetry_sdk::trace::SpanExporter;
use tracing::{Subscriber, subscriber::set_global_default};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{MakeWriter, writer::BoxMakeWriter},
    layer::SubscriberExt,
    registry::LookupSpan,
};

use crate::{
    clock::{Clock, SystemClock},
    environment::{Environment, Settings},
    error::InitError,
    guard::Guard,
    logs::{LogLayer, LogLimits, Logs, Stderr, Verbosity},
    losses::Losses,
    metrics::Registry,
    panics::{self, log_panics},
    redact::{Redaction, Redactor},
    sampling::Sampling,
    traces::{self, BoxedExporter, Otlp, Pipeline, SpanCounts, SpanLayer},
};

/// The entry point: [`Telemetry::builder`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Telemetry {}

impl Telemetry {
    /// Telemetry of the service with this name; `OTEL_SERVICE_NAME` overrides it.
    pub fn builder(service: impl Into<String>) -> Builder {
        Builder {
            service: service.into(),
            environment: Environment::process(),
            otlp: Otlp::default(),
            exporter: None,
            queue_bytes: QUEUE_BYTES,
            sampling: Sampling::default(),
            logs: Logs::default(),
            limits: LogLimits::default(),
            filter: "info".to_owned(),
            writer: BoxMakeWriter::new(Stderr::default()),
            redaction: Redaction::default(),
            clock: Arc::new(SystemClock::new()),
        }
    }
}

/// What telemetry is to do. Variables of the environment override it.
#[derive(Debug)]
#[must_use = "nothing happens before `init` or `layer`"]
pub struct Builder {
    service: String,
    environment: Environment,
    otlp: Otlp,
    exporter: Option<BoxedExporter>,
    queue_bytes: NonZeroUsize,
    sampling: Sampling,
    logs: Logs,
    limits: LogLimits,
    filter: String,
    writer: BoxMakeWriter,
    redaction: Redaction,
    clock: Arc<dyn Clock>,
}

const QUEUE_BYTES: NonZeroUsize = NonZeroUsize::new(16 << 20).expect("not zero");

impl Builder {
    /// Where finished spans go; default: where the environment says.
    pub fn otlp(mut self, otlp: Otlp) -> Self {
        self.otlp = otlp;
        self
    }

    /// An exporter of your own instead of [`otlp`](Self::otlp); spans reach it redacted.
    pub fn exporter(mut self, exporter: impl SpanExporter + 'static) -> Self {
        self.exporter = Some(BoxedExporter::new(exporter));
        self
    }

    /// Memory of the spans that wait for their export, as estimated from their texts; default: 16 MiB. Their
    /// number is bounded by `OTEL_BSP_MAX_QUEUE_SIZE`. Spans beyond either bound are dropped and counted under
    /// `telemetry_spans_dropped_total`.
    pub fn queue_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// Which traces are exported; default: one in a hundred by their id.
    pub fn sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// How log lines look; default: JSON.
    pub fn logs(mut self, logs: Logs) -> Self {
        self.logs = logs;
        self
    }

    /// How much may be logged.
    pub fn log_limits(mut self, limits: LogLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Which events are logged and put into spans: a level, or `target=level` pairs with commas
    /// (`info,hyper=warn`). Spans from INFO up exist whatever this says.
    pub fn filter(mut self, directives: impl Into<String>) -> Self {
        self.filter = directives.into();
        self
    }

    /// Where log lines go; default: standard error, where a line that has no room within a tenth of a
    /// second, because nobody reads it, is dropped and counted.
    pub fn writer(mut self, writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) -> Self {
        self.writer = BoxMakeWriter::new(writer);
        self
    }

    /// What is hidden; default: [`Redaction::standard`].
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.redaction = redaction;
        self
    }

    /// Where `OTEL_*` variables are read; default: the process's environment. The
    /// OTLP exporter adds headers that the process's environment names in either case.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The time that lines, rates and the tail go by.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Starts telemetry for the whole process: a global subscriber, and panics in the log.
    ///
    /// # Errors
    /// When a setting cannot be honoured, or a global subscriber is there already.
    pub fn init(self) -> Result<Guard, InitError> {
        let (layer, guard) = self.layer()?;
        set_global_default(tracing_subscriber::registry().with(layer))
            .map_err(InitError::SubscriberInstalled)?;
        log_panics();
        Ok(guard)
    }

    /// Starts telemetry as a layer for a subscriber of your own. Its filter holds for every layer
    /// of that subscriber.
    ///
    /// Put it under no `reload` layer: spans would not find it to join the caller's trace.
    ///
    /// # Errors
    /// When a setting cannot be honoured.
    pub fn layer<S>(self) -> Result<(impl Layer<S> + Send + Sync + use<S>, Guard), InitError>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let mut settings = Settings::read(&self.environment)?;
        let service = settings.service_name.take().unwrap_or(self.service);
        let events: Targets = self.filter.parse().map_err(|_| InitError::Filter)?;
        let mut sampling = self.sampling;
        sampling.head = settings.head.unwrap_or(sampling.head);
        let exporter = match self.exporter {
            Some(exporter) => Some(exporter),
            None => traces::exporter(&self.otlp, &settings)?,
        };
        let has_exporter = exporter.is_some();

        let registry = Registry::new();
        let redactor = Arc::new(Redactor::new(self.redaction));
        let counts = SpanCounts::new();
        let logs = LogLayer::new(
            service.clone(),
            self.logs,
            self.limits,
            Arc::clone(&redactor),
            Arc::clone(&self.clock),
            self.writer,
        );
        redactor.register(&registry)?;
        counts.register(&registry)?;
        logs.register(&registry)?;
        panics::register(&registry)?;
        registry.register_process()?;

        let losses = Losses::new(counts.clone(), logs.dropped().clone());
        let recorder = Pipeline {
            service: &service,
            settings: &settings,
            sampling: &sampling,
            exporter,
            queue_bytes: self.queue_bytes,
            redactor: Arc::clone(&redactor),
            clock: self.clock,
            registry: &registry,
            counts: counts.clone(),
        }
        .recorder()?;
        let recorder = Arc::new(recorder);
        let spans = SpanLayer::new::<S>(Arc::clone(&recorder));
        let layer = Verbosity::new(events).and_then(spans).and_then(logs);
        let guard = Guard::new(
            recorder,
            registry,
            redactor,
            counts,
            losses,
            has_exporter,
            settings.propagates,
        );
        Ok((layer, guard))
    }
}
