//! The logs of one machine: each process has its own, in a folder of its own below one.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::{
    clock::{Clock, SystemClock},
    store::{FileStore, FileStoreError, Store, StoredIndex},
};
use tokio::sync::Mutex;

use super::{CurrentLog, OpenEarlierLogs};

/// The folder of all logs, and which of them is this process's.
#[derive(Debug, Clone)]
pub(crate) struct AuditFolder {
    all: PathBuf,
    own: String,
    /// Held by the one who has the logs open that this process's has followed.
    earlier: Arc<Mutex<()>>,
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
}

impl AuditFolder {
    pub(crate) fn new(all: PathBuf, own: String) -> Self {
        let earlier = Arc::default();
        Self { all, own, earlier }
    }

    /// The name of this process's log.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    /// Does something with the logs that this process's log has followed, as soon as nobody else does.
    ///
    /// # Errors
    /// [`FileStoreError`] if one of them does not open.
    pub(crate) async fn with_earlier<T, F>(
        &self,
        work: impl FnOnce(Vec<(NonZeroU32, Arc<dyn Store>)>) -> F,
    ) -> Result<T, FileStoreError>
    where
        F: Future<Output = T>,
    {
        let _held = self.earlier.lock().await;
        let logs = CurrentLog::of(&self.all.join(&self.own))?.earlier()?;
        let opened = OpenEarlierLogs::open(&logs).await?;
        let done = work(opened.iter().collect()).await;
        opened.close().await;
        Ok(done)
    }

    /// Whether it is the name of this process's log.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.own == name
    }

    /// The index of this process's log, to be held against its entries.
    ///
    /// # Errors
    /// [`FileStoreError`].
    pub(super) fn index(&self) -> Result<StoredIndex, FileStoreError> {
        let current = CurrentLog::of(&self.all.join(&self.own))?;
        StoredIndex::open(&current.folder())
    }

    /// The log of another process, which has ended.
    ///
    /// # Errors
    /// [`OtherLogError`].
    pub(super) async fn open(&self, name: &str) -> Result<FileStore, OtherLogError> {
        let folder = self.all.join(name);
        if !is_name(name) || !is_log(&folder) {
            return Err(OtherLogError::Unknown);
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        match CurrentLog::open(&folder, &clock).await {
            Ok((_, store)) => Ok(store),
            Err(FileStoreError::InUse { .. }) => Err(OtherLogError::InUse),
            Err(error) => Err(OtherLogError::Store(error)),
        }
    }
}

/// Whether it can be the name of a folder that a process has made here, and of no other place.
pub(crate) fn is_name(name: &str) -> bool {
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
