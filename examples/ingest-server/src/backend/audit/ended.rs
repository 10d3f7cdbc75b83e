//! The logs of other processes of this machine that have ended: the service delivers what they have recorded, looks at
//! it by the rules and archives it, and each day takes away what lies beside it and is too old, and verifies it.

mod archiving;
mod verifying;

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
    audit::{Audit, EraseError, Retention, Unrecorded},
    clock::Clock as LogClock,
    store::{FileStoreError, Store, StoreError},
};
use portcullis_telemetry::BackgroundTask;
use tokio::{task::spawn_blocking, time::sleep};

use self::archiving::archive;
use super::{AuditNode, FillError, NamedLogError, NamedLogs};
use crate::{
    audit::{
        AuditFolder, CurrentLog, DATABASE, EndedVerifications, PublishedError, Suspicions,
        WatchEnd, is_log_name, watch_ended,
    },
    delivery::Deliveries,
};

const TASK: BackgroundTask = BackgroundTask::new("audit_ended_logs");

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(60);

/// To the next look after one that was not at all of them, at first.
const SOON: Duration = Duration::from_secs(2);

/// For so long the log of another server is left alone: one that is started again has its name before.
const SERVER_GONE: Duration = Duration::from_secs(60 * 60);

/// How often a log is looked after that nobody adds to.
const UPKEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// Those who get what is in such logs.
pub(super) struct EndedLogs {
    pub(super) logs: NamedLogs,
    pub(super) folder: AuditFolder,
    pub(super) clock: Arc<dyn LogClock>,
    /// Where findings are recorded.
    pub(super) audit: Audit,
    pub(super) deliveries: Deliveries,
    pub(super) suspicions: Suspicions,
    pub(super) verified: EndedVerifications,
    /// How long what lies beside their entries stays there.
    pub(super) ages: Retention,
}

/// What is known of them.
#[derive(Debug, Default)]
struct Seen {
    journals: BTreeMap<String, Journal>,
    /// When each was looked after, by the clock that is never set.
    looked_after: BTreeMap<String, Duration>,
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
    Index(#[from] PublishedError),
    #[error(transparent)]
    Fill(#[from] FillError),
    #[error(transparent)]
    Retain(#[from] EraseError),
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
}

impl EndedLogs {
    async fn journal(&self, name: &str) -> Journal {
        let folder = self.logs.folder().join(name);
        let looking = spawn_blocking(move || journal(&folder));
        looking.await.unwrap_or_default()
    }

    /// Looks at them once a minute, until it is dropped.
    pub(super) async fn follow(self) {
        let (mut seen, mut sooner) = (Seen::default(), SOON);
        loop {
            let all = TASK.run(self.look(&mut seen)).await;
            sooner = if all { SOON } else { (sooner * 2).min(EVERY) };
            sleep(if all { EVERY } else { sooner }).await;
        }
    }

    /// Gives whether all of them were.
    async fn look(&self, seen: &mut Seen) -> bool {
        let (folder, own) = (self.logs.folder().to_owned(), self.folder.own().to_owned());
        // A folder that cannot be listed has been told of by who opened the log in it.
        let names = spawn_blocking(move || names(&folder, &own))
            .await
            .unwrap_or_default();
        let mut all = true;
        for name in names {
            let (journal, now) = (self.journal(&name).await, self.clock.monotonic());
            let is_due = |at: &Duration| now >= *at + UPKEEP;
            let is_due = seen.looked_after.get(&name).is_none_or(is_due);
            if seen.journals.get(&name) == Some(&journal) && !is_due {
                continue;
            }
            if AuditNode::of_log(&name) == AuditNode::Server && !self.is_old(&journal) {
                continue;
            }
            match self.look_at(&name, is_due).await {
                Ok(true) => {
                    let journal = self.journal(&name).await;
                    seen.journals.insert(name.clone(), journal);
                }
                Ok(false) => {
                    all = false;
                    continue;
                }
                Err(error) => {
                    tell(&name, &error);
                    continue;
                }
            }
            if is_due {
                seen.looked_after.insert(name.clone(), now);
                if let Err(error) = self.verify(&name).await {
                    tell(&name, &error);
                }
            }
        }
        all
    }

    /// Whether nothing was written for so long that its process is not just being started again.
    fn is_old(&self, journal: &Journal) -> bool {
        let now = self.clock.wall();
        let since = |written: SystemTime| now.duration_since(written).unwrap_or_default();
        let times = journal.iter().filter_map(|(_, written)| *written);
        times.max().is_some_and(|last| since(last) >= SERVER_GONE)
    }

    /// Looks at one that nobody has. Gives whether that was all of it.
    async fn look_at(&self, name: &str, is_due: bool) -> Result<bool, EndedError> {
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
            if is_due {
                self.audit.retain_in(&*log, &self.ages).await?;
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

/// The names of the logs of other processes.
fn names(folder: &Path, own: &str) -> Vec<String> {
    let listed = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = listed.filter_map(|entry| entry.file_name().into_string().ok());
    let is_of_another = |name: &String| is_log_name(name) && name != DATABASE && name != own;
    let mut names: Vec<_> = names.filter(is_of_another).collect();
    names.sort_unstable();
    names
}

fn tell(log: &str, error: &EndedError) {
    tracing::warn!(
        log,
        error = error as &dyn Error,
        "what a process has recorded that has ended was not delivered, looked at, archived or verified, and is tried again"
    );
}

#[cfg(test)]
mod tests {
    use portcullis_audit_log::{
        clock::SystemClock,
        event::{
            Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Id, Stamp,
            Timestamp,
        },
        note::{KeyName, SigningKey},
        store::{FileStore, Group},
    };
    use portcullis_versioned_secrets::VersionedSecrets;
    use secrecy::SecretBox;

    use super::*;
    use crate::config::ArchivePlace;

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

    /// Nobody has written the log for so long.
    fn age(all: &Path, name: &str, ago: Duration) {
        for file in fs::read_dir(all.join(name).join("journal")).unwrap() {
            let file = fs::File::options().write(true).open(file.unwrap().path());
            let then = SystemClock::new().wall() - ago;
            file.unwrap().set_modified(then).unwrap();
        }
    }

    /// The log of another server, with an entry and what lies beside it.
    async fn server(all: &Path, name: &str) {
        let clock: Arc<dyn LogClock> = Arc::new(SystemClock::new());
        let (_, store) = CurrentLog::open(&all.join(name), &clock).await.unwrap();
        let tenant = Id::constant("acme");
        let appending = store.lock(std::slice::from_ref(&tenant)).await.unwrap();
        let mut group = Group::new(appending.state());
        let actor = Actor::new(ActorType::ApiKey, Id::constant("kid"));
        let event = EventBuilder::new(tenant, Action::new("lead.read"), Activity::Read, actor);
        let time = Timestamp::from_unix_micros(1_767_225_600_000_000).unwrap();
        let (id, node) = (EventId::new(time, [7; 10]), Id::constant("server-2"));
        let event = event.build(Stamp::new(id, time, Delivery::Must, node));
        group.push(&event.unwrap(), Some(vec![7])).unwrap();
        appending.commit(&group).await.unwrap();
        store.close().await.unwrap();
    }

    async fn part(all: &Path, name: &str) -> Option<Vec<u8>> {
        let store = FileStore::builder(&all.join(name)).open().await.unwrap();
        let (part, size) = (
            store.personal(0).await.unwrap(),
            store.size().await.unwrap(),
        );
        assert_eq!(size, 1, "entries stay");
        store.close().await.unwrap();
        part
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_lies_beside_the_log_of_a_server_that_is_gone_goes_and_of_one_that_is_back_soon_stays()
     {
        let folder = tempfile::tempdir().unwrap();
        let [all, place] = ["audit", "archive"].map(|name| folder.path().join(name));
        fs::create_dir(&place).unwrap();
        for name in ["server-2", "server-3", "server-4"] {
            server(&all, name).await;
        }
        let (audit, _, writing) = opened(&all.join("server")).await;
        let writing = tokio::spawn(writing);
        let clock: Arc<dyn LogClock> = Arc::new(SystemClock::new());
        let (deliveries, _) = Deliveries::new(&[], audit.store(), Arc::clone(&clock)).unwrap();
        let secrets = VersionedSecrets::single(SecretBox::new(Box::new([7; 32])));
        let ages = |is_held| Retention::default().personal(Duration::ZERO).held(is_held);
        let mut ended = EndedLogs {
            logs: NamedLogs::of_files(&all, ArchivePlace::Folder(place), secrets),
            folder: AuditFolder::new(all.clone(), "server".to_owned()),
            clock,
            audit: audit.clone(),
            deliveries,
            suspicions: Suspicions::default(),
            verified: EndedVerifications::default(),
            ages: ages(true),
        };
        let running = FileStore::builder(&all.join("server-4"));
        let running = running.open().await.unwrap();
        for name in ["server-2", "server-4"] {
            age(&all, name, SERVER_GONE);
        }
        // One that runs is asked again soon; under a hold all stays.
        assert!(!ended.look(&mut Seen::default()).await);
        running.close().await.unwrap();
        for name in ["server-2", "server-3", "server-4"] {
            assert!(part(&all, name).await.is_some(), "{name}");
        }
        ended.ages = ages(false);
        // It was opened, and so written.
        age(&all, "server-2", SERVER_GONE);
        age(&all, "server-3", SERVER_GONE - EVERY);
        assert!(ended.look(&mut Seen::default()).await);
        assert_eq!(part(&all, "server-2").await, None);
        assert!(part(&all, "server-3").await.is_some());
        audit.close();
        writing.await.unwrap();
    }
}
