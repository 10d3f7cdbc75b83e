//! Which log in the folder of a process is written: the first, or one that was begun when a rollback was accepted.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::{
    audit::Generation,
    clock::Clock,
    store::{FileGenerations, FileStore, FileStoreError},
};

use super::file_warnings::FileWarnings;

/// The log that is written in the folder of a process, and where in it that is.
#[derive(Debug, Clone)]
pub(crate) struct CurrentLog {
    generations: FileGenerations,
    generation: Generation,
}

impl CurrentLog {
    /// The one that is written by now.
    ///
    /// # Errors
    /// [`FileStoreError`] if the folder does not say which.
    pub(crate) fn of(folder: &Path) -> Result<Self, FileStoreError> {
        let generations = FileGenerations::new(folder);
        let generation = generations.current()?;
        Ok(Self {
            generations,
            generation,
        })
    }

    /// The same, with its store.
    ///
    /// # Errors
    /// [`FileStoreError`].
    pub(crate) async fn open(
        folder: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<(Self, FileStore), FileStoreError> {
        loop {
            let current = Self::of(folder)?;
            let store = FileStore::builder(&current.folder()).clock(Arc::clone(clock));
            let store = store.observer(Arc::new(FileWarnings)).open().await?;
            // Another may have been begun before this one was held.
            if Self::of(folder)?.generation == current.generation {
                return Ok((current, store));
            }
        }
    }

    pub(crate) const fn generation(&self) -> &Generation {
        &self.generation
    }

    /// The numbers of those that it has followed, from the first, and where their files are.
    ///
    /// # Errors
    /// [`FileStoreError`] if the folder cannot be listed.
    pub(super) fn before(&self) -> Result<Vec<(NonZeroU32, PathBuf)>, FileStoreError> {
        let numbers = self.generations.before(&self.generation)?.into_iter();
        let with_folder = |number| (number, self.generations.folder_of_number(number));
        Ok(numbers.map(with_folder).collect())
    }

    /// Where the files of the first are.
    pub(super) fn first_folder(&self) -> PathBuf {
        self.generations.folder_of_number(NonZeroU32::MIN)
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> PathBuf {
        self.generations.folder_of(&self.generation)
    }

    /// Makes the log that follows an accepted rollback the one that is written, from the next start on. Blocks.
    ///
    /// # Errors
    /// [`FileStoreError`].
    pub(crate) fn begin(&self, accepted: &Generation) -> Result<Self, FileStoreError> {
        let generation = self.generations.begin(accepted)?;
        Ok(Self {
            generations: self.generations.clone(),
            generation,
        })
    }
}
