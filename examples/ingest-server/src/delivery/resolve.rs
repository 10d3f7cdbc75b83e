//! Names, resolved to addresses that may be connected to.

use std::net::{IpAddr, SocketAddr};

use portcullis_audit_log::sink::{AddressPolicy, TransportError};
use tokio::net::lookup_host;

/// The addresses of a host. What is connected to has to be one of them: another look-up may give others.
///
/// # Errors
/// There are none, or one of them is not allowed.
pub(super) async fn resolve(
    host: &str,
    port: u16,
    addresses: &AddressPolicy,
) -> Result<Vec<SocketAddr>, TransportError> {
    let found = lookup_host((host, port)).await;
    let found: Vec<_> = found.map_err(TransportError::unreachable)?.collect();
    let ips: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
    addresses.check(&ips)?;
    Ok(found)
}
