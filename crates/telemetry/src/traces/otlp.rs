//! The OTLP exporter that code and environment ask for.

#[cfg(feature = "otlp-grpc")]
mod grpc;
#[cfg(feature = "otlp-http")]
mod http;
#[cfg(feature = "otlp-tls")]
mod tls;

use super::BoxedExporter;
use crate::{
    environment::{Export, Protocol, Settings, collector_url},
    error::InitError,
};

/// Where finished spans go.
///
/// An endpoint may be an `https://` URL with the feature `otlp-tls`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Otlp {
    /// To the endpoint that an `OTEL_EXPORTER_OTLP_…` variable names; nowhere when there is none.
    #[default]
    IfConfigured,
    /// To a collector over HTTP: where the environment says; default: this host, port 4318. Needs
    /// the feature `otlp-http`.
    Http,
    /// To the collector with this base URL (`http://collector:4318`) over HTTP, unless the
    /// environment names another. Needs the feature `otlp-http`.
    HttpAt(String),
    /// To a collector over gRPC: where the environment says; default: this host, port 4317. Needs the
    /// feature `otlp-grpc`.
    Grpc,
    /// To the collector with this base URL (`http://collector:4317`) over gRPC, unless the environment
    /// names another. Needs the feature `otlp-grpc`.
    GrpcAt(String),
    /// Nowhere. Spans still have ids, so that log lines and answers carry them.
    Off,
}

const HTTP_BASE: &str = "http://localhost:4318";
const GRPC_BASE: &str = "http://localhost:4317";
/// The specification's default for `OTEL_EXPORTER_OTLP_TIMEOUT`.
#[cfg(feature = "otlp-http")]
const DEFAULT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// The exporter that is asked for, if any.
pub(crate) fn exporter(
    otlp: &Otlp,
    settings: &Settings,
) -> Result<Option<BoxedExporter>, InitError> {
    match (otlp, settings.export, &settings.endpoint) {
        (Otlp::Off, ..) | (_, Some(Export::Off), _) => return Ok(None),
        (Otlp::IfConfigured, None, None) => return Ok(None),
        _ => {}
    }
    let (of_code, base) = match otlp {
        Otlp::HttpAt(base) => (Protocol::Http, Some(base.as_str())),
        Otlp::GrpcAt(base) => (Protocol::Grpc, Some(base.as_str())),
        Otlp::Grpc => (Protocol::Grpc, None),
        Otlp::IfConfigured | Otlp::Http | Otlp::Off => (Protocol::Http, None),
    };
    let protocol = settings.protocol.unwrap_or(of_code);
    let default = match protocol {
        Protocol::Http => HTTP_BASE,
        Protocol::Grpc => GRPC_BASE,
    };
    let base = collector_url(base.unwrap_or(default)).map_err(|_| InitError::Endpoint)?;
    let endpoint = match &settings.endpoint {
        Some(endpoint) => endpoint.url_for(protocol),
        None => protocol.traces_url(&base),
    };
    build(protocol, endpoint, settings).map(Some)
}

#[cfg(feature = "otlp-http")]
fn build(
    protocol: Protocol,
    endpoint: String,
    settings: &Settings,
) -> Result<BoxedExporter, InitError> {
    match protocol {
        Protocol::Http => http::build(endpoint, settings),
        #[cfg(feature = "otlp-grpc")]
        Protocol::Grpc => grpc::build(endpoint, settings),
        #[cfg(not(feature = "otlp-grpc"))]
        Protocol::Grpc => Err(InitError::GrpcMissing),
    }
}

/// Spans that were asked for and go nowhere would be missed when they are needed.
#[cfg(not(feature = "otlp-http"))]
fn build(
    _protocol: Protocol,
    _endpoint: String,
    settings: &Settings,
) -> Result<BoxedExporter, InitError> {
    Err(settings
        .exporter_missing()
        .map_or(InitError::ExporterMissing, InitError::Environment))
}
