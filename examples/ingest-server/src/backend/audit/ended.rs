//! The logs of commands, whose processes have ended: the service delivers what they have recorded, looks at it by the
//! rules and archives it.

mod archiving;

use std::{
    collections::BTreeMap,
    error::Error,
    ffi::OsString,
    fs::{self, DirEntry},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use portcullis_audit_log::{
    audit::Audit,
    clock::Clock as LogClock,
    store::{FileStoreError, Store, StoreError},
};
use portcullis_telemetry::BackgroundTask;
use tokio::{task::spawn_blocking, time::sleep};

use self::archiving::archive;
use super::{AuditNode, FillError, NamedLogError, NamedLogs};
use crate::{
    audit::{AuditFolder, CurrentLog, Suspicions, WatchEnd, is_log_name, watch_ended},
    delivery::Deliveries,
};

const TASK: BackgroundTask = BackgroundTask::new("audit_ended_logs");

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(60);

/// To the next look after one that was not at all of them, at first.
const SOON: Duration = Duration::from_secs(2);

/// Those who get what is in such logs.
pub(super) struct EndedLogs {
    pub(super) logs: NamedLogs,
    pub(super) folder: AuditFolder,
    pub(super) clock: Arc<dyn LogClock>,
    /// Where findings are recorded.
    pub(super) audit: Audit,
    pub(super) deliveries: Deliveries,
    pub(super) suspicions: Suspicions,
}

/// What the files of a log's journal were when all of it was looked at: by name, when each was written last. What a
/// command has recorded that was killed is there, and in no checkpoint.
type Journal = Vec<(OsString, Option<SystemTime>)>;

/// A log was not looked at, or not all of it.
#[derive(Debug, thiserror::Error)]
enum EndedError {
    #[error(transparent)]
    Open(#[from] FileStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Rules(#[from] WatchEnd),
    #[error(transparent)]
    Log(#[from] NamedLogError),
    #[error(transparent)]
    Fill(#[from] FillError),
}

impl EndedLogs {
    async fn journal(&self, name: &str) -> Journal {
        let folder = self.logs.folder().join(name);
        let looking = spawn_blocking(move || journal(&folder));
        looking.await.unwrap_or_default()
    }

    /// Looks at them once a minute, until it is dropped.
    pub(super) async fn follow(self) {
        let (mut seen, mut sooner) = (BTreeMap::new(), SOON);
        loop {
            let all = TASK.run(self.look(&mut seen)).await;
            sooner = if all { SOON } else { (sooner * 2).min(EVERY) };
            sleep(if all { EVERY } else { sooner }).await;
        }
    }

    /// Gives whether all of them were.
    async fn look(&self, seen: &mut BTreeMap<String, Journal>) -> bool {
        let folder = self.logs.folder().to_owned();
        // A folder that cannot be listed has been told of by who opened the log in it.
        let names = spawn_blocking(move || names(&folder))
            .await
            .unwrap_or_default();
        let mut all = true;
        for name in names {
            if seen.get(&name) == Some(&self.journal(&name).await) {
                continue;
            }
            match self.look_at(&name).await {
                Ok(true) => {
                    let journal = self.journal(&name).await;
                    seen.insert(name, journal);
                }
                Ok(false) => all = false,
                Err(error) => tell(&name, &error),
            }
        }
        all
    }

    /// Looks at one that nobody has. Gives whether that was all of it.
    async fn look_at(&self, name: &str) -> Result<bool, EndedError> {
        let _held = self.folder.hold_ended().await;
        let folder = self.logs.folder().join(name);
        let (current, store) = match CurrentLog::open(&folder, &self.clock).await {
            // Its process runs.
            Err(FileStoreError::InUse { .. }) => return Ok(false),
            opened => opened?,
        };
        let store = Arc::new(store);
        let log: Arc<dyn Store> = Arc::clone(&store) as _;
        let looked = async {
            watch_ended(&self.audit, &*log, &*self.clock, &self.suspicions).await?;
            let has_all = self.deliveries.deliver_ended(name, &log).await?;
            if self.logs.has_archive() {
                archive(&self.logs, name, &current, &log).await?;
            }
            Ok(has_all)
        };
        let looked = looked.await;
        store.close().await?;
        looked
    }
}

/// That of the log in the folder of a process.
fn journal(folder: &Path) -> Journal {
    // One that cannot be looked into is none: that is told by who opens it.
    let Ok(current) = CurrentLog::of(folder) else {
        return Journal::new();
    };
    let files = fs::read_dir(current.folder().join("journal"));
    let files = files.into_iter().flatten().flatten();
    let written = |file: &DirEntry| file.metadata().and_then(|it| it.modified()).ok();
    let mut journal: Journal = files
        .map(|file| (file.file_name(), written(&file)))
        .collect();
    journal.sort_unstable();
    journal
}

/// The names of the logs of commands.
fn names(folder: &Path) -> Vec<String> {
    let listed = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = listed.filter_map(|entry| entry.file_name().into_string().ok());
    let is_of_command =
        |name: &String| is_log_name(name) && AuditNode::of_log(name) == AuditNode::CommandLine;
    let mut names: Vec<_> = names.filter(is_of_command).collect();
    names.sort_unstable();
    names
}

fn tell(log: &str, error: &EndedError) {
    tracing::warn!(
        log,
        error = error as &dyn Error,
        "what commands have recorded was not delivered, looked at or archived, and is tried again"
    );
}

#[cfg(test)]
mod tests {
    use portcullis_audit_log::{
        clock::SystemClock,
        event::Id,
        note::{KeyName, SigningKey},
        store::FileStore,
    };
    use secrecy::SecretBox;

    use super::*;

    /// The log of a command, opened; nothing of it is published before it is closed or a minute has passed.
    async fn opened(folder: &Path) -> (Audit, Arc<FileStore>, impl Future<Output = ()> + use<>) {
        let clock: Arc<dyn LogClock> = Arc::new(SystemClock::new());
        let (_, store) = CurrentLog::open(folder, &clock).await.unwrap();
        let store = Arc::new(store);
        let origin: KeyName = "one".parse().unwrap();
        let seed = SecretBox::new(Box::new([7; 32]));
        let key = SigningKey::from_seed(origin.clone(), &seed).unwrap();
        let builder = Audit::builder(
            Arc::clone(&store) as _,
            origin,
            Id::constant("command-line"),
        );
        let (audit, writing) = builder.key(key).open().await.unwrap();
        (audit, store, writing)
    }

    #[tokio::test]
    async fn what_a_killed_command_has_recorded_is_something_new() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("command-line");
        let (audit, store, writing) = opened(&folder).await;
        audit.close();
        writing.await;
        store.close().await.unwrap();
        let seen = journal(&folder);
        assert!(!seen.is_empty());
        assert_eq!(journal(&folder), seen);
        // Its opening is recorded before it is given, and it does nothing more.
        let killed = opened(&folder).await;
        assert_ne!(journal(&folder), seen);
        drop(killed);
    }
}
