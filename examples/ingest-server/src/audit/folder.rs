//! The logs of one machine, each in a folder of its own below one: one that all processes share, or one for each.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::{
    clock::{Clock, SystemClock},
    store::{FileStoreError, Store, StoredIndex},
    verify::Companions,
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, MutexGuard},
};

use super::{
    CurrentLog, DATABASE, DatabaseLog, DatabaseLogError, EarlierLog, EarlierLogError, KeptLog,
    OpenEarlierLogs,
};
use crate::store::LogDatabase;

/// The folder of all logs, and which of them is this process's.
#[derive(Debug, Clone)]
pub(crate) struct AuditFolder {
    all: PathBuf,
    own: String,
    /// Held by the one who has the logs open that this process's has followed.
    earlier: Arc<Mutex<()>>,
    /// Held by the one who has logs of processes open that have ended.
    ended: Arc<Mutex<()>>,
    /// What it is in, if it is in no files.
    database: Option<LogDatabase>,
}

/// Why another log cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OtherLogError {
    #[error("there is no such log")]
    Unknown,
    #[error("its process is running; ask again when it has ended")]
    InUse,
    #[error("it does not open")]
    Store(#[source] FileStoreError),
    #[error("it does not open")]
    Database(#[source] DatabaseLogError),
}

impl AuditFolder {
    /// With a log of this name, which the process has to itself.
    pub(crate) fn new(all: PathBuf, own: String) -> Self {
        Self {
            all,
            own,
            earlier: Arc::default(),
            ended: Arc::default(),
            database: None,
        }
    }

    /// With the log that all processes share.
    pub(crate) fn shared(all: PathBuf, database: LogDatabase) -> Self {
        Self {
            database: Some(database),
            ..Self::new(all, DATABASE.to_owned())
        }
    }

    /// The name of this process's log.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    /// The logs that this process's log has followed, from the first.
    ///
    /// # Errors
    /// [`FileStoreError`] if the folder does not say which.
    pub(crate) fn earlier(&self) -> Result<Vec<EarlierLog>, FileStoreError> {
        EarlierLog::all_before(&CurrentLog::of(&self.all.join(&self.own))?)
    }

    /// Does something with logs that this process's log has followed, as soon as nobody else does: with those that open.
    /// Gives what came of it, and the first that does not open.
    pub(crate) async fn with_earlier<T, F>(
        &self,
        logs: &[EarlierLog],
        work: impl FnOnce(Vec<Arc<dyn Store>>) -> F,
    ) -> (T, Result<(), EarlierLogError>)
    where
        F: Future<Output = T>,
    {
        let _held = self.earlier.lock().await;
        let (opened, failed) = OpenEarlierLogs::open(logs).await;
        let done = work(opened.stores()).await;
        opened.close().await;
        (done, failed)
    }

    /// Keeps others of this process away from logs whose processes have ended.
    pub(crate) async fn hold_ended(&self) -> MutexGuard<'_, ()> {
        self.ended.lock().await
    }

    /// Where all logs are.
    pub(super) fn all(&self) -> &Path {
        &self.all
    }

    /// Whether it is the name of this process's log.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.own == name
    }

    /// The index of this process's log, to be held against its entries: on a thread that may wait.
    ///
    /// # Errors
    /// [`FileStoreError`].
    pub(super) fn index(
        &self,
        runtime: Handle,
    ) -> Result<Box<dyn Companions + Send>, FileStoreError> {
        if let Some(database) = &self.database {
            return Ok(database.index(runtime));
        }
        let current = CurrentLog::of(&self.all.join(&self.own))?;
        Ok(Box::new(StoredIndex::open(&current.folder())?))
    }

    /// Another log: of a process that has ended, or the one that is shared.
    ///
    /// # Errors
    /// [`OtherLogError`].
    pub(super) async fn open(&self, name: &str) -> Result<KeptLog, OtherLogError> {
        let folder = self.all.join(name);
        if !is_name(name) || !is_log(&folder) {
            return Err(OtherLogError::Unknown);
        }
        if name == DATABASE {
            let log = DatabaseLog::open(&folder).await;
            let log = log.map_err(OtherLogError::Database)?;
            return Ok(KeptLog::Database(Arc::new(log)));
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        match CurrentLog::open(&folder, &clock).await {
            Ok((_, store)) => Ok(KeptLog::Files(Arc::new(store))),
            Err(FileStoreError::InUse { .. }) => Err(OtherLogError::InUse),
            Err(error) => Err(OtherLogError::Store(error)),
        }
    }
}

/// Whether it can be the name of the folder of a log here, and of no other place.
pub(crate) fn is_name(name: &str) -> bool {
    if name == DATABASE {
        return true;
    }
    let rest = ["server", "command-line"]
        .iter()
        .find_map(|node| name.strip_prefix(node));
    let number = |rest: &str| rest.strip_prefix('-')?.parse::<u8>().ok();
    rest.is_some_and(|rest| rest.is_empty() || number(rest).is_some())
}

fn is_log(folder: &Path) -> bool {
    folder.join("lock").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for (name, is_one) in [
            ("server", true),
            ("server-2", true),
            ("command-line", true),
            ("command-line-17", true),
            ("database", true),
            ("database-2", false),
            ("", false),
            ("..", false),
            ("server/..", false),
            ("server-", false),
            ("server-x", false),
            ("server-300", false),
            ("other", false),
        ] {
            assert_eq!(is_name(name), is_one, "{name}");
        }
    }
}
