//! A journal in the place of another: what the other had and this one has not is gone.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{DamagedJournals, Journal, JournalError, journal_error::failed, segment::sync_folder};
use crate::{disk::Disk, tree::RightEdge};

/// A journal that is made while others append to the one whose place it takes.
#[derive(Debug)]
pub(crate) struct Replacement {
    journal: Journal,
    folder: PathBuf,
}

/// What a journal was before it was replaced, on the disk still.
#[derive(Debug)]
#[must_use = "what was replaced is to be removed"]
pub(crate) struct Replaced(Beside);

/// The folders beside that of a journal. One that is whole has another name than one that is being written.
#[derive(Debug)]
struct Beside {
    draft: PathBuf,
    new: PathBuf,
    old: PathBuf,
    /// Has all that a damaged one should have.
    repaired: PathBuf,
}

impl Beside {
    fn of(folder: &Path) -> Self {
        let [draft, new, old, repaired] =
            ["draft", "new", "old", "repaired"].map(|extension| folder.with_extension(extension));
        Self {
            draft,
            new,
            old,
            repaired,
        }
    }

    /// The repaired journal takes the place of the damaged one, which is kept beside it. After a failure it is done again
    /// from the beginning, by a start too.
    fn put_repaired(&self, folder: &Path) -> Result<(), JournalError> {
        DamagedJournals::beside(folder).take(folder)?;
        put(&self.repaired, folder)
    }
}

impl Journal {
    /// Ends what [`Replacement::put`] or [`Replacement::repair`] began before a failure: the journal is then the one or the other, and nothing is
    /// left beside it but a draft, of which somebody may be the writer.
    pub(crate) fn settle_replaced(folder: &Path) -> Result<(), JournalError> {
        let beside = Beside::of(folder);
        if beside.repaired.exists() {
            beside.put_repaired(folder)?;
        }
        if !folder.exists() && beside.new.exists() {
            put(&beside.new, folder)?;
        }
        remove(&beside.new)?;
        remove(&beside.old)
    }
}

impl Replacement {
    /// Begins a journal beside the one in a folder. It begins with the tree that tiles have.
    pub(crate) fn begin(
        disk: &Arc<dyn Disk>,
        folder: &Path,
        edge: RightEdge,
    ) -> Result<Self, JournalError> {
        Self::remove_draft(folder)?;
        let draft = Beside::of(folder).draft;
        let (journal, _) = Journal::open_on(Arc::clone(disk), &draft, edge, 0, |_| {})?;
        let folder = folder.to_owned();
        Ok(Self { journal, folder })
    }

    /// Removes what was begun beside the journal in a folder, and never took its place.
    pub(crate) fn remove_draft(folder: &Path) -> Result<(), JournalError> {
        remove(&Beside::of(folder).draft)
    }

    /// What the other journal has and is to stay, is to be appended.
    pub(crate) const fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// Takes the place of the other, to which nobody may append meanwhile. It takes no longer than a few names.
    pub(crate) fn put(self) -> Result<(Journal, Replaced), JournalError> {
        let Self {
            mut journal,
            folder,
        } = self;
        let beside = Beside::of(&folder);
        put(&beside.draft, &beside.new)?;
        if folder.exists() {
            put(&folder, &beside.old)?;
        }
        put(&beside.new, &folder)?;
        journal.has_moved_to(&folder);
        Ok((journal, Replaced(beside)))
    }
}

impl Replacement {
    /// Takes the place of the other, which is damaged, and is kept as the last of [`DamagedJournals`] has room for it.
    /// From the first name that changes on, a start finds this one.
    pub(crate) fn repair(self) -> Result<Journal, JournalError> {
        let Self {
            mut journal,
            folder,
        } = self;
        let beside = Beside::of(&folder);
        put(&beside.draft, &beside.repaired)?;
        beside.put_repaired(&folder)?;
        journal.has_moved_to(&folder);
        Ok(journal)
    }
}

impl Replaced {
    /// When this returns, nothing of the other journal is in any file.
    pub(crate) fn remove(self) -> Result<(), JournalError> {
        remove(&self.0.old)
    }
}

/// Gives a folder another name, which is on the disk then.
fn put(from: &Path, to: &Path) -> Result<(), JournalError> {
    let above = to.parent().unwrap_or(to);
    fs::rename(from, to)
        .and_then(|()| sync_folder(above))
        .map_err(failed("move", from))
}

fn remove(folder: &Path) -> Result<(), JournalError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", folder)(error))
        }
        _ => Ok(()),
    }
}
