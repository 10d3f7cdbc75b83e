//! The logs of other processes of this machine that have ended. Nobody writes them, and what lies beside them goes as it
//! does beside that of this process.

use std::{fs, path::Path, sync::Arc, time::Duration};

use portcullis_audit_log::store::{FileStoreError, Store};
use serde::Serialize;
use tokio::{sync::MutexGuard, time::timeout};

use super::{
    AuditFolder, CurrentLog, DATABASE, DatabaseLog, DatabaseLogError, EarlierLog, EarlierLogError,
    KeptLog, OtherLogError, is_log_name,
};

/// A log that was not reached, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NotReached {
    /// The name of its folder.
    pub(crate) log: String,
    pub(crate) why: WhyNotReached,
}

/// Why it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhyNotReached {
    /// Its process runs, or another has it open.
    InUse,
    /// It does not open: looking at it says why.
    Unreadable,
}

/// How long who asks waits for who delivers a log whose process has ended. It is in use then, as far as they can tell.
const MOST_WAITED: Duration = Duration::from_secs(10);

/// Those that are open, which nobody else opens meanwhile.
#[derive(Debug, Default)]
struct OpenEndedLogs {
    /// Each before those that it has followed.
    logs: Vec<KeptLog>,
    not_reached: Vec<NotReached>,
}

impl AuditFolder {
    /// Does something with the logs of other processes, and those that they have followed: with those that open, as soon
    /// as nobody else of this process does. Gives what came of it, and which of them were not reached.
    pub(crate) async fn with_ended<T, F>(
        &self,
        work: impl FnOnce(Vec<Arc<dyn Store>>) -> F,
    ) -> (T, Vec<NotReached>)
    where
        F: Future<Output = T>,
    {
        let _held = self.wait_for_ended().await;
        let opened = OpenEndedLogs::open(self).await;
        let done = work(opened.logs.iter().map(KeptLog::store).collect()).await;
        let not_reached = opened.not_reached.clone();
        opened.close().await;
        (done, not_reached)
    }

    /// Another log, as soon as nobody else of this process has it open. Nobody else opens it before what is given beside
    /// it is dropped.
    ///
    /// # Errors
    /// [`OtherLogError`].
    pub(super) async fn open_ended(
        &self,
        name: &str,
    ) -> Result<(KeptLog, Option<MutexGuard<'_, ()>>), OtherLogError> {
        let held = self.wait_for_ended().await;
        Ok((self.open(name).await?, held))
    }

    /// Keeps others of this process away from logs whose processes have ended, unless one of them has them for longer
    /// than anybody waits.
    async fn wait_for_ended(&self) -> Option<MutexGuard<'_, ()>> {
        timeout(MOST_WAITED, self.hold_ended()).await.ok()
    }
}

impl OpenEndedLogs {
    /// Opens those that can be.
    async fn open(folder: &AuditFolder) -> Self {
        let mut opened = Self::default();
        for name in names(folder.all()) {
            if folder.is_own(&name) {
                continue;
            }
            if let Err(why) = opened.open_one(folder, &name).await {
                opened.not_reached.push(NotReached { log: name, why });
            }
        }
        opened
    }

    async fn open_one(&mut self, folder: &AuditFolder, name: &str) -> Result<(), WhyNotReached> {
        let of_process = folder.all().join(name);
        let current = CurrentLog::of(&of_process)?;
        // A database that somebody took away is no log, and none is made in its place.
        if name == DATABASE && !DatabaseLog::is_in(&current.folder()) {
            return Ok(());
        }
        match folder.open(name).await {
            Ok(kept) => self.logs.push(kept),
            Err(OtherLogError::Unknown) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let mut earlier = Ok(());
        for log in EarlierLog::all_before(&CurrentLog::of(&of_process)?)? {
            match log.open().await {
                Ok(kept) => self.logs.push(kept),
                Err(error) if earlier.is_ok() => earlier = Err(error.into()),
                Err(_) => {}
            }
        }
        earlier
    }

    /// Gives them back.
    async fn close(self) {
        // The one that is written last: nobody begins to write before.
        for kept in self.logs.into_iter().rev() {
            // What was erased is erased; what else was to be put in place, the next opening does.
            let _ = kept.close().await;
        }
    }
}

fn names(all: &Path) -> Vec<String> {
    // A folder that cannot be listed has been told of by who opened the log in it.
    let listed = fs::read_dir(all).into_iter().flatten().flatten();
    let names = listed.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| is_log_name(name)).collect();
    names.sort_unstable();
    names
}

impl From<FileStoreError> for WhyNotReached {
    fn from(error: FileStoreError) -> Self {
        match error {
            FileStoreError::InUse { .. } => Self::InUse,
            _ => Self::Unreadable,
        }
    }
}

impl From<DatabaseLogError> for WhyNotReached {
    fn from(error: DatabaseLogError) -> Self {
        match error {
            DatabaseLogError::Accepting | DatabaseLogError::InUse => Self::InUse,
            _ => Self::Unreadable,
        }
    }
}

impl From<EarlierLogError> for WhyNotReached {
    fn from(error: EarlierLogError) -> Self {
        match error {
            EarlierLogError::Files(error) => error.into(),
            EarlierLogError::Database(error) => error.into(),
        }
    }
}

impl From<OtherLogError> for WhyNotReached {
    fn from(error: OtherLogError) -> Self {
        match error {
            OtherLogError::InUse => Self::InUse,
            OtherLogError::Database(error) => error.into(),
            OtherLogError::Unknown | OtherLogError::Store(_) => Self::Unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use portcullis_audit_log::{
        audit::Generation,
        clock::{Clock, SystemClock},
    };

    use super::*;
    use crate::audit::LockFile;

    async fn log(all: &Path, name: &str) -> CurrentLog {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let (current, store) = CurrentLog::open(&all.join(name), &clock).await.unwrap();
        store.close().await.unwrap();
        current
    }

    #[tokio::test]
    async fn those_whose_processes_have_ended_are_reached_and_the_others_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let all = folder.path();
        for name in ["server", "server-2", "server-3", "server-4"] {
            log(all, name).await;
        }
        // What another has followed belongs to it.
        let begun = "portcullis/audit/generation/v1\n2\n\
                     known 1 3 usClIbbDnMnAAq0ZnmLjWNIEklVUBhfsJvGeKtse1cA=\n\
                     kept 1 2 CAk3O+MgRVYrpScI5Oo6tXgw2+wFVCTQ6cWOMOi9M0U=\n";
        let begun: Generation = begun.parse().unwrap();
        log(all, "command-line").await.begin(&begun).unwrap();
        log(all, "command-line").await;
        // What is no log, and none that is made.
        DatabaseLog::open(&all.join(DATABASE))
            .await
            .unwrap()
            .close()
            .await;
        fs::remove_file(all.join(DATABASE).join("audit.db")).unwrap();
        fs::create_dir(all.join("other")).unwrap();
        fs::create_dir(all.join("server-9")).unwrap();
        fs::write(all.join("server-4/generation"), "of another").unwrap();
        let running = LockFile::alone(&all.join("server-3/lock")).unwrap();

        let folder = AuditFolder::new(all.to_owned(), "server".to_owned());
        let reached = async |stores: Vec<Arc<dyn Store>>| stores.len();
        let (count, not_reached) = folder.with_ended(reached).await;
        let [three, four] = [
            ("server-3", WhyNotReached::InUse),
            ("server-4", WhyNotReached::Unreadable),
        ]
        .map(|(log, why)| NotReached {
            log: log.to_owned(),
            why,
        });
        // Both of the command line, and that of `server-2`.
        assert_eq!((count, &*not_reached), (3, &[three, four.clone()][..]));
        assert!(!DatabaseLog::is_in(&all.join(DATABASE)));
        drop(running);
        // They were given back.
        let (count, not_reached) = folder.with_ended(reached).await;
        assert_eq!((count, &*not_reached), (4, &[four][..]));
    }

    #[tokio::test]
    async fn who_reads_one_waits_for_who_has_it_open_in_this_process_and_for_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let all = folder.path();
        log(all, "command-line").await;
        let folder = AuditFolder::new(all.to_owned(), "server".to_owned());
        let held = folder.hold_ended().await;
        let looked_at = folder.open("command-line").await.unwrap();
        let mut reading = Box::pin(folder.open_ended("command-line"));
        assert!(reading.as_mut().now_or_never().is_none());
        looked_at.close().await.unwrap();
        drop(held);
        let (read, held) = reading.await.unwrap();
        read.close().await.unwrap();
        drop(held);
        let running = LockFile::alone(&all.join("command-line/lock")).unwrap();
        let refused = folder.open_ended("command-line").await.err();
        assert!(matches!(refused, Some(OtherLogError::InUse)));
        drop(running);
    }
}
