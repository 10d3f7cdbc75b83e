//! A Bloom filter for a fixed number of ids.

use std::num::NonZeroU32;

use crate::score::as_f64;

/// Bits for each id, as a fraction: 19.2, which is −log₂(1e-4) / ln 2.
///
/// B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", Communications of the ACM
/// 13 (1970) 422–426.
const BITS_PER_ID: (u64, u64) = (96, 5);

/// Bits that are set for an id: 19.2 · ln 2, rounded.
const PROBES: u32 = 13;

const WORD_BITS: u64 = 64;

/// Ids that were noted, and some that look like them.
pub(super) struct Bloom {
    words: Box<[u64]>,
    capacity: u64,
    noted: u64,
    /// How many bits are set.
    ones: u64,
}

impl Bloom {
    pub(super) fn new(capacity: NonZeroU32) -> Self {
        let capacity = u64::from(capacity.get());
        let (bits, per) = BITS_PER_ID;
        let words = (capacity * bits).div_ceil(per * WORD_BITS);
        Self {
            words: (0..words).map(|_| 0).collect(),
            capacity,
            noted: 0,
            ones: 0,
        }
    }

    /// Whether this may have been noted.
    pub(super) fn has(&self, hash: u128) -> bool {
        self.places(hash)
            .all(|(word, bit)| self.words[word] & bit != 0)
    }

    /// Notes it. What resembles another one already costs no room.
    pub(super) fn note(&mut self, hash: u128) {
        let before = self.ones;
        for place in 0..PROBES {
            let (word, bit) = self.place(hash, place);
            let word = &mut self.words[word];
            self.ones += u64::from(*word & bit == 0);
            *word |= bit;
        }
        self.noted += u64::from(self.ones > before);
    }

    pub(super) const fn is_full(&self) -> bool {
        self.noted == self.capacity
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
        (self.noted, self.ones) = (0, 0);
    }

    pub(super) const fn noted(&self) -> u64 {
        self.noted
    }

    /// The probability that it has what was never noted, as full as it is: that all places of a random hash are set.
    pub(super) fn false_positives(&self) -> f64 {
        let share = as_f64(self.ones) / as_f64(self.bits());
        share.powi(PROBES.cast_signed())
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.words)
    }

    fn bits(&self) -> u64 {
        self.words.len() as u64 * WORD_BITS
    }

    fn places(&self, hash: u128) -> impl Iterator<Item = (usize, u64)> {
        (0..PROBES).map(move |probe| self.place(hash, probe))
    }

    /// Two hashes give all places: A. Kirsch, M. Mitzenmacher, "Less Hashing, Same Performance: Building a
    /// Better Bloom Filter", ESA 2006. The second is odd, so that no two places coincide by it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "halves of the hash, and a place below the number of bits"
    )]
    fn place(&self, hash: u128, probe: u32) -> (usize, u64) {
        let (first, second) = (hash as u64, (hash >> WORD_BITS) as u64 | 1);
        let hash = first.wrapping_add(second.wrapping_mul(u64::from(probe)));
        // As even as the remainder, without a division.
        let place = ((u128::from(hash) * u128::from(self.bits())) >> WORD_BITS) as u64;
        ((place / WORD_BITS) as usize, 1 << (place % WORD_BITS))
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    /// The formula of the literature, (1 − e^(−kn/m))^k, for a full filter.
    #[test]
    fn a_full_filter_has_the_probability_that_the_bits_are_for() {
        let capacity = NonZeroU32::new(100_000).unwrap();
        let mut bloom = Bloom::new(capacity);
        assert_eq!(bloom.false_positives(), 0.0);
        let mut rng = StdRng::seed_from_u64(1);
        while !bloom.is_full() {
            bloom.note(rng.random());
        }
        let expected = (1.0 - (-f64::from(PROBES) / 19.2).exp()).powi(13);
        assert!((9.8e-5..1e-4).contains(&expected));
        let stands = bloom.false_positives();
        assert!(
            (stands / expected - 1.0).abs() < 0.1,
            "{stands} not {expected}"
        );
        bloom.clear();
        assert_eq!((bloom.noted(), bloom.false_positives()), (0, 0.0));
        assert!(!bloom.has(1));
    }

    #[test]
    fn what_was_noted_twice_counts_once() {
        let mut bloom = Bloom::new(NonZeroU32::new(10).unwrap());
        bloom.note(7 << 64 | 9);
        bloom.note(7 << 64 | 9);
        assert_eq!(bloom.noted(), 1);
    }
}
