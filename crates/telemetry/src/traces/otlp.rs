//! The OTLP exporter that code and environment ask for.

#[cfg(feature = "otlp-http")]
use std::{collections::HashMap, time::Duration};

#[cfg(feature = "otlp-http")]
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};

use super::BoxedExporter;
use crate::{
    environment::{Export, Settings, http_url, traces_endpoint},
    error::InitError,
};

/// Where finished spans go.
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
    /// Nowhere. Spans still have ids, so that log lines and answers carry them.
    Off,
}

const DEFAULT_BASE: &str = "http://localhost:4318";
/// The specification's default for `OTEL_EXPORTER_OTLP_TIMEOUT`.
#[cfg(feature = "otlp-http")]
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The exporter that is asked for, if any.
pub(crate) fn exporter(
    otlp: &Otlp,
    settings: &Settings,
) -> Result<Option<BoxedExporter>, InitError> {
    let base = match (otlp, settings.export, &settings.endpoint) {
        (Otlp::Off, ..) | (_, Some(Export::Off), _) => return Ok(None),
        (Otlp::IfConfigured, None, None) => return Ok(None),
        (Otlp::HttpAt(base), ..) => base.as_str(),
        _ => DEFAULT_BASE,
    };
    let base = http_url(base).map_err(|_| InitError::Endpoint)?;
    let endpoint = settings
        .endpoint
        .as_ref()
        .map_or_else(|| traces_endpoint(&base), |endpoint| endpoint.url.clone());
    build(endpoint, settings).map(Some)
}

#[cfg(feature = "otlp-http")]
fn build(endpoint: String, settings: &Settings) -> Result<BoxedExporter, InitError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_timeout(settings.timeout.unwrap_or(DEFAULT_TIMEOUT))
        .with_headers(settings.headers.iter().cloned().collect::<HashMap<_, _>>())
        .build()
        .map_err(InitError::Exporter)?;
    Ok(BoxedExporter::new(exporter))
}

/// Spans that were asked for and go nowhere would be missed when they are needed.
#[cfg(not(feature = "otlp-http"))]
fn build(_endpoint: String, settings: &Settings) -> Result<BoxedExporter, InitError> {
    Err(settings
        .exporter_missing()
        .map_or(InitError::ExporterMissing, InitError::Environment))
}
