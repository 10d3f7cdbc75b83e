//! The frames of one segment.

use super::{Frame, frame::MAGIC};

/// Goes through the frames at the beginning of a segment, and then tells what is behind them.
#[derive(Debug, Clone)]
pub struct SegmentReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// What is behind the last frame that can be read one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "bytes are one of these")]
pub enum Tail {
    /// Nothing but zeros: room for more.
    Empty,
    /// A broken frame of which this many bytes are no zeros or in front of some, and no good one after it.
    Torn {
        /// How many.
        bytes: usize,
    },
    /// A broken frame, and a good one after it.
    Damaged {
        /// Where the good one begins.
        good: usize,
    },
}

const ZEROS: [u8; 4096] = [0; 4096];

impl<'a> SegmentReader<'a> {
    /// Begins at the beginning.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where the next frame begins.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What is behind the last frame, once there is no next one.
    #[must_use]
    pub fn tail(&self) -> Tail {
        let rest = &self.bytes[self.at..];
        match without_zeros(rest).len() {
            0 => Tail::Empty,
            bytes => match good_frame(rest, bytes) {
                Some(good) => Tail::Damaged {
                    good: self.at + good,
                },
                None => Tail::Torn { bytes },
            },
        }
    }
}

impl<'a> Iterator for SegmentReader<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let (frame, length) = Frame::decode(&self.bytes[self.at..]).ok()?;
        self.at += length;
        Some(frame)
    }
}

/// The bytes up to the last that is no zero.
fn without_zeros(bytes: &[u8]) -> &[u8] {
    let mut end = bytes.len();
    for block in bytes.rchunks(ZEROS.len()) {
        if *block != ZEROS[..block.len()] {
            let zeros = block.iter().rev().take_while(|byte| **byte == 0).count();
            return &bytes[..end - zeros];
        }
        end -= block.len();
    }
    &[]
}

/// Where a good frame begins, before `end`; it may end in zeros. A leaf may have `PAJ1` in an id, but nothing behind it
/// that could be lengths, so that no checksum is computed for it.
fn good_frame(bytes: &[u8], end: usize) -> Option<usize> {
    (0..end).find(|at| bytes[*at..].starts_with(&MAGIC) && Frame::decode(&bytes[*at..]).is_ok())
}
