//! A journal that has what is in memory and is to stay, while others append to the one that has more.

use super::{FileStoreError, log::JOURNAL, log::Log, recent::RecentGroup};
use crate::{
    journal::{FrameWriter, Journal, Replaced, Replacement},
    tree::RightEdge,
};

/// The journal that is being made, and the tree that it has.
#[derive(Debug)]
pub(super) struct Replacing {
    replacement: Replacement,
    edge: RightEdge,
}

impl Replacing {
    /// Begins with the bundles that are in place. It takes as long as a segment does.
    pub(super) fn begin(log: &Log) -> Result<Self, FileStoreError> {
        let edge = log.recent().edge.clone();
        let folder = log.path_of(JOURNAL);
        let replacement = Replacement::begin(&log.disk, &folder, edge.clone())?;
        Ok(Self { replacement, edge })
    }

    /// Appends what was appended to the log by now, without the personal parts that are to go. Gives how many bytes of
    /// memory that had.
    pub(super) fn catch_up(
        &mut self,
        log: &Log,
        is_gone: impl Fn(u64) -> bool,
    ) -> Result<usize, FileStoreError> {
        let recent = log.recent().clone();
        let groups = recent.groups_within(&(self.edge.size()..recent.size()));
        append(
            self.replacement.journal(),
            &mut self.edge,
            groups.iter().map(|group| &**group),
            is_gone,
        )?;
        Ok(groups.iter().map(|group| group.bytes()).sum())
    }

    /// Makes the segment after this one, if half of this one is used.
    pub(super) fn prepare(&mut self) -> Result<(), FileStoreError> {
        Ok(self.replacement.journal().prepare()?)
    }

    /// Takes the place of the journal, to which nobody may append meanwhile.
    pub(super) fn put(self) -> Result<(Journal, Replaced), FileStoreError> {
        Ok(self.replacement.put()?)
    }

    /// Takes the place of the journal, which is damaged, and to which nobody may append meanwhile.
    pub(super) fn repair(self) -> Result<Journal, FileStoreError> {
        Ok(self.replacement.repair()?)
    }
}

/// Appends what a journal lacks of some groups, as many in a frame as there is room for. `edge` is the tree that it has.
pub(super) fn append<'a>(
    journal: &mut Journal,
    edge: &mut RightEdge,
    groups: impl Iterator<Item = &'a RecentGroup>,
    is_gone: impl Fn(u64) -> bool,
) -> Result<(), FileStoreError> {
    let mut frames = FrameWriter::new();
    frames.begin(edge.size());
    for group in groups {
        let mut parts = group.parts().peekable();
        for (n, entry, hash) in group.hashed() {
            let part = parts.next_if(|(of, _)| *of == n);
            if n < edge.size() {
                continue;
            }
            let part = part.map(|(_, sealed)| sealed).filter(|_| !is_gone(n));
            if frames.push(entry, part).is_err() {
                finish(journal, &mut frames, edge)?;
                frames.begin(edge.size());
                frames.push(entry, part)?;
            }
            edge.push(hash);
        }
    }
    finish(journal, &mut frames, edge)
}

fn finish(
    journal: &mut Journal,
    frames: &mut FrameWriter,
    edge: &RightEdge,
) -> Result<(), FileStoreError> {
    match frames.finish(&edge.root()) {
        Some(frame) => Ok(journal.append(&frame)?),
        None => Ok(()),
    }
}
