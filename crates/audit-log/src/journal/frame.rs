//! Frames, read back.

use super::MAX_FRAME_BYTES;
use crate::{
    tile::Entries,
    tree::{MAX_SIZE, TreeHash},
};

/// A group of entries that became durable at once, read from its bytes without copying them.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    first: u64,
    count: u32,
    root_after: TreeHash,
    entries: &'a [u8],
    personal: &'a [u8],
}

/// The sealed personal part of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SealedPart<'a> {
    /// The entry that it belongs to, by its index in the tree.
    pub n: u64,
    /// As the sealer gave it.
    pub sealed: &'a [u8],
}

/// The sealed personal parts of a frame, in the order of their entries.
#[derive(Debug, Clone)]
pub struct PersonalParts<'a>(&'a [u8]);

/// Why bytes do not begin with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// They begin with something else.
    #[error("a frame begins with PAJ1")]
    NoFrame,
    /// Its lengths are of no frame, or go beyond the end.
    #[error("the lengths of the frame are wrong")]
    WrongLength,
    /// Something in it is not as it was written.
    #[error("the checksum of the frame is wrong")]
    WrongChecksum,
    /// It was written so, by something that writes no frames.
    #[error("the frame must have {expected}")]
    Malformed {
        /// What it must have.
        expected: &'static str,
    },
}

pub(super) const MAGIC: [u8; 4] = *b"PAJ1";
/// Magic, checksum, first entry, three lengths, four zero bytes, root.
pub(super) const HEADER_BYTES: usize = 4 + 4 + 8 + 4 + 4 + 4 + 4 + TreeHash::BYTES;
/// What the checksum is of begins here.
pub(super) const CHECKED_FROM: usize = 8;
/// The index of an entry and a length.
pub(super) const PART_HEADER_BYTES: usize = 8 + 2;

impl<'a> Frame<'a> {
    /// Reads the frame that some bytes begin with, and tells how long it is.
    ///
    /// # Errors
    /// [`FrameError`]. One frame has one spelling: what is read is written again as the same bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<(Self, usize), FrameError> {
        let mut header = Header(bytes);
        if header.take()? != MAGIC {
            return Err(FrameError::NoFrame);
        }
        let checksum = u32::from_be_bytes(header.take()?);
        let first = u64::from_be_bytes(header.take()?);
        let count = u32::from_be_bytes(header.take()?);
        let entry_bytes = header.length()?;
        let personal_bytes = header.length()?;
        let zero: [u8; 4] = header.take()?;
        let root_after = TreeHash::from_bytes(header.take()?);
        let length = [entry_bytes, personal_bytes]
            .into_iter()
            .try_fold(HEADER_BYTES, usize::checked_add)
            .filter(|length| *length <= MAX_FRAME_BYTES as usize)
            .ok_or(FrameError::WrongLength)?;
        let checked = bytes.get(CHECKED_FROM..length);
        if crc32fast::hash(checked.ok_or(FrameError::WrongLength)?) != checksum {
            return Err(FrameError::WrongChecksum);
        }
        let (entries, personal) = bytes[HEADER_BYTES..length].split_at(entry_bytes);
        let frame = Self {
            first,
            count,
            root_after,
            entries,
            personal,
        };
        match frame.missing() {
            Some(expected) => Err(FrameError::Malformed { expected }),
            None if zero != [0; 4] => Err(FrameError::Malformed {
                expected: "zeros before the root",
            }),
            None => Ok((frame, length)),
        }
    }

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

    /// The root of the tree with its entries.
    #[must_use]
    pub const fn root_after(&self) -> TreeHash {
        self.root_after
    }

    /// Its entries, at least one.
    #[must_use]
    pub const fn entries(&self) -> Entries<'a> {
        Entries::of(self.entries)
    }

    /// The sealed personal parts of its entries.
    #[must_use]
    pub const fn personal(&self) -> PersonalParts<'a> {
        PersonalParts(self.personal)
    }

    /// What a frame has and this one does not.
    fn missing(&self) -> Option<&'static str> {
        let size_after = self.first.checked_add(self.count.into());
        let Some(size_after) = size_after.filter(|size| *size <= MAX_SIZE) else {
            return Some("entries of a tree");
        };
        let mut entries = self.entries();
        let count = entries.by_ref().count();
        if count == 0 || u32::try_from(count) != Ok(self.count) || !entries.is_at_end() {
            return Some("as many entries as it says");
        }
        let (mut personal, mut from) = (self.personal(), self.first);
        for part in personal.by_ref() {
            if part.n < from || part.n >= size_after {
                return Some("personal parts in the order of its entries");
            }
            from = part.n + 1;
        }
        (!personal.0.is_empty()).then_some("whole personal parts")
    }
}

impl<'a> Iterator for PersonalParts<'a> {
    type Item = SealedPart<'a>;

    fn next(&mut self) -> Option<SealedPart<'a>> {
        let (n, rest) = self.0.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (sealed, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        self.0 = rest;
        let n = u64::from_be_bytes(*n);
        Some(SealedPart { n, sealed })
    }
}

struct Header<'a>(&'a [u8]);

impl Header<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(FrameError::NoFrame)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn length(&mut self) -> Result<usize, FrameError> {
        let length = u32::from_be_bytes(self.take()?);
        usize::try_from(length).map_err(|_| FrameError::WrongLength)
    }
}
