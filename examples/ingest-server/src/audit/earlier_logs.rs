//! The logs that the one of a process has followed, each since a rollback was accepted. Nobody writes them any more, and
//! what lies beside them goes as it does beside the latest.

use std::{num::NonZeroU32, path::PathBuf, sync::Arc};

use portcullis_audit_log::{
    note::{InvalidKeyName, KeyName},
    store::{FileStore, FileStoreError, Store, StoreError},
};

use super::{CurrentLog, DatabaseLog, DatabaseLogError, KeptLog};

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
    logs: Vec<(NonZeroU32, KeptLog)>,
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
        Ok(current.before()?.into_iter().map(log).collect())
    }

    /// Opens it, as it is: its end may have been cut.
    ///
    /// # Errors
    /// [`EarlierLogError`].
    pub(crate) async fn open(&self) -> Result<KeptLog, EarlierLogError> {
        if DatabaseLog::is_in(&self.folder) {
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
    /// Opens all of them or none.
    ///
    /// # Errors
    /// [`EarlierLogError`].
    pub(crate) async fn open(logs: &[EarlierLog]) -> Result<Self, EarlierLogError> {
        let mut opened = Self::default();
        for log in logs {
            match log.open().await {
                Ok(kept) => opened.logs.push((log.number, kept)),
                Err(error) => {
                    opened.close().await;
                    return Err(error);
                }
            }
        }
        Ok(opened)
    }

    /// Each with its number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NonZeroU32, Arc<dyn Store>)> {
        let logs = self.logs.iter();
        logs.map(|(number, kept)| (*number, kept.store()))
    }

    /// Gives them back.
    pub(crate) async fn close(self) {
        for (_, kept) in self.logs {
            // What was erased is erased; what else was to be put in place, the next opening does.
            let _ = kept.close().await;
        }
    }
}
