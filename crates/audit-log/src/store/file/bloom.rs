//! Which bundles may have what is looked for.

use ring::digest::{Context, SHA256};

use crate::search::TermKind;

/// A Bloom filter of 8,192 bits: bit `i` is bit `i mod 8`, the lowest first, of byte `i / 8`.
#[derive(Debug, Clone)]
pub(super) struct Bloom(Box<[u8; Self::BYTES]>);

/// The bits of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probes([u16; PROBES]);

const PROBES: usize = 7;

impl Probes {
    /// `h1 + i·(h2|1)` mod 2^64 mod 8,192, of the first two numbers of SHA-256(kind ‖ `00` ‖ value).
    pub(super) fn of(kind: TermKind, value: &str) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(kind.as_str().as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        let digest = context.finish();
        let (words, _) = digest.as_ref().as_chunks::<8>();
        let (first, step) = (
            u64::from_be_bytes(words[0]),
            u64::from_be_bytes(words[1]) | 1,
        );
        let mut probes = [0; PROBES];
        let mut at = first;
        for probe in &mut probes {
            // The lowest 13 bits of 16.
            let [.., high, low] = at.to_be_bytes();
            *probe = u16::from_be_bytes([high, low]) % Bloom::BITS;
            at = at.wrapping_add(step);
        }
        Self(probes)
    }

    /// Whether the bits are set in a filter: the value may be in it then, and else is not.
    pub(super) fn are_in(&self, filter: &[u8; Bloom::BYTES]) -> bool {
        self.0
            .iter()
            .all(|bit| filter[usize::from(bit / 8)] & (1 << (bit % 8)) != 0)
    }
}

impl Bloom {
    pub(super) const BYTES: usize = 1024;
    const BITS: u16 = 8192;

    pub(super) fn new() -> Self {
        Self(Box::new([0; Self::BYTES]))
    }

    pub(super) fn add(&mut self, probes: &Probes) {
        for bit in probes.0 {
            self.0[usize::from(bit / 8)] |= 1 << (bit % 8);
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probes_of_a_value_are_those_of_the_known_answer() {
        let probes = Probes::of(TermKind::Tenant, "tenant-7");
        assert_eq!(probes.0, [6212, 6813, 7414, 8015, 424, 1025, 1626]);
    }

    #[test]
    fn what_was_added_is_found_and_hardly_anything_else() {
        let mut bloom = Bloom::new();
        for n in 0..600 {
            bloom.add(&Probes::of(TermKind::Resource, &format!("lead-{n}")));
        }
        let found =
            |n: u32| Probes::of(TermKind::Resource, &format!("lead-{n}")).are_in(bloom.as_bytes());
        assert!((0..600).all(found));
        // Of 10,000 others, 0.17 % are expected.
        let wrong = (600..10_600).filter(|n| found(*n)).count();
        assert!(wrong < 50, "{wrong}");
        assert!(!Probes::of(TermKind::Actor, "lead-7").are_in(bloom.as_bytes()));
    }
}
