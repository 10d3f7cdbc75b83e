//! Frames, written.

use super::{
    MAX_FRAME_BYTES,
    frame::{CHECKED_FROM, HEADER_BYTES, MAGIC, PART_HEADER_BYTES},
};
use crate::{tile::write_entry, tree::TreeHash};

/// Puts a frame together. Its buffers are used again for the next.
#[derive(Debug, Default)]
pub struct FrameWriter {
    first: u64,
    count: u32,
    is_open: bool,
    /// With room for the header in front.
    bytes: Vec<u8>,
    personal: Vec<u8>,
}

/// A frame to append to a journal.
#[derive(Debug, Clone, Copy)]
pub struct EncodedFrame<'a> {
    first: u64,
    count: u32,
    bytes: &'a [u8],
}

/// A frame has no room for one more: it is to be finished, and the next begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame has at most 8388608 bytes, and an entry or a sealed part 65535")]
#[non_exhaustive]
pub struct FrameFull;

impl FrameWriter {
    /// Without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a frame whose first entry has that index in the tree. What was put in before is gone.
    pub fn begin(&mut self, first: u64) {
        self.first = first;
        self.count = 0;
        self.is_open = true;
        self.bytes.clear();
        self.bytes.resize(HEADER_BYTES, 0);
        self.personal.clear();
    }

    /// Appends an entry, and its sealed personal part if it has one.
    ///
    /// # Errors
    /// [`FrameFull`]; nothing is appended.
    pub fn push(&mut self, entry: &[u8], sealed: Option<&[u8]>) -> Result<(), FrameFull> {
        let added = 2 + entry.len() + sealed.map_or(0, |sealed| PART_HEADER_BYTES + sealed.len());
        let length = (self.bytes.len() + self.personal.len()).saturating_add(added);
        let sealed_length = u16::try_from(sealed.map_or(0, <[u8]>::len)).map_err(|_| FrameFull)?;
        if !self.is_open || length > MAX_FRAME_BYTES as usize {
            return Err(FrameFull);
        }
        write_entry(entry, &mut self.bytes).map_err(|_| FrameFull)?;
        if let Some(sealed) = sealed {
            let n = self.first + u64::from(self.count);
            self.personal.extend_from_slice(&n.to_be_bytes());
            self.personal
                .extend_from_slice(&sealed_length.to_be_bytes());
            self.personal.extend_from_slice(sealed);
        }
        self.count += 1;
        Ok(())
    }

    /// How many entries were appended.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The frame, with the root of the tree with its entries; `None` if it has no entry. The next one is to be
    /// [begun](Self::begin).
    pub fn finish(&mut self, root_after: &TreeHash) -> Option<EncodedFrame<'_>> {
        let count = std::mem::take(&mut self.count);
        let is_open = std::mem::take(&mut self.is_open);
        if !is_open || count == 0 {
            return None;
        }
        let entry_bytes = u32::try_from(self.bytes.len() - HEADER_BYTES).ok()?;
        let personal_bytes = u32::try_from(self.personal.len()).ok()?;
        self.bytes.append(&mut self.personal);
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&[0; 4]);
        header.extend_from_slice(&self.first.to_be_bytes());
        for number in [count, entry_bytes, personal_bytes, 0] {
            header.extend_from_slice(&number.to_be_bytes());
        }
        header.extend_from_slice(root_after.as_bytes());
        self.bytes[..HEADER_BYTES].copy_from_slice(&header);
        let checksum = crc32fast::hash(&self.bytes[CHECKED_FROM..]);
        self.bytes[MAGIC.len()..CHECKED_FROM].copy_from_slice(&checksum.to_be_bytes());
        Some(EncodedFrame {
            first: self.first,
            count,
            bytes: &self.bytes,
        })
    }
}

impl<'a> EncodedFrame<'a> {
    /// The index of its first entry in the tree.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The size of the tree with its entries.
    #[must_use]
    pub const fn size_after(&self) -> u64 {
        self.first + self.count as u64
    }

    /// What is written.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}
