//! Networks that an operator lists.

use std::{fmt, net::IpAddr, str::FromStr};

/// A network, as `10.20.0.0/16` or `fd00:7::/48`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a network must be an address, `/` and the length of its prefix, with zeros behind it, as 10.20.0.0/16"
)]
#[non_exhaustive]
pub struct InvalidNetwork;

impl Network {
    /// Whether an address is in it. An IPv4 address that is written as IPv6 is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4()
            && (bits(address) ^ bits(self.address)) & mask(self.prefix) == 0
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, prefix) = text.split_once('/').ok_or(InvalidNetwork)?;
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let has_one_spelling = prefix == "0" || !prefix.starts_with(['0', '+']);
        let prefix: u8 = prefix.parse().map_err(|_| InvalidNetwork)?;
        let is_network = prefix <= width && bits(address) & !mask(prefix) == 0;
        if !has_one_spelling || !is_network || address.to_canonical() != address {
            return Err(InvalidNetwork);
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// The address from the highest bit on.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

const fn mask(prefix: u8) -> u128 {
    match 128_u32.checked_sub(prefix as u32) {
        None | Some(0) => u128::MAX,
        Some(128) => 0,
        Some(zeros) => u128::MAX << zeros,
    }
}
