//! The logs that the one of a process has followed, each since a rollback was accepted. Nobody writes them any more, and
//! what lies beside them goes as it does beside the latest.

use std::{num::NonZeroU32, path::PathBuf, sync::Arc};

use portcullis_audit_log::{
    note::{InvalidKeyName, KeyName},
    store::{FileStore, FileStoreError, Store},
};

/// One of them, by its number and its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EarlierLog {
    pub(crate) number: NonZeroU32,
    pub(crate) folder: PathBuf,
}

/// Some of them, which nobody else opens meanwhile.
#[derive(Debug, Default)]
pub(crate) struct OpenEarlierLogs {
    logs: Vec<(NonZeroU32, Arc<FileStore>)>,
}

impl EarlierLog {
    /// Opens it, as it is: its end may have been cut.
    ///
    /// # Errors
    /// [`FileStoreError`].
    pub(crate) async fn open(&self) -> Result<FileStore, FileStoreError> {
        FileStore::builder(&self.folder).accept_cut().open().await
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
    /// [`FileStoreError`].
    pub(crate) async fn open(logs: &[EarlierLog]) -> Result<Self, FileStoreError> {
        let mut opened = Self::default();
        for log in logs {
            match log.open().await {
                Ok(store) => opened.logs.push((log.number, Arc::new(store))),
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
        let store = |store: &Arc<FileStore>| Arc::clone(store) as Arc<dyn Store>;
        self.logs
            .iter()
            .map(move |(number, log)| (*number, store(log)))
    }

    /// Gives them back.
    pub(crate) async fn close(self) {
        for (_, store) in self.logs {
            // What was erased is erased; what else was to be put in place, the next opening does.
            let _ = store.close().await;
        }
    }
}
