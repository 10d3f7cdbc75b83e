//! A journal in the place of another: what the other had and this one has not is gone.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Journal, JournalError, journal_error::failed, segment::sync_folder};
use crate::{disk::Disk, tree::RightEdge};

/// The folders beside that of a journal. One that is whole has another name than one that is being written.
struct Beside {
    draft: PathBuf,
    new: PathBuf,
    old: PathBuf,
}

impl Beside {
    fn of(folder: &Path) -> Self {
        let [draft, new, old] =
            ["draft", "new", "old"].map(|extension| folder.with_extension(extension));
        Self { draft, new, old }
    }

    fn remove(&self) -> Result<(), JournalError> {
        for path in [&self.draft, &self.new, &self.old] {
            match fs::remove_dir_all(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Journal {
    /// Ends what [`replace_on`](Self::replace_on) began before a crash: the journal is then the one or the other, and
    /// nothing is left beside it.
    pub(crate) fn settle_replaced(folder: &Path) -> Result<(), JournalError> {
        let beside = Beside::of(folder);
        if !folder.exists() && beside.new.exists() {
            put(&beside.new, folder)?;
        }
        beside.remove()
    }

    /// Puts a journal in the place of the one in a folder, if there is one. It begins with the tree that tiles have, and
    /// has what `fill` appends. When this returns, nothing of the other is in any file.
    pub(crate) fn replace_on<E: From<JournalError>>(
        disk: &Arc<dyn Disk>,
        folder: &Path,
        edge: &RightEdge,
        fill: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<Self, E> {
        Self::settle_replaced(folder)?;
        let beside = Beside::of(folder);
        let (mut draft, _) = Self::open_on(Arc::clone(disk), &beside.draft, edge.clone(), |_| {})?;
        fill(&mut draft)?;
        drop(draft);
        put(&beside.draft, &beside.new)?;
        if folder.exists() {
            put(folder, &beside.old)?;
        }
        put(&beside.new, folder)?;
        beside.remove()?;
        let (journal, _) = Self::open_on(Arc::clone(disk), folder, edge.clone(), |_| {})?;
        Ok(journal)
    }
}

/// Gives a folder another name, which is on the disk then.
fn put(from: &Path, to: &Path) -> Result<(), JournalError> {
    let above = to.parent().unwrap_or(to);
    fs::rename(from, to)
        .and_then(|()| sync_folder(above))
        .map_err(failed("move", from))
}
