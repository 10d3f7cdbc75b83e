//! Networks that proxies are in, as they are configured.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::TrustedProxyError;

/// Where no connection comes from: "this network" and multicast (RFC 6890), and broadcast.
const NO_SOURCE_V4: [(Ipv4Addr, u8); 3] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::BROADCAST, 32),
];
const NO_SOURCE_V6: [(Ipv6Addr, u8); 2] = [
    (Ipv6Addr::UNSPECIFIED, 128),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
];

/// All of IPv4 in IPv6 (RFC 4291, 2.5.5.2).
const MAPPED: (Ipv6Addr, u8) = (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);

/// Everyone: all of IPv4, and all global addresses of IPv6.
const EVERYONE_V4: (Ipv4Addr, u8) = (Ipv4Addr::UNSPECIFIED, 0);
const EVERYONE_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// An address or a network that could be a proxy's.
pub(super) fn parse(text: &str) -> Result<IpNet, TrustedProxyError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TrustedProxyError::Empty);
    }
    let address = text.parse::<IpAddr>().map(IpNet::from);
    let network = address
        .or_else(|_| text.parse::<IpNet>())
        .map_err(|_| TrustedProxyError::NotANetwork)?;
    if network != network.trunc() {
        return Err(TrustedProxyError::HostBits);
    }
    if v6(MAPPED).contains(&network) {
        return Err(TrustedProxyError::MappedIpv4);
    }
    let no_source = NO_SOURCE_V4.map(v4).into_iter().chain(NO_SOURCE_V6.map(v6));
    if no_source.into_iter().any(|none| none.contains(&network)) {
        return Err(TrustedProxyError::NoSource);
    }
    Ok(network)
}

/// Whether they leave no one out, be it together.
pub(super) fn is_everyone(networks: &[IpNet]) -> bool {
    let joined = IpNet::aggregate(&networks.to_vec());
    let everyone = [v4(EVERYONE_V4), v6(EVERYONE_V6)];
    joined
        .iter()
        .any(|network| everyone.iter().any(|everyone| network.contains(everyone)))
}

fn v4((address, length): (Ipv4Addr, u8)) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(address, length))
}

fn v6((address, length): (Ipv6Addr, u8)) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(address, length))
}
