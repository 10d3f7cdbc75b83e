//! Export over HTTP, by a blocking client.

use std::collections::HashMap;

use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};

use super::DEFAULT_TIMEOUT;
use crate::{environment::Settings, error::InitError, traces::BoxedExporter};

pub(super) fn build(endpoint: String, settings: &Settings) -> Result<BoxedExporter, InitError> {
    let timeout = settings.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_timeout(timeout)
        .with_headers(settings.headers.iter().cloned().collect::<HashMap<_, _>>());
    #[cfg(feature = "otlp-tls")]
    let exporter = exporter.with_http_client(encrypted::client(timeout, settings)?);
    let exporter = exporter.build().map_err(InitError::Exporter)?;
    Ok(BoxedExporter::new(exporter))
}

#[cfg(feature = "otlp-tls")]
mod encrypted {
    use std::{io, thread, time::Duration};

    use reqwest::{Identity, blocking::Client, redirect::Policy};

    use crate::{
        environment::Settings,
        error::InitError,
        traces::otlp::tls::{authorities, check_crypto_provider, not_usable},
    };

    /// A client whose roots are those of the file that the environment names, or the system's.
    pub(super) fn client(timeout: Duration, settings: &Settings) -> Result<Client, InitError> {
        check_crypto_provider()?;
        let mut builder = Client::builder()
            .timeout(timeout)
            // Another host would get the headers with credentials.
            .redirect(Policy::none());
        let files = &settings.tls;
        if let Some(file) = &files.authorities {
            builder = builder.tls_certs_only(authorities(file)?);
        }
        if let (Some(certificate), Some(key)) = (&files.certificate, &files.key) {
            let both = [key.pem.as_slice(), b"\n", &certificate.pem].concat();
            let identity = Identity::from_pem(&both).map_err(|_| not_usable(key))?;
            builder = builder.identity(identity);
        }
        // A blocking client is made where no runtime is.
        let made = thread::spawn(move || builder.build()).join();
        let client =
            made.map_err(|_| InitError::Thread(io::Error::other("the client panicked")))?;
        client.map_err(InitError::Client)
    }
}
