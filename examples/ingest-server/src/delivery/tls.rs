//! How receivers prove who they are.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// TLS 1.2 and 1.3 with these authorities, or those of the system.
pub(crate) fn client(
    authorities: Option<&Arc<RootCertStore>>,
) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    let builder = match authorities {
        Some(authorities) => builder.with_root_certificates(Arc::clone(authorities)),
        None => builder.with_platform_verifier()?,
    };
    Ok(builder.with_no_client_auth())
}

/// What no certificate satisfies, where none is asked for: a system without authorities can do without.
pub(super) fn of_nobody() -> Result<ClientConfig, rustls::Error> {
    client(Some(&Arc::new(RootCertStore::empty())))
}
