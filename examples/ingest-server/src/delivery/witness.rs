//! How a witness of the audit log is reached.

use std::sync::Arc;

use http::HeaderValue;
use portcullis_audit_log::{anchor::WitnessConnection, export::Endpoint};
use secrecy::ExposeSecret as _;

use super::{http::HttpTransport, sink::UnusableSink, tls};
use crate::config::Witness;

/// Connects to a witness as to a sink: to addresses that are allowed, without proxy and redirect.
///
/// # Errors
/// [`UnusableSink`].
pub(crate) fn connection(witness: &Witness) -> Result<WitnessConnection, UnusableSink> {
    let is_http = |endpoint: &Endpoint| endpoint.uri().scheme_str() == Some("http");
    let tls = if is_http(&witness.submission) && witness.monitoring.iter().all(is_http) {
        tls::of_nobody()?
    } else {
        tls::client(witness.reach.authorities.as_ref())?
    };
    let authorization = witness.authorization.as_ref();
    // EXPOSE: it is sent with each request, and shown nowhere.
    let authorization = authorization.map(|text| HeaderValue::from_str(text.expose_secret()));
    let addresses = witness.reach.addresses.clone();
    let transport = HttpTransport::new(addresses.clone(), tls, authorization.transpose()?)?;
    let submission = witness.submission.clone();
    Ok(WitnessConnection::new(
        Arc::new(transport),
        addresses,
        submission,
    ))
}
