//! Segments that are made and removed while others append.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    JournalError,
    segment::{self, Draft, Segment},
};
use crate::disk::Disk;

/// A segment that a journal goes on in soon.
#[derive(Debug)]
pub struct NextSegment {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    number: u64,
}

/// A segment that was made ahead.
#[derive(Debug)]
pub struct MadeSegment(Draft);

/// Segments that a journal has let go of, the oldest first.
#[derive(Debug, Default)]
pub struct OldSegments(VecDeque<(PathBuf, u64)>);

/// Of its own: a writer that cannot wait makes the segment itself.
const EXTENSION: &str = "ahead.new";

impl NextSegment {
    pub(super) fn new(disk: Arc<dyn Disk>, folder: &Path, number: u64) -> Self {
        Self {
            disk,
            folder: folder.to_owned(),
            number,
        }
    }

    /// Makes it, which takes as long as 16 MiB do.
    ///
    /// # Errors
    /// [`JournalError::Io`]; it may be tried again.
    pub fn make(self) -> Result<MadeSegment, JournalError> {
        Draft::make(&*self.disk, &self.folder, self.number, EXTENSION).map(MadeSegment)
    }
}

impl MadeSegment {
    pub(super) const fn number(&self) -> u64 {
        self.0.number()
    }

    pub(super) fn put(self, folder: &Path) -> Result<Segment, JournalError> {
        self.0.put(folder)
    }

    pub(super) fn remove(self) -> Result<(), JournalError> {
        self.0.remove()
    }
}

impl OldSegments {
    pub(super) fn push(&mut self, folder: &Path, number: u64) {
        self.0.push_back((folder.to_owned(), number));
    }

    /// Removes them, the oldest first: what is left is what a journal goes on with.
    ///
    /// # Errors
    /// [`JournalError::Io`]; what was not removed is removed by the next call.
    pub fn remove(&mut self) -> Result<(), JournalError> {
        while let Some((folder, number)) = self.0.front() {
            segment::remove(folder, *number)?;
            self.0.pop_front();
        }
        Ok(())
    }

    /// Forgets them: their journal was replaced, and they with it.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
