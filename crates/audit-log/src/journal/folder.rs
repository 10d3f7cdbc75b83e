//! A journal in a folder.

use std::{
    collections::VecDeque,
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Damage, EncodedFrame, Frame, JournalError, MadeSegment, NextSegment, OldSegments, Recovery,
    SEGMENT_BYTES, TornTail,
    journal_error::failed,
    segment::{self, Segment},
};
use crate::{
    bounded_file,
    disk::{Disk, SystemDisk},
    tree::RightEdge,
};

/// The journal of one writer: segments in a folder that nobody else writes to.
///
/// It blocks, each call for as long as the disk takes.
#[derive(Debug)]
pub struct Journal {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    /// Those before the current one, with the size of the tree at the end of each.
    full: VecDeque<(u64, u64)>,
    current: Segment,
    next: Option<Segment>,
    first: u64,
    size: u64,
    has_failed: bool,
}

/// What a journal had in it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The tree with all entries.
    pub edge: RightEdge,
    /// What was cut off: a frame that was being written when the writer ended. Nothing in it was acknowledged.
    pub torn: Option<TornTail>,
}

/// What a start would find in a journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// The size of the tree with all entries.
    pub(crate) size: u64,
    /// There is something behind the last frame.
    pub(crate) is_torn: bool,
}

/// A segment that was read: its number, its last frame, and all of its bytes.
type Read = (u64, Range<usize>, Vec<u8>);

impl Journal {
    /// Opens the journal in a folder, which is made if it is not there. `edge` is the tree that tiles have; `each` gets
    /// every frame in order, those before it too. The tail that a crash tore is cut.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], and no segment was changed; [`JournalError::Io`].
    pub fn open(
        folder: &Path,
        edge: RightEdge,
        each: impl FnMut(&Frame<'_>),
    ) -> Result<(Self, Recovered), JournalError> {
        Self::open_on(Arc::new(SystemDisk), folder, edge, 0, each)
    }

    /// The same, if it has so many entries with those that tiles have.
    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        folder: &Path,
        edge: RightEdge,
        acknowledged: u64,
        mut each: impl FnMut(&Frame<'_>),
    ) -> Result<(Self, Recovered), JournalError> {
        let damaged = |source| damaged(folder, source);
        fs::create_dir_all(folder).map_err(failed("make", folder))?;
        let numbers = segment::numbers(folder).map_err(failed("read", folder))?;
        let mut recovery = Recovery::new(edge);
        let (mut full, mut last) = (VecDeque::new(), None::<Read>);
        let mut first = None;
        let mut each = |frame: &Frame<'_>| {
            first.get_or_insert_with(|| frame.first());
            each(frame);
        };
        for number in numbers {
            let path = segment::path_of(folder, number);
            let bytes =
                bounded_file::read(&path, SEGMENT_BYTES as usize).map_err(failed("read", &path))?;
            let before = recovery.size();
            let frame = recovery
                .read_segment(number, &bytes, &mut each)
                .map_err(damaged)?;
            if let Some((earlier, ..)) = &last
                && !frame.is_empty()
            {
                full.push_back((*earlier, before));
            }
            if last.is_none() || !frame.is_empty() {
                last = Some((number, frame, bytes));
            }
        }
        let (edge, torn) = recovery.finish().map_err(damaged)?;
        let journal = edge.size();
        if journal < acknowledged {
            return Err(damaged(Damage::Lost {
                acknowledged,
                journal,
            }));
        }
        let current = match last {
            None => Segment::make(&*disk, folder, 0)?,
            Some(last) => settle(&*disk, folder, last, torn)?,
        };
        let journal = Self {
            disk,
            folder: folder.to_owned(),
            full,
            current,
            next: None,
            first: first.unwrap_or_else(|| edge.size()),
            size: edge.size(),
            has_failed: false,
        };
        Ok((journal, Recovered { edge, torn }))
    }

    /// Writes a frame, and waits until it is on the disk: its events are then to be acknowledged.
    ///
    /// # Errors
    /// [`JournalError::Io`]. Nobody knows what of the frame is on the disk: this journal fails from then on, and the
    /// folder is to be opened again, which finds out. A sync is never tried a second time: it would succeed, since what
    /// the system could not write it no longer knows of. Where it was the next segment that could not be made, nothing
    /// was written, and the same frame may be tried again.
    pub fn append(&mut self, frame: &EncodedFrame<'_>) -> Result<(), JournalError> {
        if self.has_failed {
            return Err(JournalError::Failed);
        }
        if frame.first() != self.size {
            let expected = self.size;
            return Err(JournalError::OtherFrame { expected });
        }
        if !self.current.has_room(frame.as_bytes().len()) {
            self.go_on_in_next()?;
        }
        let appended = self.current.append(&*self.disk, frame.as_bytes());
        self.has_failed = appended.is_err();
        appended?;
        self.size = frame.size_after();
        Ok(())
    }

    /// Makes the next segment, once half of the current one is used. To be called after each frame, when its events are
    /// acknowledged: it takes as long as 16 MiB do. [`next_segment`](Self::next_segment) keeps nobody waiting for that.
    ///
    /// # Errors
    /// [`JournalError::Io`], as when the disk is full: there is room for 8 MiB more then, and it may be tried again.
    pub fn prepare(&mut self) -> Result<(), JournalError> {
        if self.next.is_none() && self.current.is_half_used() {
            let number = self.current.number() + 1;
            self.next = Some(Segment::make(&*self.disk, &self.folder, number)?);
        }
        Ok(())
    }

    /// The next segment, once half of the current one is used: to be made while frames are appended, and then given
    /// to [`provide`](Self::provide).
    #[must_use]
    pub fn next_segment(&self) -> Option<NextSegment> {
        let is_wanted = self.next.is_none() && self.current.is_half_used();
        is_wanted.then(|| {
            let number = self.current.number() + 1;
            NextSegment::new(Arc::clone(&self.disk), &self.folder, number)
        })
    }

    /// Takes a segment that was made ahead. One that is no longer the next is removed.
    ///
    /// # Errors
    /// [`JournalError::Io`]; it may be tried again.
    pub fn provide(&mut self, made: MadeSegment) -> Result<(), JournalError> {
        if self.next.is_none() && made.number() == self.current.number() + 1 {
            self.next = Some(made.put(&self.folder)?);
            return Ok(());
        }
        made.remove()
    }

    /// Drops the segments whose entries are all before `size`: those that tiles and bundles have on the disk. The
    /// current one stays.
    ///
    /// # Errors
    /// [`JournalError::Io`]; what was not dropped is dropped by the next call.
    pub fn drop_before(&mut self, size: u64) -> Result<(), JournalError> {
        while let Some((number, end)) = self.full.front()
            && *end <= size
        {
            segment::remove(&self.folder, *number)?;
            self.first = *end;
            self.full.pop_front();
        }
        Ok(())
    }

    /// Lets go of the segments that [`drop_before`](Self::drop_before) drops: they are removed while frames are
    /// appended.
    pub fn let_go_before(&mut self, size: u64, old: &mut OldSegments) {
        while let Some((number, end)) = self.full.front()
            && *end <= size
        {
            old.push(&self.folder, *number);
            self.first = *end;
            self.full.pop_front();
        }
    }

    /// Whether there are segments whose entries are all before `size`, beside the current one.
    #[must_use]
    pub fn has_before(&self, size: u64) -> bool {
        self.full.front().is_some_and(|(_, end)| *end <= size)
    }

    /// Whether the files that are written to are still those that a start would read, and none is shorter than it was
    /// made. Bytes that were overwritten it does not see.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        let is_there = |(number, _): &(u64, u64)| segment::is_there(&self.folder, *number);
        self.current.is_in_place()
            && self.next.as_ref().is_none_or(Segment::is_in_place)
            && self.full.iter().all(is_there)
    }

    /// Reads the journal of a folder as [`open`](Self::open) does, and changes nothing.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn look(
        folder: &Path,
        edge: RightEdge,
        mut each: impl FnMut(&Frame<'_>),
    ) -> Result<Look, JournalError> {
        let damaged = |source| damaged(folder, source);
        let mut recovery = Recovery::new(edge);
        for number in segment::listed(folder).map_err(failed("read", folder))? {
            let path = segment::path_of(folder, number);
            let bytes =
                bounded_file::read(&path, SEGMENT_BYTES as usize).map_err(failed("read", &path))?;
            let read = recovery.read_segment(number, &bytes, &mut each);
            read.map_err(damaged)?;
        }
        let (edge, torn) = recovery.finish().map_err(damaged)?;
        Ok(Look {
            size: edge.size(),
            is_torn: torn.is_some(),
        })
    }

    /// That there is a segment in the folder of a journal that was begun, and that none is shorter than it was made: no
    /// crash does either.
    ///
    /// # Errors
    /// [`JournalError`], and nothing was changed.
    pub(crate) fn check_files(folder: &Path) -> Result<(), JournalError> {
        let numbers = match segment::listed(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            listed => listed.map_err(failed("read", folder))?,
        };
        if numbers.is_empty() {
            return Err(damaged(folder, Damage::NoSegments));
        }
        for segment in numbers {
            let path = segment::path_of(folder, segment);
            let there = fs::symlink_metadata(&path).map_err(failed("read", &path))?;
            if !segment::is_whole(&there) {
                let bytes = there.len();
                return Err(damaged(folder, Damage::Cut { segment, bytes }));
            }
        }
        Ok(())
    }

    /// Whether it failed, and is to be opened again.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// The first entry that it has; its size if it has none.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The size of the tree with all entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Its folder has another name by now.
    pub(super) fn has_moved_to(&mut self, folder: &Path) {
        self.folder = folder.to_owned();
        self.current.has_moved_to(folder);
        if let Some(next) = &mut self.next {
            next.has_moved_to(folder);
        }
    }

    fn go_on_in_next(&mut self) -> Result<(), JournalError> {
        self.prepare()?;
        if let Some(next) = self.next.take() {
            self.full.push_back((self.current.number(), self.size));
            self.current = next;
        }
        Ok(())
    }
}

/// Names the file, where it is one.
fn damaged(folder: &Path, source: Damage) -> JournalError {
    let segment = source.segment();
    let path = segment.map_or_else(
        || folder.to_owned(),
        |segment| segment::path_of(folder, segment),
    );
    JournalError::Damaged { path, source }
}

/// The segment to go on in, as a crash at any time later would find it. Those behind it have no frame, and go.
fn settle(
    disk: &dyn Disk,
    folder: &Path,
    (number, frame, bytes): Read,
    torn: Option<TornTail>,
) -> Result<Segment, JournalError> {
    let torn = torn.filter(|torn| torn.segment == number);
    let end = torn.map_or(frame.end, |torn| torn.at + torn.bytes);
    let segment = Segment::open(folder, number, frame.end as u64)?;
    segment.settle(disk, &bytes[frame], end as u64)?;
    for later in segment::numbers(folder).map_err(failed("read", folder))? {
        if later > number {
            segment::remove(folder, later)?;
        }
    }
    Ok(segment)
}
