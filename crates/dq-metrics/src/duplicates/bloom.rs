//! One generation of remembered ids.

use std::fmt;
use std::num::NonZeroUsize;

use super::IdHash;
use crate::score::as_f64;

/// Bits for each id, times ten: 19.2 give a false-positive rate of 1e-4 when full.
const DECIBITS_PER_ID: usize = 192;

/// Probes for each id: 19.2 · ln 2.
const PROBES: u64 = 13;

/// A Bloom filter of fixed size.
///
/// B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13 (1970)
/// 422–426; probes by enhanced double hashing after P. C. Dillinger and P. Manolios, "Bloom filters
/// in probabilistic verification", FMCAD 2004.
pub(super) struct Bloom {
    words: Box<[u64]>,
    capacity: NonZeroUsize,
    inserted: usize,
    bits_set: u64,
}

// === impl Bloom ===

impl Bloom {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        let words = capacity
            .get()
            .saturating_mul(DECIBITS_PER_ID)
            .div_ceil(10 * 64);
        Self {
            words: vec![0; words].into(),
            capacity,
            inserted: 0,
            bits_set: 0,
        }
    }

    pub(super) fn contains(&self, id: IdHash) -> bool {
        self.probes(id)
            .all(|(word, bit)| self.words[word] & bit != 0)
    }

    pub(super) fn insert(&mut self, id: IdHash) {
        let set_before = self.bits_set;
        for (word, bit) in self.probes(id) {
            self.bits_set += u64::from(self.words[word] & bit == 0);
            self.words[word] |= bit;
        }
        // What was there already takes no room.
        self.inserted += usize::from(self.bits_set > set_before);
    }

    pub(super) fn is_full(&self) -> bool {
        self.inserted >= self.capacity.get()
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
        self.inserted = 0;
        self.bits_set = 0;
    }

    /// The chance that all probes of an unknown id meet a bit that is set.
    pub(super) fn false_positive_rate(&self) -> f64 {
        let fill = as_f64(self.bits_set) / as_f64(self.bits());
        fill.powi(13)
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.words)
    }

    fn bits(&self) -> u64 {
        self.words.len() as u64 * 64
    }

    /// The places of an id: a word and a bit in it.
    fn probes(&self, id: IdHash) -> impl Iterator<Item = (usize, u64)> + use<> {
        let bits = self.bits();
        let (mut at, mut step) = (id.low % bits, id.high % bits);
        (0..PROBES).map(move |probe| {
            let place = at;
            at = (at + step) % bits;
            step = (step + probe) % bits;
            let word = usize::try_from(place / 64).expect("an index of the words");
            (word, 1 << (place % 64))
        })
    }
}

impl fmt::Debug for Bloom {
    /// Leaves out the bits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bloom")
            .field("inserted", &self.inserted)
            .finish_non_exhaustive()
    }
}
