//! Why telemetry did not start.

use thiserror::Error;
use tracing::subscriber::SetGlobalDefaultError;

use crate::{environment::EnvironmentError, metrics::MetricError};

/// Why telemetry did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InitError {
    /// An `OTEL_*` variable says what cannot be honoured.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The filter is not a list of `target=level`.
    #[error("log filter must be a level or `target=level` pairs with commas")]
    Filter,
    /// The endpoint given in code is not one that plain HTTP reaches.
    #[error("OTLP endpoint must be an `http://` URL")]
    Endpoint,
    /// The OTLP exporter could not be made.
    #[cfg(feature = "otlp-http")]
    #[error("the OTLP exporter could not be built")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
    /// The code asks for export over OTLP, and this build has no exporter. When a variable asks for
    /// it, the error is [`Environment`](Self::Environment).
    #[error("OTLP export needs the feature `otlp-http` of portcullis-telemetry")]
    ExporterMissing,
    /// The exporter's thread could not be started.
    #[error("the thread that exports spans could not be started")]
    Thread(#[source] std::io::Error),
    /// A metric of telemetry's own was refused.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The process has a global subscriber: use [`Builder::layer`](crate::Builder::layer) with it.
    #[error("another global subscriber is installed already: add the layer to that one")]
    SubscriberInstalled(#[source] SetGlobalDefaultError),
}
