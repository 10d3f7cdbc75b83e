//! Client addresses, and the proxies that are trusted to name them.

pub(crate) mod hops;
mod network;

use std::net::{IpAddr, Ipv6Addr};

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

/// Why a text names no proxies that can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedProxyError {
    /// It is neither an address nor a network.
    #[error("must be an address or a network such as 10.0.0.0/8")]
    NotANetwork,
    /// It is empty, as between two commas.
    #[error("is empty; remove the comma")]
    Empty,
    /// It sets bits beyond the length of the network, so that it is not clear which one is meant.
    #[error("has bits set beyond its length; write the first address of the network")]
    HostBits,
    /// It is an IPv4 address or network in IPv6. Connections are matched by their IPv4 address, so
    /// it would match none.
    #[error("is IPv4 in IPv6 and would match nothing; write it as IPv4")]
    MappedIpv4,
    /// No connection comes from there: it is unspecified, multicast or broadcast.
    #[error("is no network that connections come from, and would match nothing")]
    NoSource,
    /// It is everyone, alone or with those before it.
    #[error("trusts everyone, so that each client could name any address; name your proxies alone")]
    Everyone,
}

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
    /// One of them is neither, could match nothing, or trusts everyone.
    pub fn new<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, TrustedProxyError> {
        let networks: Vec<IpNet> = networks
            .into_iter()
            .map(network::parse)
            .collect::<Result<_, _>>()?;
        if network::is_everyone(&networks) {
            return Err(TrustedProxyError::Everyone);
        }
        Ok(Self { networks })
    }

    /// The client of a connection from `peer`, given the values of its `X-Forwarded-For` lines in
    /// the order of the message.
    ///
    /// Walks from the connection back towards the client for as long as the hop is trusted, and
    /// stops at the first that is not, or at the last good one before an entry that is not an
    /// address: `unknown`, a name, or anything else. Empty entries are passed over (RFC 9110,
    /// 5.6.1). An address may have a port, brackets and a zone.
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
        let lines = forwarded_for.into_iter().map(str::as_bytes);
        self.walk(peer, hops::forwarded_for(lines))
    }

    /// The client of a connection from `peer`, given the values of its `Forwarded` lines (RFC 7239)
    /// in the order of the message.
    ///
    /// As [`client_address`](Self::client_address), by the `for` parameter of each element; one
    /// without it, or with an obfuscated name, ends the walk.
    #[must_use]
    pub fn client_address_forwarded<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl IntoIterator<Item = &'a str, IntoIter: DoubleEndedIterator>,
    ) -> IpAddr {
        let lines = forwarded.into_iter().map(str::as_bytes);
        self.walk(peer, hops::forwarded(lines))
    }

    /// Goes over hops, from the connection towards the client, while they are trusted.
    pub(crate) fn walk(&self, peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut client = peer.to_canonical();
        for hop in hops.take(MAX_HOPS) {
            if !self.trusts(client) {
                break;
            }
            let Some(address) = hop else {
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

#[cfg(test)]
mod tests;
