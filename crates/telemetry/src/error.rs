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
    /// The endpoint given in code is not one that this build reaches.
    #[error("OTLP endpoint must be an `http://` URL, or `https://` with the feature `otlp-tls`")]
    Endpoint,
    /// The OTLP exporter could not be made.
    #[cfg(feature = "otlp-http")]
    #[error("the OTLP exporter could not be built")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
    /// The code asks for export over OTLP, and this build has no exporter. When a variable asks for
    /// it, the error is [`Environment`](Self::Environment).
    #[error("OTLP export needs the feature `otlp-http` of portcullis-telemetry")]
    ExporterMissing,
    /// The code asks for export over gRPC, and this build has none.
    #[cfg(all(feature = "otlp-http", not(feature = "otlp-grpc")))]
    #[error("OTLP over gRPC needs the feature `otlp-grpc` of portcullis-telemetry")]
    GrpcMissing,
    /// The process has no rustls provider, which is to be installed before.
    #[cfg(feature = "otlp-tls")]
    #[error(
        "the process has no rustls provider; install one first, such as \
         rustls::crypto::ring::default_provider().install_default()"
    )]
    CryptoProviderMissing,
    /// A certificate or a key that a variable names cannot be used.
    #[cfg(feature = "otlp-tls")]
    #[error("the file that environment variable {variable} names has no certificate or key to use")]
    Certificate {
        /// The variable to correct.
        variable: &'static str,
    },
    /// The HTTP client for the exporter could not be made.
    #[cfg(feature = "otlp-tls")]
    #[error("the HTTP client of the OTLP exporter could not be built")]
    Client(#[source] reqwest::Error),
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
