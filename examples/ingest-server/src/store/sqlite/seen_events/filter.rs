//! Which hashes the table has not, so that it is not asked for each event that is new: a look-up takes a page
//! at a random place of it.
//!
//! A Bloom filter whose bits for one hash stand in one line of the processor's cache (Putze, Sanders and
//! Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007). It takes 2 MiB: of a million
//! events, one in a thousand that is new is looked up in the table for nothing, of four million a fifth, and of
//! many more all are, as without it.

use crate::store::sqlite::event_hash::EventHash;

const BLOCKS: u32 = 1 << 15;
const BLOCK_BITS: u32 = 512;
const WORDS: usize = (BLOCK_BITS / u64::BITS) as usize;
/// Bits that a hash sets.
const PROBES: u32 = 6;

/// Hashes that were added, and by chance some others.
#[derive(Debug)]
pub(super) struct Filter(Vec<[u64; WORDS]>);

impl Filter {
    pub(super) fn new() -> Self {
        Self(vec![[0; WORDS]; BLOCKS as usize])
    }

    pub(super) fn add(&mut self, hash: EventHash) {
        let (block, bits) = places(hash);
        let block = &mut self.0[block];
        bits.for_each(|(word, bit)| block[word] |= bit);
    }

    /// Never false for one that was added.
    pub(super) fn may_have(&self, hash: EventHash) -> bool {
        let (block, mut bits) = places(hash);
        let block = &self.0[block];
        bits.all(|(word, bit)| block[word] & bit != 0)
    }
}

/// The block of a hash, and its bits there. Bytes of a hash are as good as random, and each is used once.
fn places(hash: EventHash) -> (usize, impl Iterator<Item = (usize, u64)>) {
    let (high, low) = hash.halves();
    let block = (low % u64::from(BLOCKS)) as usize;
    let bits = (0..PROBES).map(move |probe| {
        let bit = (high >> (probe * BLOCK_BITS.ilog2())) % u64::from(BLOCK_BITS);
        let word = (bit / u64::from(u64::BITS)) as usize;
        (word, 1 << (bit % u64::from(u64::BITS)))
    });
    (block, bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(id: u32) -> EventHash {
        EventHash::of([b"acme", b"shop/web", &id.to_be_bytes()])
    }

    #[test]
    fn what_was_added_is_never_denied_and_of_a_million_others_a_thousandth_is_taken_for_it() {
        let mut filter = Filter::new();
        assert!(!filter.may_have(hash(0)));
        (0..1_000_000).for_each(|id| filter.add(hash(id)));
        assert!((0..1_000_000).all(|id| filter.may_have(hash(id))));
        let others = 1_000_000..1_100_000;
        let taken = others.filter(|id| filter.may_have(hash(*id))).count();
        assert!(taken < 300, "{taken} of 100,000");
    }
}
