//! Which addresses may be connected to: a receiver that is configured by its name must not become a way into the network
//! of the service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Network;

/// Addresses of the public internet, and networks that the operator has listed.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    allowed: Vec<Network>,
}

/// Some address of a receiver is not allowed. It does not say which: that is for who can look up the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the receiver has a private or reserved address; list its network if it is meant")]
#[non_exhaustive]
pub struct AddressRefused;

impl AddressPolicy {
    /// Public addresses alone.
    #[must_use]
    pub const fn public() -> Self {
        Self {
            allowed: Vec::new(),
        }
    }

    /// And those of this network.
    #[must_use]
    pub fn allow(mut self, network: Network) -> Self {
        self.allowed.push(network);
        self
    }

    /// Whether this address is allowed.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || self.allowed.iter().any(|network| network.contains(address))
    }

    /// Looks at all addresses that a name was resolved to. One that is not allowed is enough to refuse: who answers with
    /// both wants the other one to be tried.
    ///
    /// # Errors
    /// [`AddressRefused`], also if there are none.
    pub fn check(&self, resolved: &[IpAddr]) -> Result<(), AddressRefused> {
        if !resolved.is_empty() && resolved.iter().all(|address| self.allows(*address)) {
            Ok(())
        } else {
            Err(AddressRefused)
        }
    }
}

/// Whether an address belongs to a host of the public internet.
///
/// It does not if the [registries of IANA](https://www.iana.org/assignments/iana-ipv4-special-registry) keep it for
/// something else, and neither does an IPv6 address that leads to such an IPv4 address: mapped, by NAT64, 6to4, Teredo
/// or ISATAP.
#[must_use]
pub const fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

const fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // This network, private use, loopback, multicast, reserved and broadcast.
        [0 | 10 | 127 | 224.., ..]
        // Between a provider and its customers.
        | [100, 64..=127, ..]
        // Link-local, where clouds have their metadata.
        | [169, 254, ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        // Protocol assignments, documentation, relays of 6to4.
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        // Benchmarks.
        | [198, 18 | 19, ..]
    )
}

const fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    match [a, b, c, d, e, f] {
        // Mapped, and the well-known prefix of NAT64.
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => is_public_v4(v4(g, h)),
        // ISATAP, in any network.
        [_, _, _, _, 0 | 0x200, 0x5efe] => false,
        // Protocol assignments, Teredo among them, and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // 6to4.
        [0x2002, high, low, ..] => is_public_v4(v4(high, low)),
        // All that is assigned to hosts. Unique local, link-local, multicast, loopback and unspecified are not in it.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

const fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits((high as u32) << 16 | low as u32)
}
