//! Networks, without keeping which they are.

use std::{fmt, net::IpAddr};

use ring::hmac;
use zeroize::Zeroizing;

use crate::entropy::{Entropy, EntropyError};

/// Makes hashes of networks with a key of this process, which is never stored.
pub struct NetworkHasher(hmac::Key);

/// The hash of a network. It means nothing outside the process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NetworkHash(u64);

impl NetworkHasher {
    /// With a key of its own.
    ///
    /// # Errors
    /// [`EntropyError`].
    pub fn new(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(key.as_mut_slice())?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice())))
    }

    /// The network of an address: its first 24 bits, or 48 of IPv6.
    #[must_use]
    pub fn hash(&self, address: IpAddr) -> NetworkHash {
        let mut network = [0; 7];
        match address.to_canonical() {
            IpAddr::V4(address) => {
                network[0] = 4;
                network[1..4].copy_from_slice(&address.octets()[..3]);
            }
            IpAddr::V6(address) => {
                network[0] = 6;
                network[1..].copy_from_slice(&address.octets()[..6]);
            }
        }
        let tag = hmac::sign(&self.0, &network);
        let first = tag.as_ref().first_chunk().copied().unwrap_or_default();
        NetworkHash(u64::from_be_bytes(first))
    }
}

impl fmt::Debug for NetworkHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkHasher").finish_non_exhaustive()
    }
}

impl fmt::Debug for NetworkHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkHash").finish_non_exhaustive()
    }
}
