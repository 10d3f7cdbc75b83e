//! What the index has of one full bundle.

use super::bloom::{Bloom, Probes};
use crate::{
    event::{Leaf, Timestamp},
    search::{Filter, TermKind},
};

/// The row of a bundle that is being filled.
#[derive(Debug)]
pub(super) struct IndexRow {
    first: u64,
    last: u64,
    bloom: Bloom,
}

/// A row, read from its bytes: `"PAX1" ‖ CRC-32 of bundle u64 and the rest u32 ‖ first time u64 ‖ last time u64 ‖
/// Bloom filter`, times in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowView<'a> {
    first: u64,
    last: u64,
    bloom: &'a [u8; Bloom::BYTES],
}

const MAGIC: [u8; 4] = *b"PAX1";
const CHECKED_FROM: usize = 8;
const BLOOM_FROM: usize = 24;
/// The least that a disk writes at once, in bytes.
const BLOCK: u64 = 512;

impl IndexRow {
    /// 1 KiB and a little: 4 bytes an event.
    pub(super) const BYTES: usize = BLOOM_FROM + Bloom::BYTES;

    pub(super) fn new() -> Self {
        Self {
            first: u64::MAX,
            last: 0,
            bloom: Bloom::new(),
        }
    }

    pub(super) fn add(&mut self, leaf: &Leaf<'_>) {
        let time = leaf.time().unix_micros();
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        TermKind::each_of(leaf, |kind, value| self.bloom.add(&Probes::of(kind, value)));
    }

    /// Whether bytes that stand in the place of this row are it, or what a crash may leave of it: rows are written
    /// without a sync, so that whole blocks of the disk may be zeros. A search takes such a row for none.
    pub(super) fn is_left_of(&self, bundle: u64, there: &[u8]) -> bool {
        let row = self.encode(bundle);
        if RowView::read(bundle, there).is_some() {
            return *there == *row;
        }
        let offset = bundle.wrapping_mul(Self::BYTES as u64) % BLOCK;
        let mut at = 0;
        while at < there.len() {
            let to_next = BLOCK - (offset + at as u64) % BLOCK;
            let end = there
                .len()
                .min(at + usize::try_from(to_next).unwrap_or(Self::BYTES));
            let (block, expected) = (&there[at..end], row.get(at..end));
            if expected != Some(block) && block.iter().any(|byte| *byte != 0) {
                return false;
            }
            at = end;
        }
        true
    }

    pub(super) fn encode(&self, bundle: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.first.to_be_bytes());
        bytes.extend_from_slice(&self.last.to_be_bytes());
        bytes.extend_from_slice(self.bloom.as_bytes());
        let checksum = checksum(bundle, &bytes[CHECKED_FROM..]);
        bytes[MAGIC.len()..CHECKED_FROM].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }
}

impl<'a> RowView<'a> {
    /// The row of this bundle, or nothing if the bytes are not what was written for it.
    pub(super) fn read(bundle: u64, bytes: &'a [u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (expected, rest) = rest.split_first_chunk::<4>()?;
        let is_row = *magic == MAGIC && checksum(bundle, rest) == u32::from_be_bytes(*expected);
        let (first, rest) = rest.split_first_chunk::<8>()?;
        let (last, rest) = rest.split_first_chunk::<8>()?;
        let bloom = rest.try_into().ok()?;
        is_row.then_some(Self {
            first: u64::from_be_bytes(*first),
            last: u64::from_be_bytes(*last),
            bloom,
        })
    }

    /// Whether a search for anything that a leaf of the bundle is would come to it.
    pub(super) fn has(&self, leaf: &Leaf<'_>) -> bool {
        let mut has = (self.first..=self.last).contains(&leaf.time().unix_micros());
        TermKind::each_of(leaf, |kind, value| {
            has &= Probes::of(kind, value).are_in(self.bloom);
        });
        has
    }

    /// Whether an event of the bundle may be what is looked for. `terms` are those of the filter.
    pub(super) fn may_have(&self, filter: &Filter, terms: &[Probes]) -> bool {
        let [first, last] = [self.first, self.last].map(Timestamp::from_unix_micros);
        let times = first.zip(last);
        times.is_none_or(|(first, last)| filter.overlaps(first, last))
            && terms.iter().all(|term| term.are_in(self.bloom))
    }
}

fn checksum(bundle: u64, rest: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bundle.to_be_bytes());
    hasher.update(rest);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUNDLE: u64 = 1;

    /// As of a full bundle: no block of it is zeros.
    fn row() -> IndexRow {
        let mut row = IndexRow::new();
        for n in 0..256 {
            row.bloom
                .add(&Probes::of(TermKind::Resource, &format!("lead-{n}")));
        }
        (row.first, row.last) = (7, 9);
        row
    }

    #[test]
    fn each_bit_that_is_changed_is_told_from_what_a_crash_leaves() {
        let (row, sound) = (row(), row().encode(BUNDLE));
        assert!(row.is_left_of(BUNDLE, &sound));
        for bit in 0..sound.len() * 8 {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!row.is_left_of(BUNDLE, &bytes), "bit {bit}");
        }
        for end in 0..sound.len() {
            assert!(row.is_left_of(BUNDLE, &sound[..end]), "up to {end}");
        }
        // The row begins in the third block of the file, at its byte 24.
        for (from, to) in [(0, 488), (488, 1_000), (1_000, sound.len())] {
            let mut bytes = sound.clone();
            bytes[from..to].fill(0);
            assert!(row.is_left_of(BUNDLE, &bytes), "without {from}..{to}");
            bytes[from] = sound[from];
            bytes[to - 1] = sound[to - 1] ^ 1;
            assert!(!row.is_left_of(BUNDLE, &bytes), "with some of {from}..{to}");
        }
        assert!(row.is_left_of(BUNDLE, &[0; IndexRow::BYTES]));
    }

    #[test]
    fn a_row_of_other_leaves_is_none_of_these_whatever_its_checksum() {
        let mut more = row();
        more.bloom.add(&Probes::of(TermKind::Actor, "nobody"));
        for other in [IndexRow::new(), more] {
            let bytes = other.encode(BUNDLE);
            assert!(RowView::read(BUNDLE, &bytes).is_some());
            assert!(!row().is_left_of(BUNDLE, &bytes));
        }
    }
}
