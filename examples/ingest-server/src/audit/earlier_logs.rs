//! The logs that the one of a process has followed, each since a rollback was accepted. Nobody writes them any more, and
//! what lies beside them goes as it does beside the latest.

use std::{num::NonZeroU32, path::PathBuf, sync::Arc};

use portcullis_audit_log::{
    note::{InvalidKeyName, KeyName},
    store::{FileStore, FileStoreError, Store, StoreError},
};

use super::{CurrentLog, DATABASE, DatabaseLog, DatabaseLogError, KeptLog};

/// One of them, by its number and its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EarlierLog {
    pub(crate) number: NonZeroU32,
    pub(crate) folder: PathBuf,
    /// The folder that the first of them is in.
    pub(super) process: PathBuf,
}

/// Why one does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EarlierLogError {
    #[error(transparent)]
    Files(#[from] FileStoreError),
    #[error(transparent)]
    Database(#[from] DatabaseLogError),
}

/// Some of them, which nobody else opens meanwhile.
#[derive(Debug, Default)]
pub(crate) struct OpenEarlierLogs {
    logs: Vec<KeptLog>,
}

impl From<EarlierLogError> for StoreError {
    fn from(error: EarlierLogError) -> Self {
        match error {
            EarlierLogError::Files(error) => error.into(),
            EarlierLogError::Database(error) => Self::unavailable(error),
        }
    }
}

impl EarlierLog {
    /// Those that a log has followed, from the first.
    ///
    /// # Errors
    /// [`FileStoreError`] if the folder cannot be listed.
    pub(crate) fn all_before(current: &CurrentLog) -> Result<Vec<Self>, FileStoreError> {
        let process = current.first_folder();
        let log = |(number, folder)| Self {
            number,
            folder,
            process: process.clone(),
        };
        let logs = current.before()?.into_iter().map(log);
        Ok(logs.filter(Self::is_there).collect())
    }

    /// A database that somebody took away is no log, and none is made in its place.
    fn is_there(&self) -> bool {
        !self.process.ends_with(DATABASE) || DatabaseLog::is_in(&self.folder)
    }

    /// Opens it, as it is: its end may have been cut.
    ///
    /// # Errors
    /// [`EarlierLogError`].
    pub(crate) async fn open(&self) -> Result<KeptLog, EarlierLogError> {
        if self.process.ends_with(DATABASE) {
            let log = DatabaseLog::open_earlier(&self.process, &self.folder).await?;
            return Ok(KeptLog::Database(Arc::new(log)));
        }
        let store = FileStore::builder(&self.folder).accept_cut().open().await?;
        Ok(KeptLog::Files(Arc::new(store)))
    }

    /// What it is called, of those of `base`.
    ///
    /// # Errors
    /// [`InvalidKeyName`] if `base` has no room for a number.
    pub(crate) fn origin(number: NonZeroU32, base: &KeyName) -> Result<KeyName, InvalidKeyName> {
        match number {
            NonZeroU32::MIN => Ok(base.clone()),
            number => format!("{base}/{number}").parse(),
        }
    }
}

impl OpenEarlierLogs {
    /// Opens those that can be, and says why the first cannot that is none of them.
    pub(super) async fn open(logs: &[EarlierLog]) -> (Self, Result<(), EarlierLogError>) {
        let (mut opened, mut failed) = (Self::default(), Ok(()));
        for log in logs {
            match log.open().await {
                Ok(kept) => opened.logs.push(kept),
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        (opened, failed)
    }

    pub(super) fn stores(&self) -> Vec<Arc<dyn Store>> {
        self.logs.iter().map(KeptLog::store).collect()
    }

    /// Gives them back.
    pub(super) async fn close(self) {
        for kept in self.logs {
            // What was erased is erased; what else was to be put in place, the next opening does.
            let _ = kept.close().await;
        }
    }
}
