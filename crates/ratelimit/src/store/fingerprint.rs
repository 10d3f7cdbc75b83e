//! Keys of fixed size in place of the texts they stand for.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    ops::BitXor,
};

use siphasher::sip128::SipHasher13;

use crate::{
    address::ClientNetwork,
    policy::MAX_LIMITS,
    store::{Charge, Partition, Subject, Target},
};

/// Odd, so that multiplying by it loses nothing: 2⁶⁴ over the golden ratio.
const MIXER: u64 = 0x9E37_79B9_7F4A_7C15;

/// A key of 128 bits, in place of the texts that it stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::store) struct Fingerprint {
    low: u64,
    high: u64,
}

/// Makes fingerprints under secret keys of this process, one for each kind of text, so that nobody
/// can choose texts whose fingerprints meet.
///
/// Each text is read once, by SipHash-1-3 with 128 bits (Aumasson and Bernstein, 2012), a keyed
/// pseudo-random function: what it says of other texts tells nothing of the next, and no
/// fingerprint leaves the process. A bucket's fingerprint is the exclusive or of its parts', which
/// are of different functions; two buckets meet by chance alone, as they would under one function
/// of all their parts.
#[derive(Clone)]
pub(in crate::store) struct Fingerprints {
    tenants: SipHasher13,
    keys: SipHasher13,
    networks: SipHasher13,
}

/// The fingerprints of the buckets of one charge; of positions that have none, zero.
#[derive(Default)]
pub(in crate::store) struct ChargeKeys {
    by_position: [Fingerprint; MAX_LIMITS],
}

impl Fingerprint {
    /// A number below `bound`, from the half that tells shards.
    pub(in crate::store) fn shard_below(self, bound: usize) -> usize {
        index_below(self.high, bound)
    }

    /// A number below `bound`, from the half that tells the places of a table.
    pub(in crate::store) fn place_below(self, bound: usize) -> usize {
        index_below(self.low, bound)
    }

    /// Of this and then the other: unlike the exclusive or, it tells apart in which order, and whether
    /// twice.
    const fn followed_by(self, other: Self) -> Self {
        Self {
            low: (self.low.rotate_left(29) ^ other.low).wrapping_mul(MIXER),
            high: (self.high.rotate_left(29) ^ other.high).wrapping_mul(MIXER),
        }
    }

    /// Of this and a number that nobody outside chooses.
    const fn with_number(self, number: u64) -> Self {
        Self {
            low: (self.low.rotate_left(29) ^ number).wrapping_mul(MIXER),
            ..self
        }
    }

    const fn of_limit(self, identity_hash: u64) -> Self {
        Self {
            low: self.low ^ identity_hash,
            ..self
        }
    }
}

impl BitXor for Fingerprint {
    type Output = Self;

    fn bitxor(self, other: Self) -> Self {
        Self {
            low: self.low ^ other.low,
            high: self.high ^ other.high,
        }
    }
}

impl Fingerprints {
    pub(in crate::store) fn make_random() -> Self {
        Self {
            tenants: make_random_function(),
            keys: make_random_function(),
            networks: make_random_function(),
        }
    }

    #[inline]
    pub(in crate::store) fn of_partition(&self, partition: Partition<'_>) -> Fingerprint {
        match partition {
            Partition::Tenant(tenant) => under(&self.tenants, tenant.as_bytes()),
            Partition::Address(network) => self.of_network(network),
        }
    }

    #[inline]
    pub(in crate::store) fn of_bucket(
        &self,
        partition: Fingerprint,
        target: &Target<'_>,
    ) -> Fingerprint {
        let bucket = match target.subject() {
            Subject::Whole => partition,
            Subject::Key(id) => partition ^ under(&self.keys, id.as_bytes()),
            Subject::Address(network) => partition ^ self.of_network(network),
        };
        bucket.of_limit(target.limit().identity_hash())
    }

    /// Fills in the keys of a charge's buckets.
    #[inline]
    pub(in crate::store) fn of_buckets(
        &self,
        partition: Fingerprint,
        charge: &Charge<'_>,
        keys: &mut ChargeKeys,
    ) {
        for target in charge.targets() {
            keys.by_position[target.position()] = self.of_bucket(partition, &target);
        }
    }

    /// Of everything that `charge` counts for: its partition, its buckets and the numbers of their
    /// limits. So a limit with other numbers makes another key.
    pub(super) fn of_charge(&self, partition: Fingerprint, charge: &Charge<'_>) -> Fingerprint {
        charge.targets().fold(partition, |key, target| {
            let limit = target.limit().limit();
            let numbers = [
                u64::from(target.limit().is_enforced()),
                limit.scale().units_per_token().get(),
                u64::from(limit.scale().units_per_tick().get()),
                limit.scale().tick().micros(),
                limit.volume(),
                limit.most_volume(),
            ];
            let key = key.followed_by(self.of_bucket(partition, &target));
            numbers.into_iter().fold(key, Fingerprint::with_number)
        })
    }

    fn of_network(&self, network: ClientNetwork) -> Fingerprint {
        match network.address() {
            IpAddr::V4(address) => under(&self.networks, &address.octets()),
            IpAddr::V6(address) => under(&self.networks, &address.octets()),
        }
    }
}

impl ChargeKeys {
    /// The key of the bucket of the limit at `position`.
    pub(in crate::store) const fn at(&self, position: usize) -> Fingerprint {
        self.by_position[position]
    }

    /// Whether it is the key of one of the charge's own buckets.
    pub(in crate::store) fn contain(&self, key: Fingerprint) -> bool {
        self.by_position.contains(&key)
    }
}

#[inline]
fn under(function: &SipHasher13, text: &[u8]) -> Fingerprint {
    let hash = function.hash(text);
    Fingerprint {
        low: hash.h1,
        high: hash.h2,
    }
}

/// Under 128 bits that the standard library's random hashes give.
fn make_random_function() -> SipHasher13 {
    let random = || RandomState::new().hash_one("");
    SipHasher13::new_with_keys(random(), random())
}

fn index_below(hash: u64, bound: usize) -> usize {
    let index = (u128::from(hash) * bound as u128) >> 64;
    usize::try_from(index).unwrap_or(0)
}
