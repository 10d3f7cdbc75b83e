//! Sinks, made of what is configured.

use std::sync::Arc;

use http::{HeaderValue, header::InvalidHeaderValue};
use portcullis_audit_log::{
    event::InvalidId,
    export::{Endpoint, InvalidSecret, Otlp, Syslog, Webhook, WebhookSecrets},
    sink::{OcsfLines, OtlpSink, Sink, SyslogSink, WebhookSink},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{file_lines::FileLines, http::HttpTransport, tls, tls_lines::TlsLines};
use crate::{
    audit::ocsf,
    config::{Reach, Receiver, WebhookTexts},
};

/// A sink cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnusableSink {
    #[error("TLS cannot be prepared")]
    Tls(#[from] rustls::Error),
    #[error("no client of HTTP can be made")]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    #[error("the authorization of a collector cannot be sent")]
    Authorization(#[from] InvalidHeaderValue),
    #[error("the name of a sink cannot be used")]
    Name(#[from] InvalidId),
}

/// The one that delivers to a receiver.
pub(super) fn of(receiver: &Receiver) -> Result<Box<dyn Sink>, UnusableSink> {
    let ocsf = ocsf();
    Ok(match receiver {
        Receiver::Webhook {
            endpoint,
            secrets,
            reach,
        } => {
            let webhook = Webhook::new(endpoint.clone(), webhook_secrets(secrets)?);
            let (transport, addresses) =
                (transport(endpoint, reach, None)?, reach.addresses.clone());
            Box::new(WebhookSink::new(webhook, transport, addresses))
        }
        Receiver::Otlp {
            endpoint,
            authorization,
            reach,
        } => {
            let otlp = Otlp::new(ocsf, endpoint.clone());
            let (transport, addresses) = (
                transport(endpoint, reach, authorization.as_ref())?,
                reach.addresses.clone(),
            );
            Box::new(OtlpSink::new(otlp, transport, addresses))
        }
        Receiver::Syslog {
            host,
            port,
            name,
            enterprise,
            reach,
        } => {
            let tls = tls::client(reach.authorities.as_ref())?;
            let (name, addresses) = (name.clone(), reach.addresses.clone());
            let lines = TlsLines::new(host, *port, name, addresses, tls);
            let syslog = Syslog::new(ocsf);
            let syslog = match enterprise {
                Some(enterprise) => syslog.enterprise(*enterprise),
                None => syslog,
            };
            Box::new(SyslogSink::new(syslog, Arc::new(lines)))
        }
        Receiver::OcsfFile(path) => {
            let lines = FileLines::new(path.clone());
            Box::new(OcsfLines::new(ocsf, Arc::new(lines)))
        }
    })
}

fn transport(
    endpoint: &Endpoint,
    reach: &Reach,
    authorization: Option<&SecretString>,
) -> Result<Arc<HttpTransport>, UnusableSink> {
    let tls = match endpoint.uri().scheme_str() {
        Some("http") => tls::of_nobody()?,
        _ => tls::client(reach.authorities.as_ref())?,
    };
    // EXPOSE: it is sent with each request, and shown nowhere.
    let authorization = authorization.map(|text| HeaderValue::from_str(text.expose_secret()));
    let transport = HttpTransport::new(reach.addresses.clone(), tls, authorization.transpose()?)?;
    Ok(Arc::new(transport))
}

fn webhook_secrets(texts: &WebhookTexts) -> Result<WebhookSecrets, InvalidSecret> {
    // EXPOSE: it becomes the key of signatures.
    let secrets = WebhookSecrets::new(texts.current.expose_secret().parse()?);
    match &texts.previous {
        // EXPOSE: likewise.
        Some(previous) => Ok(secrets.with_previous(previous.expose_secret().parse()?)),
        None => Ok(secrets),
    }
}
