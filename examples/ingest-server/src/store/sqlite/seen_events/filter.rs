//! Which hashes the table has not, so that it is not asked for each event that is new: a look-up takes a page
//! at a random place of it.
//!
//! A Bloom filter whose bits for one hash stand in one line of the processor's cache (Putze, Sanders and
//! Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007). It takes 2 MiB: of a million
//! events, one in a thousand that is new is looked up in the table for nothing, of four million a fifth, and of
//! many more all are, as without it.

use crate::store::sqlite::event_hash::EventHash;

const BLOCKS: usize = 1 << 15;
const WORDS: usize = 8;
const WORD_BITS: usize = 64;
const BLOCK_BITS: usize = WORDS * WORD_BITS;
/// Bytes of a hash that say which bits it sets, two for each, and those that say in which block.
const PROBES: usize = 12;

/// Hashes that were added, and by chance some others.
#[derive(Debug)]
pub(super) struct Filter(Vec<[u64; WORDS]>);

impl Filter {
    pub(super) fn new() -> Self {
        Self(vec![[0; WORDS]; BLOCKS])
    }

    pub(super) fn add(&mut self, hash: EventHash) {
        let (block, bits) = places(&hash);
        let block = &mut self.0[block];
        bits.for_each(|(word, bit)| block[word] |= bit);
    }

    /// Never false for one that was added.
    pub(super) fn may_have(&self, hash: EventHash) -> bool {
        let (block, mut bits) = places(&hash);
        let block = &self.0[block];
        bits.all(|(word, bit)| block[word] & bit != 0)
    }
}

/// The block of a hash, and its bits there. Bytes of a hash are as good as random, and each is used once.
fn places(hash: &EventHash) -> (usize, impl Iterator<Item = (usize, u64)>) {
    let number = |bytes: &[u8; 2]| usize::from(u16::from_be_bytes(*bytes));
    let (probes, rest) = hash.as_bytes().split_at(PROBES);
    let block = rest.first_chunk().map_or(0, number) % BLOCKS;
    let (probes, _) = probes.as_chunks();
    let bits = probes.iter().map(move |probe| {
        let bit = number(probe) % BLOCK_BITS;
        (bit / WORD_BITS, 1 << (bit % WORD_BITS))
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
