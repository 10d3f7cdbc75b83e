//! A log that is not the one its anchors know, and the one that follows when that is accepted.

use std::{
    error::Error,
    io, iter,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::{
    anchor::{Anchor, FileAnchor},
    audit::{AcceptError, Audit, AuditBuilder, Generation, LogTree, OpenError},
    clock::Clock as LogClock,
    note::{KeyName, SignedNote, VerifyingKey},
    source::CHECKPOINT_PATH,
    store::{FileStoreError, MemoryStore, Store},
};
use tokio::task::spawn_blocking;

use super::{
    AuditClock, AuditOpenError, NamedLogError, NamedLogs,
    keys::{signing_keys, verifying_keys},
    named::database_failed,
};
use crate::{
    audit::{CurrentLog, DATABASE, DatabaseLog, KeptLog, LockFile, log_name},
    backend::Backend,
    clock::Clock,
};

/// A log that its anchors know as another or a later one, a damaged one, or one whose key is lost. Nobody else opens it meanwhile.
pub(crate) struct ForeignLog {
    current: Arc<CurrentLog>,
    base: KeyName,
    found: Found,
    held: Held,
}

/// What was found out about a log and its anchors.
struct Found {
    next: Generation,
    known: LogTree,
    kept: LogTree,
    /// What is damaged, and where, or which key is missing.
    damage: Option<String>,
    keys: Vec<VerifyingKey>,
}

/// A log that nobody else has.
struct Alone {
    current: CurrentLog,
    store: Arc<dyn Store>,
    held: Held,
    damage: Option<String>,
}

/// The tree of a log, under the name that it has.
#[derive(Debug)]
pub(crate) struct LogTreeNamed {
    pub(crate) origin: String,
    pub(crate) tree: LogTree,
}

/// What keeps others away from a log.
enum Held {
    Store(KeptLog),
    /// Of one that does not open.
    Lock(LockFile),
}

impl Held {
    async fn release(self) {
        match self {
            // Nothing was written by it.
            Self::Store(kept) => drop(kept.close().await),
            Self::Lock(lock) => drop(lock),
        }
    }
}

impl NamedLogs {
    /// The log in the folder of that name, if an anchor knows another one, if it is damaged or its end was cut, or if no
    /// key that is configured has signed it: of that the checkpoint that it has published tells what there was. Nothing is changed.
    ///
    /// # Errors
    /// [`NamedLogError`], as `Accept` if there is nothing to accept or an anchor does not answer.
    pub(crate) async fn foreign(
        &self,
        backend: &Backend,
        name: &str,
        clock: &Arc<dyn Clock>,
    ) -> Result<ForeignLog, NamedLogError> {
        let folder = self.existing(name)?;
        let log_clock: Arc<dyn LogClock> = Arc::new(AuditClock(Arc::clone(clock)));
        let base = self.origin_of(name)?;
        let Alone {
            current,
            store,
            held,
            damage,
        } = self.alone(&folder, name, &log_clock).await?;
        let found = async {
            let asked = self.anchors(backend, name, &base, current.generation(), &store)?;
            self.compared(name, &base, &current, store, damage, asked)
                .await
        };
        match found.await {
            Ok(found) => Ok(ForeignLog {
                current: Arc::new(current),
                base,
                found,
                held,
            }),
            Err(error) => {
                held.release().await;
                Err(error)
            }
        }
    }

    /// The log, while nobody else has it open; an empty store of one that is damaged.
    async fn alone(
        &self,
        folder: &Path,
        name: &str,
        clock: &Arc<dyn LogClock>,
    ) -> Result<Alone, NamedLogError> {
        if name == DATABASE {
            let log = DatabaseLog::open_alone(folder).await;
            let log = log.map_err(|error| database_failed(folder.to_owned(), error))?;
            let current = log.current().clone();
            return Ok(Alone::whole(current, KeptLog::Database(Arc::new(log))));
        }
        let failed = |error| AuditOpenError::Store {
            folder: folder.to_owned(),
            error,
        };
        match CurrentLog::open(folder, clock).await {
            Ok((current, store)) => Ok(Alone::whole(current, KeptLog::Files(Arc::new(store)))),
            Err(FileStoreError::InUse { .. }) => Err(NamedLogError::InUse),
            Err(error) if error.is_damage() => {
                let current = CurrentLog::of(folder).map_err(failed)?;
                let lock = lock(&current.folder())?;
                Ok(Alone {
                    current,
                    store: Arc::new(MemoryStore::new()),
                    held: Held::Lock(lock),
                    damage: Some(told(&error)),
                })
            }
            Err(error) => Err(failed(error).into()),
        }
    }

    async fn compared(
        &self,
        name: &str,
        base: &KeyName,
        current: &CurrentLog,
        store: Arc<dyn Store>,
        mut damage: Option<String>,
        asked: Vec<Arc<dyn Anchor>>,
    ) -> Result<Found, NamedLogError> {
        let generation = current.generation();
        let builder = || -> Result<AuditBuilder, AuditOpenError> {
            let mut builder = Audit::builder(Arc::clone(&store), base.clone(), log_name(name));
            builder = builder.generation(generation.clone());
            for key in signing_keys(base, &self.secrets)? {
                builder = builder.key(key);
            }
            let asked = asked.iter().cloned();
            Ok(asked.fold(builder, AuditBuilder::anchor))
        };
        let (mut next, mut is_key_lost) = (None, false);
        if damage.is_none() {
            match builder()?.accept_rollback().await {
                Err(error) if error.is_damage() => {
                    is_key_lost = matches!(error, AcceptError::Open(OpenError::UnknownKey(_)));
                    damage = Some(damage_of(&error));
                }
                accepted => next = Some(accepted?),
            }
        }
        let next = match next {
            Some(next) => next,
            None => {
                let published = published(current, &*store).await;
                builder()?.accept_damage(published.as_ref()).await?
            }
        };
        let origin = generation.origin(base).map_err(AuditOpenError::from)?;
        let mut keys = verifying_keys(&origin, &self.secrets).map_err(AuditOpenError::from)?;
        if is_key_lost {
            keys.clear();
        }
        let accepted = next.accepted().ok_or(AcceptError::NothingToAccept)?;
        let (known, kept) = (accepted.known, accepted.kept);
        Ok(Found {
            next,
            known,
            kept,
            damage,
            keys,
        })
    }
}

impl ForeignLog {
    /// The largest tree that an anchor knows.
    pub(crate) fn known(&self) -> LogTreeNamed {
        self.named(self.found.known)
    }

    /// What is damaged, and where, if it is.
    pub(crate) fn damage(&self) -> Option<&str> {
        self.found.damage.as_deref()
    }

    /// What is there, and stays; of a damaged log, what it has published.
    pub(crate) fn kept(&self) -> LogTreeNamed {
        self.named(self.found.kept)
    }

    /// What that is verified with; nothing if its key is lost.
    pub(crate) fn keys(&self) -> &[VerifyingKey] {
        &self.found.keys
    }

    /// Where that is.
    pub(crate) fn folder(&self) -> PathBuf {
        self.current.folder()
    }

    /// Makes the log that follows the one that is written from the next start on. Gives its origin and its folder.
    ///
    /// # Errors
    /// [`AuditOpenError`]; the log before is still the one that is written, unless only the last sync failed.
    pub(crate) async fn accept(&self) -> Result<(String, PathBuf), AuditOpenError> {
        let (current, next) = (Arc::clone(&self.current), self.found.next.clone());
        let begun = spawn_blocking(move || current.begin(&next)).await;
        let begun = begun.map_err(|_| AuditOpenError::Folder {
            folder: self.folder(),
            kind: io::ErrorKind::Other,
        })?;
        let begun = begun.map_err(|error| AuditOpenError::Store {
            folder: self.folder(),
            error,
        })?;
        let origin = begun.generation().origin(&self.base)?;
        Ok((origin.to_string(), begun.folder()))
    }

    /// Lets others at it.
    pub(crate) async fn release(self) {
        self.held.release().await;
    }

    fn named(&self, tree: LogTree) -> LogTreeNamed {
        let origin = match tree.generation {
            NonZeroU32::MIN => self.base.to_string(),
            number => format!("{}/{number}", self.base),
        };
        LogTreeNamed { origin, tree }
    }
}

impl Alone {
    fn whole(current: CurrentLog, kept: KeptLog) -> Self {
        Self {
            current,
            store: kept.store(),
            held: Held::Store(kept),
            damage: None,
        }
    }
}

/// What the log has published, as far as that can be read.
async fn published(current: &CurrentLog, store: &dyn Store) -> Option<SignedNote> {
    if let Ok(Some(published)) = store.checkpoint().await {
        return Some(published);
    }
    let file = current.folder().join("log").join(CHECKPOINT_PATH);
    let published = FileAnchor::new("published", file).latest().await;
    published.ok().flatten()
}

/// Why a log is no whole one, as who runs the service can say it.
fn damage_of(error: &AcceptError) -> String {
    match error {
        AcceptError::Open(OpenError::UnknownKey(found)) => format!(
            "its checkpoint is signed by {}, which is no version of PORTCULLIS_AUDIT_KEYS: put that back if it is not lost",
            found.signed_by
        ),
        error => told(error),
    }
}

/// What an error says, with what is behind it.
fn told(error: &dyn Error) -> String {
    let behind = iter::successors(error.source(), |error| (*error).source());
    behind.fold(error.to_string(), |told, error| format!("{told}: {error}"))
}

/// Takes the lock that a store would have.
fn lock(folder: &Path) -> Result<LockFile, NamedLogError> {
    let lock = LockFile::alone(&folder.join("lock"));
    let lock = lock.map_err(|error| AuditOpenError::Folder {
        folder: folder.to_owned(),
        kind: error.kind(),
    })?;
    lock.ok_or(NamedLogError::InUse)
}
