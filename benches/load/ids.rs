//! Ids that nothing else has: in order, or all over the index.

use std::hash::{BuildHasher as _, RandomState};

/// How ids follow each other: whether the database's index grows at its end or everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Sequential,
    Random,
}

impl Order {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "sequential" => Some(Self::Sequential),
            "random" => Some(Self::Random),
            _ => None,
        }
    }
}

/// The ids of one connection, in the form of a UUID.
#[derive(Debug)]
pub(crate) struct Ids {
    order: Order,
    /// Of this connection in this run: no other has ids with it.
    own: u64,
    taken: u64,
}

impl Ids {
    pub(crate) fn new(order: Order) -> Self {
        Self {
            order,
            own: RandomState::new().hash_one(0),
            taken: 0,
        }
    }

    /// A number that this connection has not had, below any power of two evenly spread.
    pub(crate) fn next(&mut self) -> u128 {
        self.taken += 1;
        let (first, second) = match self.order {
            Order::Sequential => (self.own, self.taken),
            // One-to-one both, so that what differs goes on differing.
            Order::Random => (spread(self.own ^ spread(self.taken)), spread(self.taken)),
        };
        u128::from(first) << 64 | u128::from(second)
    }
}

/// As text, 8-4-4-4-12.
pub(crate) fn uuid(id: u128) -> impl std::fmt::Display {
    let group = |shift: u32, bits: u32| (id >> shift) & ((1 << bits) - 1);
    let [a, b, c, d, e] = [
        group(96, 32),
        group(80, 16),
        group(64, 16),
        group(48, 16),
        group(0, 48),
    ];
    std::fmt::from_fn(move |text| write!(text, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}"))
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): a permutation that looks random.
fn spread(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
