//! A log in one folder.

mod appending;
mod bloom;
mod bundles;
mod cursors;
mod file_error;
mod folder_lock;
mod generations;
mod index_file;
mod index_row;
mod log;
mod number_file;
mod observer;
mod opening;
mod personal_files;
mod reading;
mod recent;
mod replacing;
mod searching;
mod stored_index;
mod tenants_file;
mod upkeep;
mod watching;
mod writer;

use std::{
    num::NonZeroUsize,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use async_trait::async_trait;
use tokio::{sync::oneshot, task};

use self::{
    appending::Taken,
    log::Log,
    observer::NoObserver,
    upkeep::{Command, Reply},
};
use super::{Appending, EntryBatch, Store, StoreError};
use crate::{
    clock::{Clock, SystemClock},
    disk::{Disk, SystemDisk},
    event::Id,
    note::SignedNote,
    search::{Page, Query},
    tile::TilePath,
};

pub use self::{
    file_error::FileStoreError,
    generations::FileGenerations,
    observer::{FileEvent, FileObserver},
    stored_index::StoredIndex,
};

/// A log in the files of one folder, of one process at a time.
///
/// | in the folder | is |
/// |---|---|
/// | `journal/` | groups that are durable, until their entries are in bundles |
/// | `log/` | tiles, bundles and checkpoint: what may be published, by any web server |
/// | `personal/` | sealed personal parts, 1,024 events a file |
/// | `index` | 4 bytes an event: which bundles a search reads |
/// | `damaged/` | for each damage that somebody else did to the journal, a folder with what was there of it |
/// | `acknowledged` | how many entries there were a second before the end, at least: a start must find them |
/// | `tenants`, `first`, `cursors` | the tenants' numbers, the first entry that is left, how far readers are |
/// | `lock` | held by the process that writes |
/// | `generation`, `generation-2/` | written by [`FileGenerations`]: which log is written, and one that a rollback began |
///
/// `index` and `tenants` are made again when they are lost; whether the index says what the leaves are, a verification
/// finds out with [`StoredIndex`]. All but `log/` is readable by its owner alone.
///
/// A group is one frame of the journal and one sync. Everything that follows is done on a thread of its own: bundles,
/// tiles, index and personal parts, the next segment of the journal before it is needed, and each second a look whether
/// the journal is still where it was, and none of its files shorter. One that somebody else has damaged is written again
/// from memory, and what was there of it goes to `damaged/`: the first eight times, and until an erasure or a pruning
/// concerns its entries. The calls that read or write files are made on the blocking threads of the caller's tokio
/// runtime.
///
/// After a write or sync that failed, the journal is closed; the next [`lock`](Store::lock) opens it again from what the
/// disk has, and fails for as long as that does.
#[derive(Debug)]
pub struct FileStore {
    log: Arc<Log>,
}

/// How a store in a folder is opened.
#[derive(Debug)]
pub struct FileStoreBuilder {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn FileObserver>,
    is_cut_accepted: bool,
}

/// Entries in memory that wait to become bundles, at most: a group more is not taken then.
const MAX_RECENT_BYTES: usize = 64 * 1024 * 1024;

impl FileStoreBuilder {
    /// The clock that pages of a search are timed by.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who is told what happens to the files.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn FileObserver>) -> Self {
        self.observer = observer;
        self
    }

    /// Opens a log too whose tail was cut: one that [another](FileGenerations) has followed, of which what lies beside it
    /// still goes by its time. Nothing may be appended to it.
    #[must_use]
    pub const fn accept_cut(mut self) -> Self {
        self.is_cut_accepted = true;
        self
    }

    #[cfg(test)]
    pub(crate) fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.disk = disk;
        self
    }

    /// Opens the folder, which is made if it is not there, on a blocking thread of the runtime.
    ///
    /// # Errors
    /// [`FileStoreError`]: another process has the folder, the log is not what was written, or its tail is cut.
    pub async fn open(self) -> Result<FileStore, FileStoreError> {
        let folder = self.folder.clone();
        let opened = task::spawn_blocking(|| opening::open(self)).await;
        let log = opened.map_err(|error| FileStoreError::Io {
            doing: "open",
            path: folder,
            source: error.into(),
        })??;
        Ok(FileStore { log })
    }
}

impl FileStore {
    /// A store in this folder.
    #[must_use]
    pub fn builder(folder: &Path) -> FileStoreBuilder {
        FileStoreBuilder {
            folder: folder.to_owned(),
            disk: Arc::new(SystemDisk),
            clock: Arc::new(SystemClock::new()),
            observer: Arc::new(NoObserver),
            is_cut_accepted: false,
        }
    }

    /// Puts everything that was appended in place, and gives the folder to others. Every other call fails from then on.
    /// A store that is dropped does the same, at a time that nobody is told.
    ///
    /// # Errors
    /// [`StoreError`]; the folder is given back in any case, and what was committed is in it.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.ask(|reply| Command::Close(Some(reply))).await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.log.upkeep.send(command(reply));
        sent.map_err(|_| FileStoreError::Closed)?;
        answer.await.map_err(|_| FileStoreError::Closed)?
    }

    /// On a thread that may block.
    async fn run<T: Send + 'static, E: Into<StoreError> + Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Log>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, StoreError> {
        let log = Arc::clone(&self.log);
        let done = task::spawn_blocking(move || work(&log)).await;
        done.map_err(StoreError::unavailable)?.map_err(Into::into)
    }

    /// Waits until there is room in memory, unless nobody makes any.
    async fn room(&self) -> Result<(), StoreError> {
        loop {
            let placed = self.log.placed.notified();
            if self.log.recent().bytes() < MAX_RECENT_BYTES {
                return Ok(());
            }
            if self.log.upkeep_fails.load(Ordering::Acquire) {
                return Err(FileStoreError::NoRoom.into());
            }
            // Should its thread be gone, nobody makes any.
            let is_there = self.log.upkeep.send(Command::Wake);
            is_there.map_err(|_| FileStoreError::Closed)?;
            placed.await;
        }
    }
}

impl Drop for FileStore {
    fn drop(&mut self) {
        // It may be closed already.
        let _ = self.log.upkeep.send(Command::Close(None));
    }
}

#[async_trait]
impl Store for FileStore {
    async fn lock(&self, tenants: &[Id]) -> Result<Box<dyn Appending>, StoreError> {
        self.room().await?;
        let mut writer = Arc::clone(&self.log.writer).lock_owned().await;
        if writer.journal.is_none() {
            let log = Arc::clone(&self.log);
            writer = self
                .run(move |_| writer.reopen_journal(&log).map(|()| writer))
                .await?;
        }
        Ok(Box::new(Taken::new(Arc::clone(&self.log), writer, tenants)))
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn size(&self) -> Result<u64, StoreError> {
        Ok(self.log.recent().size())
    }

    async fn entries(&self, from: u64, most: NonZeroUsize) -> Result<EntryBatch, StoreError> {
        self.run(move |log| log.entries(from, most)).await
    }

    async fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(move |log| log.tile(path)).await
    }

    async fn checkpoint(&self) -> Result<Option<SignedNote>, StoreError> {
        self.run(|log| log.checkpoint()).await
    }

    async fn publish(&self, checkpoint: &SignedNote) -> Result<(), StoreError> {
        let note = Box::new(checkpoint.clone());
        self.ask(|reply| Command::Publish(note, reply)).await
    }

    async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        let query = query.clone();
        self.run(move |log| searching::search(log, &query)).await
    }

    async fn personal(&self, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(move |log| log.part(n)).await
    }

    async fn erase(&self, leaves: &[u64]) -> Result<u64, StoreError> {
        let leaves = leaves.to_vec();
        self.ask(|reply| Command::Erase(leaves, reply)).await
    }

    async fn prune(&self, before: u64) -> Result<u64, StoreError> {
        self.ask(|reply| Command::Prune(before, reply)).await
    }

    async fn first(&self) -> Result<u64, StoreError> {
        Ok(self.log.recent().first)
    }

    async fn check_journal(&self) -> Result<Vec<Range<u64>>, StoreError> {
        self.ask(Command::CheckJournal).await
    }

    fn damages(&self) -> u64 {
        self.log.damages.load(Ordering::Relaxed)
    }

    async fn cursor(&self, name: &Id) -> Result<Option<u64>, StoreError> {
        Ok(self.log.cursors.next_of(name))
    }

    async fn move_cursor(&self, name: &Id, next: u64) -> Result<(), StoreError> {
        let name = name.clone();
        self.run(move |log| log.cursors.put(&name, next)).await
    }
}

#[cfg(test)]
mod tests;
