//! Client addresses, and the proxies that are trusted to name them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// The hops of a forwarding chain that are looked at; those further out are not trusted.
const MAX_HOPS: usize = 32;

/// What counts as one client: an IPv4 address, or the `/64` network of an IPv6 address.
///
/// A single IPv6 host commonly has a whole `/64` to choose addresses from, so counting full
/// addresses would limit nobody. An IPv4 address mapped into IPv6 is the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientNetwork(IpAddr);

/// The proxies that are trusted to name the address of their clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
}

/// The text is neither an address nor a network such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a trusted proxy must be an address or a network such as 10.0.0.0/8")]
#[non_exhaustive]
pub struct TrustedProxyError;

impl ClientNetwork {
    /// The first address of the network.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.0
    }
}

impl From<IpAddr> for ClientNetwork {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

impl TrustedProxies {
    /// Trusts no proxy: the client is the other end of the connection.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Trusts the given addresses and networks.
    ///
    /// # Errors
    /// One of them is neither.
    pub fn new<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, TrustedProxyError> {
        let networks = networks
            .into_iter()
            .map(network)
            .collect::<Result<_, _>>()?;
        Ok(Self { networks })
    }

    /// The client of a connection from `peer`, given the values of its `X-Forwarded-For` lines in
    /// the order of the message.
    ///
    /// Walks from the connection back towards the client for as long as the hop is trusted, and
    /// stops at the first that is not, or at the last good one before an entry that is not an
    /// address.
    ///
    /// # Security
    /// A client can write any entries it likes, but only to the left of the one that the outermost
    /// trusted proxy appended, where they are never read. Proxies must append to the field, not
    /// pass it on unchanged.
    #[must_use]
    pub fn client_address<'a>(
        &self,
        peer: IpAddr,
        forwarded_for: impl IntoIterator<Item = &'a str, IntoIter: DoubleEndedIterator>,
    ) -> IpAddr {
        let hops = forwarded_for
            .into_iter()
            .rev()
            .flat_map(|line| line.rsplit(','));
        let mut client = peer.to_canonical();
        for hop in hops.take(MAX_HOPS) {
            if !self.trusts(client) {
                break;
            }
            let Some(address) = hop_address(hop.trim()) else {
                break;
            };
            client = address;
        }
        client
    }

    /// Whether this address is that of a trusted proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }
}

fn network(text: &str) -> Result<IpNet, TrustedProxyError> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address
        .or_else(|_| text.parse())
        .map_err(|_| TrustedProxyError)
}

/// An address, with or without a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let address = hop
        .parse()
        .or_else(|_| hop.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{ClientNetwork, TrustedProxies, TrustedProxyError};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn behind_ten() -> TrustedProxies {
        TrustedProxies::new(["10.0.0.0/8", "fd00::1"]).unwrap()
    }

    #[test]
    fn a_peer_that_is_no_trusted_proxy_is_the_client_whatever_it_claims() {
        let client = behind_ten().client_address(ip("203.0.113.9"), ["198.51.100.7"]);
        assert_eq!(client, ip("203.0.113.9"));
        let client = TrustedProxies::none().client_address(ip("10.0.0.1"), ["198.51.100.7"]);
        assert_eq!(client, ip("10.0.0.1"));
    }

    #[test]
    fn entries_written_by_the_client_itself_are_not_believed() {
        let client = behind_ten().client_address(
            ip("10.0.0.1"),
            ["10.9.9.9, 8.8.8.8", "198.51.100.7", "10.0.0.2"],
        );
        assert_eq!(client, ip("198.51.100.7"));
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_understood() {
        let proxies = behind_ten();
        assert_eq!(
            proxies.client_address(ip("10.0.0.1"), ["192.0.2.1:4711"]),
            ip("192.0.2.1")
        );
        assert_eq!(
            proxies.client_address(ip("fd00::1"), ["[2001:db8::5]:80"]),
            ip("2001:db8::5")
        );
        assert_eq!(
            proxies.client_address(ip("::ffff:10.0.0.1"), ["::ffff:192.0.2.1"]),
            ip("192.0.2.1")
        );
    }

    #[test]
    fn an_entry_that_is_no_address_ends_the_walk_at_the_last_good_hop() {
        let proxies = behind_ten();
        assert_eq!(
            proxies.client_address(ip("10.0.0.1"), ["192.0.2.1, unknown"]),
            ip("10.0.0.1")
        );
        assert_eq!(proxies.client_address(ip("10.0.0.1"), [""]), ip("10.0.0.1"));
        assert_eq!(proxies.client_address(ip("10.0.0.1"), []), ip("10.0.0.1"));
    }

    #[test]
    fn at_most_32_hops_are_walked() {
        let line = vec!["10.0.0.3"; 40].join(",");
        let line = format!("192.0.2.1,{line}");
        assert_eq!(
            behind_ten().client_address(ip("10.0.0.1"), [line.as_str()]),
            ip("10.0.0.3")
        );
    }

    #[test]
    fn one_host_is_one_client_network() {
        let network = |text| ClientNetwork::from(ip(text));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:2"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn a_trusted_proxy_must_be_a_network() {
        assert_eq!(TrustedProxies::new(["10.0.0.0/33"]), Err(TrustedProxyError));
        assert_eq!(
            TrustedProxies::new(["proxy.internal"]),
            Err(TrustedProxyError)
        );
    }
}
