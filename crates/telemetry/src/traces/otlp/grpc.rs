//! Export over gRPC, on a runtime of the exporter's own thread.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry_otlp::{
    SpanExporter, WithExportConfig, WithTonicConfig,
    tonic_types::{
        metadata::MetadataMap,
        transport::{Certificate, ClientTlsConfig, Identity},
    },
};
use tokio::runtime::Builder;

use super::{
    DEFAULT_TIMEOUT,
    tls::{authorities, check_crypto_provider},
};
use crate::{environment::Settings, error::InitError, traces::BoxedExporter};

pub(super) fn build(endpoint: String, settings: &Settings) -> Result<BoxedExporter, InitError> {
    let is_encrypted = endpoint.starts_with("https://");
    let mut exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(settings.timeout.unwrap_or(DEFAULT_TIMEOUT))
        .with_metadata(MetadataMap::from_headers(headers(settings)));
    if is_encrypted {
        check_crypto_provider()?;
        exporter = exporter.with_tls_config(tls(settings)?);
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(InitError::Thread)?;
    let exporter = {
        // The channel wants to know its runtime.
        let _entered = runtime.enter();
        exporter.build().map_err(InitError::Exporter)?
    };
    Ok(BoxedExporter::on_runtime(exporter, runtime))
}

/// They were checked where they were read.
fn headers(settings: &Settings) -> HeaderMap {
    let pairs = settings.headers.iter();
    let pairs = pairs.filter_map(|(name, value)| {
        Some((
            HeaderName::try_from(name).ok()?,
            HeaderValue::try_from(value).ok()?,
        ))
    });
    pairs.collect()
}

/// The roots are those of the file that the environment names, or the system's.
fn tls(settings: &Settings) -> Result<ClientTlsConfig, InitError> {
    let files = &settings.tls;
    let config = match &files.authorities {
        Some(file) => {
            authorities(file)?;
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&file.pem))
        }
        None => ClientTlsConfig::new().with_enabled_roots(),
    };
    Ok(match (&files.certificate, &files.key) {
        (Some(certificate), Some(key)) => {
            config.identity(Identity::from_pem(&certificate.pem, &key.pem))
        }
        _ => config,
    })
}
