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
