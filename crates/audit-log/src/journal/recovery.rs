//! What a journal says after a start.

use std::ops::Range;

use super::{Frame, SegmentReader, Tail};
use crate::tree::{RightEdge, TreeHash};

/// Goes through the segments of a journal in their order, from the state that tiles have, and tells a tail that a crash
/// tore from damage.
#[derive(Debug)]
pub struct Recovery {
    edge: RightEdge,
    /// The entry that the next frame begins with, once there was a frame.
    next: Option<u64>,
    torn: Option<TornTail>,
}

/// A broken frame at the very end, never acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TornTail {
    /// The number of its segment.
    pub segment: u64,
    /// Where it begins in its segment.
    pub at: usize,
    /// How long it is, as far as there is anything but zeros.
    pub bytes: usize,
}

/// What no crash does to a journal: it is not to be opened, and a copy of it to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A broken frame, and a good one after it.
    #[error(
        "segment {segment} has a broken frame at byte {at}, and segment {good_segment} a good one after it"
    )]
    Broken {
        /// The number of the segment with the broken frame.
        segment: u64,
        /// Where the broken frame begins.
        at: usize,
        /// The number of the segment with the good one.
        good_segment: u64,
    },
    /// Entries are missing between two frames, or before the first.
    #[error("segment {segment} goes on with entry {found} at byte {at}, and must with {expected}")]
    Gap {
        /// The number of the segment.
        segment: u64,
        /// Where the frame begins.
        at: usize,
        /// The entry that was to follow.
        expected: u64,
        /// The entry that the frame begins with.
        found: u64,
    },
    /// The last frame ends before the tiles do, which are only ever made from frames.
    #[error("the journal ends before entry {journal}, and tiles have all before {tiles}")]
    Short {
        /// The size of the tree that tiles have.
        tiles: u64,
        /// That of the last frame.
        journal: u64,
    },
    /// The entries do not lead to the root that their frame has.
    #[error("the entries of the frame at byte {at} of segment {segment} do not lead to its root")]
    WrongRoot {
        /// The number of the segment.
        segment: u64,
        /// Where the frame begins.
        at: usize,
    },
    /// A segment is shorter than it was made, or no file.
    #[error("segment {segment} was cut: it has {bytes} bytes, and was made with 16 MiB")]
    Cut {
        /// The number of the segment.
        segment: u64,
        /// How long it is.
        bytes: u64,
    },
    /// The last frame ends before the last entry that was acknowledged.
    #[error(
        "it ends before entry {journal}, and {acknowledged} were acknowledged: a file of it was overwritten or replaced"
    )]
    Lost {
        /// How many entries were acknowledged, at least.
        acknowledged: u64,
        /// The size of the tree with those that there are.
        journal: u64,
    },
    /// The journal was begun, and has no segment.
    #[error("it has no segment: they were deleted, or moved")]
    NoSegments,
}

impl Damage {
    /// The number of the segment that is damaged, where it is one.
    #[must_use]
    pub const fn segment(&self) -> Option<u64> {
        match self {
            Self::Broken { segment, .. }
            | Self::Gap { segment, .. }
            | Self::WrongRoot { segment, .. }
            | Self::Cut { segment, .. } => Some(*segment),
            Self::Short { .. } | Self::Lost { .. } | Self::NoSegments => None,
        }
    }
}

impl Recovery {
    /// Begins with the tree that tiles have; the journal goes on from there, or from earlier.
    #[must_use]
    pub const fn new(edge: RightEdge) -> Self {
        Self {
            edge,
            next: None,
            torn: None,
        }
    }

    /// Reads the next segment. `each` gets its frames, those before the tree of [`new`](Self::new) too. Gives where the
    /// last of them is, or the empty beginning of a segment without any.
    ///
    /// # Errors
    /// [`Damage`]; after it, nothing more is to be learnt from this.
    pub fn read_segment(
        &mut self,
        segment: u64,
        bytes: &[u8],
        mut each: impl FnMut(&Frame<'_>),
    ) -> Result<Range<usize>, Damage> {
        let (mut reader, mut last) = (SegmentReader::new(bytes), 0..0);
        loop {
            let at = reader.at();
            let Some(frame) = reader.next() else {
                break;
            };
            last = at..reader.at();
            self.check_tail(segment)?;
            self.follow(segment, at, &frame)?;
            each(&frame);
        }
        let at = reader.at();
        match reader.tail() {
            Tail::Empty => {}
            Tail::Torn { bytes } => {
                // All behind the first goes with it.
                self.torn.get_or_insert(TornTail { segment, at, bytes });
            }
            Tail::Damaged { .. } => {
                return Err(Damage::Broken {
                    segment,
                    at,
                    good_segment: segment,
                });
            }
        }
        Ok(last)
    }

    /// The size of the tree with the entries read so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The tree with all entries, and the tail that is to be cut.
    ///
    /// # Errors
    /// [`Damage::Short`].
    pub fn finish(self) -> Result<(RightEdge, Option<TornTail>), Damage> {
        let tiles = self.edge.size();
        match self.next {
            Some(journal) if journal < tiles => Err(Damage::Short { tiles, journal }),
            _ => Ok((self.edge, self.torn)),
        }
    }

    const fn check_tail(&self, good_segment: u64) -> Result<(), Damage> {
        match self.torn {
            None => Ok(()),
            Some(TornTail { segment, at, .. }) => Err(Damage::Broken {
                segment,
                at,
                good_segment,
            }),
        }
    }

    fn follow(&mut self, segment: u64, at: usize, frame: &Frame<'_>) -> Result<(), Damage> {
        let (size, found) = (self.edge.size(), frame.first());
        let expected = self.next.unwrap_or(size);
        let is_next = found == expected || self.next.is_none() && found < expected;
        if !is_next {
            return Err(Damage::Gap {
                segment,
                at,
                expected,
                found,
            });
        }
        self.next = Some(frame.size_after());
        for (n, entry) in (found..).zip(frame.entries()) {
            if n >= size {
                self.edge.push(TreeHash::of_leaf(entry));
            }
        }
        // Of a frame that ends before the tiles do, the root is nowhere to be compared with.
        if self.edge.size() == frame.size_after() && self.edge.root() != frame.root_after() {
            return Err(Damage::WrongRoot { segment, at });
        }
        Ok(())
    }
}
