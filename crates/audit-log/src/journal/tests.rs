//! Frames and segments, in memory and in folders on a disk that fails.

mod files;
mod frames;
mod recovered;

use super::*;
use crate::tree::{RightEdge, TreeHash};

/// Entry `n`, whose length is its own.
fn entry(n: u64) -> Vec<u8> {
    format!("PAJ1 {n} {}", "x".repeat(usize::try_from(n % 9).unwrap())).into_bytes()
}

/// What is appended to a journal from the first entry on.
#[derive(Debug, Default)]
struct Log {
    edge: RightEdge,
    writer: FrameWriter,
}

impl Log {
    /// The next frame, of so many entries. Every third has a personal part.
    fn frame(&mut self, count: u64) -> EncodedFrame<'_> {
        let first = self.edge.size();
        self.writer.begin(first);
        for n in first..first + count {
            let sealed = n.is_multiple_of(3).then_some(b"sealed".as_slice());
            self.push(&entry(n), sealed);
        }
        self.finish()
    }

    /// A frame of about that many bytes.
    fn large_frame(&mut self, bytes: usize) -> EncodedFrame<'_> {
        self.writer.begin(self.edge.size());
        let mut remaining = bytes - 64;
        while remaining > 2 {
            let entry = vec![7; 60_000.min(remaining - 2)];
            remaining -= entry.len() + 2;
            self.push(&entry, None);
        }
        self.finish()
    }

    fn push(&mut self, entry: &[u8], sealed: Option<&[u8]>) {
        self.writer.push(entry, sealed).unwrap();
        self.edge.push(TreeHash::of_leaf(entry));
    }

    fn finish(&mut self) -> EncodedFrame<'_> {
        self.writer.finish(&self.edge.root()).unwrap()
    }
}

/// A segment of frames of one, two, three entries.
fn three_frames() -> (Vec<u8>, [usize; 3], RightEdge) {
    let (mut log, mut bytes, mut ends) = (Log::default(), Vec::new(), [0; 3]);
    for (count, end) in (1..).zip(&mut ends) {
        bytes.extend_from_slice(log.frame(count).as_bytes());
        *end = bytes.len();
    }
    bytes.resize(2_000, 0);
    (bytes, ends, log.edge)
}
