//! The logs of commands, whose processes have ended: the service delivers what they have recorded, looks at it by the
//! rules and archives it.

use std::{collections::BTreeMap, error::Error, fs, path::Path, sync::Arc, time::Duration};

use portcullis_audit_log::{
    audit::Audit,
    clock::Clock as LogClock,
    source::CHECKPOINT_PATH,
    store::{FileStoreError, Store, StoreError},
};
use portcullis_telemetry::BackgroundTask;
use tokio::{task::spawn_blocking, time::sleep};

use super::{AuditNode, FillError, NamedLogError, NamedLogs};
use crate::{
    audit::{CurrentLog, Suspicions, WatchEnd, is_log_name, watch_ended},
    delivery::Deliveries,
};

const TASK: BackgroundTask = BackgroundTask::new("audit_ended_logs");

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(60);

/// Those who get what is in such logs.
pub(super) struct EndedLogs {
    pub(super) logs: NamedLogs,
    pub(super) clock: Arc<dyn LogClock>,
    /// Where findings are recorded.
    pub(super) audit: Audit,
    pub(super) deliveries: Deliveries,
    pub(super) suspicions: Suspicions,
}

/// What a log had published when all of it was looked at.
type Published = Option<Vec<u8>>;

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
    /// Looks at them once a minute, until it is dropped.
    pub(super) async fn follow(self) {
        let mut seen = BTreeMap::new();
        loop {
            TASK.run(self.look(&mut seen)).await;
            sleep(EVERY).await;
        }
    }

    async fn look(&self, seen: &mut BTreeMap<String, Published>) {
        let folder = self.logs.folder().to_owned();
        // A folder that cannot be listed has been told of by who opened the log in it.
        let names = spawn_blocking(move || names(&folder))
            .await
            .unwrap_or_default();
        for name in names {
            let published = self.published(&name).await;
            if seen.get(&name) == Some(&published) {
                continue;
            }
            match self.look_at(&name).await {
                Ok(true) => {
                    seen.insert(name, published);
                }
                Ok(false) => {}
                Err(error) => tell(&name, &error),
            }
        }
    }

    /// Looks at one that nobody has. Gives whether that was all of it.
    async fn look_at(&self, name: &str) -> Result<bool, EndedError> {
        let folder = self.logs.folder().join(name);
        let (current, store) = match CurrentLog::open(&folder, &self.clock).await {
            // Its process runs.
            Err(FileStoreError::InUse { .. }) => return Ok(false),
            opened => opened?,
        };
        let store = Arc::new(store);
        let log: Arc<dyn Store> = Arc::clone(&store) as _;
        let number = current.generation().number();
        let looked = async {
            watch_ended(&self.audit, &*log, &*self.clock, &self.suspicions).await?;
            let has_all = self.deliveries.deliver_ended(name, &log).await?;
            if self.logs.has_archive() {
                let archive = self.logs.archive(name, Some(number))?;
                archive
                    .fill(&log, &self.logs.keys(name, Some(number))?)
                    .await?;
            }
            Ok(has_all)
        };
        let looked = looked.await;
        store.close().await?;
        looked
    }

    async fn published(&self, name: &str) -> Published {
        let folder = self.logs.folder().join(name);
        let read = move || {
            let current = CurrentLog::of(&folder).ok()?;
            fs::read(current.folder().join("log").join(CHECKPOINT_PATH)).ok()
        };
        spawn_blocking(read).await.ok().flatten()
    }
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
