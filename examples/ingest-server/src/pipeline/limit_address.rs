//! Does this address ask too often: the connection → `IpAddr`, before anything costs more.

use std::net::{IpAddr, Ipv4Addr};

use http::{Extensions, HeaderMap};

use super::{limits, rejection::RequestRejection, services::Services};

/// The address of the client of a request, which the listener puts into its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

/// The client's address, if it is within its limit.
pub(crate) async fn limit_address(
    services: &Services,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<IpAddr, RequestRejection> {
    let address = extensions.get::<ClientAddress>();
    let ClientAddress(address) = address
        .copied()
        .unwrap_or(ClientAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    limits::check_address(services, address, headers).await?;
    Ok(address)
}
