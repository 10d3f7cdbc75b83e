//! What is durable before tiles are: groups of entries, one frame each, in preallocated segments.
//!
//! A frame is on disk before any event in it is acknowledged, and there is one at a time: so a crash leaves at most the
//! last one broken, and nothing behind it. A broken frame with a good one after it is damage, which a crash does not do.

mod ahead;
mod damaged;
mod folder;
mod frame;
mod frame_writer;
mod journal_error;
mod recovery;
mod replaced;
mod segment;
mod segment_reader;

pub use self::{
    ahead::{MadeSegment, NextSegment, OldSegments},
    folder::{Journal, Recovered},
    frame::{Frame, FrameError, PersonalParts, SealedPart},
    frame_writer::{EncodedFrame, FrameFull, FrameWriter},
    journal_error::JournalError,
    recovery::{Damage, Recovery, TornTail},
    segment_reader::{SegmentReader, Tail},
};
pub(crate) use self::{
    damaged::DamagedJournals,
    replaced::{Replaced, Replacement},
};

/// The length of a segment.
pub const SEGMENT_BYTES: u32 = 16 * 1024 * 1024;

/// The most bytes of a frame: half a segment, so that a frame that begins before the half, at which the next segment is
/// made, ends in its own.
pub const MAX_FRAME_BYTES: u32 = SEGMENT_BYTES / 2;

#[cfg(test)]
mod tests;
