//! What all parts of a store in a folder share.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
};

use tokio::sync::{Mutex as AsyncMutex, Notify};

use super::{
    FileEvent, FileObserver, bundles::Bundles, cursors::Cursors, index_file::IndexFile,
    personal_files::PersonalFiles, recent::Recent, upkeep::Command, writer::Writer,
};
use crate::{clock::Clock, disk::Disk, journal::DamagedJournals};

/// The log in a folder.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) folder: PathBuf,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Arc<dyn FileObserver>,
    pub(super) bundles: Bundles,
    pub(super) index: IndexFile,
    pub(super) personal: PersonalFiles,
    pub(super) cursors: Cursors,
    pub(super) writer: Arc<AsyncMutex<Writer>>,
    /// Never held while anything is waited for. Who has the writer too took that first.
    pub(super) recent: Mutex<Recent>,
    /// There is less in memory than before.
    pub(super) placed: Notify,
    pub(super) upkeep_fails: AtomicBool,
    pub(super) is_woken: AtomicBool,
    pub(super) damaged: DamagedJournals,
    /// How many of those there are.
    pub(super) damages: AtomicU64,
    /// A search met a row of the index that is not sound.
    pub(super) lacks_rows: AtomicBool,
    pub(super) upkeep: mpsc::Sender<Command>,
}

/// The folder of the journal.
pub(super) const JOURNAL: &str = "journal";
/// The folder that is published.
pub(super) const PUBLISHED: &str = "log";
/// The file of the index.
pub(super) const INDEX: &str = "index";
/// The folder of personal parts.
pub(super) const PERSONAL: &str = "personal";
/// The file of cursors.
pub(super) const CURSORS: &str = "cursors";

impl Log {
    pub(super) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the upkeep that there is a new group.
    pub(super) fn wake(&self) {
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            // Without it, the journal alone grows, and says so.
            let _ = self.upkeep.send(Command::Wake);
        }
    }

    pub(super) fn tell(&self, event: &FileEvent<'_>) {
        self.observer.observe(event);
    }

    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}
