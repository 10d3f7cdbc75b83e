//! Events and leads in one SQLite file that several processes may share.

mod audit;
mod checks;
mod connection;
mod event_hash;
mod events;
mod failure;
mod file;
mod lead_reads;
mod lead_sql;
mod leads;
mod marker;
mod open;
mod policies;
mod remembered;
mod sealed_refs;
mod seen_events;
mod sink;
mod transaction;
mod trial;
mod writer_thread;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use portcullis_keyring::TenantId;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use self::{
    failure::Failure, file::OpenedFile, marker::Marker, seen_events::SeenEvents, sink::SqliteSink,
    transaction::WriteTransaction,
};
use super::{
    AuditEntry, AuditQuery, IndexedLead, Owner, SecretCheck, Store, StoreError, WriteGroups,
};
use crate::lead::{LeadColumn, LeadId, LeadRecord};

pub(crate) use self::remembered::remembered_secrets;

/// The file, through a thread that writes groups and a pool of reading connections.
#[derive(Debug, Clone)]
pub(crate) struct SqliteStore {
    path: PathBuf,
    file: OpenedFile,
    marker: Marker,
    // Whose turn it is to write: SQLite gives the lock to the one that asks at the right moment, and
    // who writes seldom would wait for ever beside the writer of groups.
    turn: Arc<Mutex<()>>,
    readers: SqlitePool,
    // Apart, so that who waits there for the write lock holds up nobody who reads here.
    data_keys: SqlitePool,
    api_keys: SqlitePool,
    // What is written seldom. One connection, so that trials never crowd out what they are about.
    seldom: SqlitePool,
    // Waits for other processes that start too.
    opening: SqlitePool,
}

const READERS: u32 = 4;

/// How long what a request asks for waits: a busy one for another process's transaction, and all of
/// it together less than the two seconds in which a request is answered.
const WRITER_BUSY: Duration = Duration::from_millis(1_500);
// Short, so that the writer never waits long for its turn; it is asked again.
const SELDOM_BUSY: Duration = Duration::from_millis(250);
const SELDOM_BEGIN: Duration = Duration::from_millis(1_800);
const READER_ACQUIRE: Duration = Duration::from_millis(1_500);
const KEYS_BUSY: Duration = Duration::from_millis(1_200);
const KEYS_ACQUIRE: Duration = Duration::from_millis(600);

impl SqliteStore {
    /// Opens the file, creating it if needed, and brings its schema up to date.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        let marker = Marker::of(path);
        marker.check_file()?;
        open::make(path)?;
        let options = open::options(path);
        open::switch_to_wal(&options).await?;
        let file = OpenedFile::at(path).map_err(|error| StoreError::Unavailable(error.into()))?;
        let waiting = |busy| options.clone().busy_timeout(busy);
        let keys = || pool(waiting(KEYS_BUSY), READERS, KEYS_ACQUIRE);
        let store = Self {
            path: path.to_owned(),
            file,
            marker,
            turn: Arc::default(),
            readers: pool(waiting(KEYS_BUSY), READERS, READER_ACQUIRE),
            data_keys: keys(),
            api_keys: keys(),
            seldom: pool(waiting(SELDOM_BUSY), 1, SELDOM_BEGIN),
            opening: opening_pool(options),
        };
        let mut opening = store.opening.acquire().await.map_err(Failure::from)?;
        let remembers_secrets = checks::any(&mut opening).await?;
        drop(opening);
        store.marker.check_tables(remembers_secrets)?;
        open::migrate(&store.opening).await?;
        hash_earlier_events(path).await?;
        // A connection is open from now to the end.
        let noted = store.file.note_log();
        noted.map_err(|error| StoreError::Unavailable(error.into()))?;
        Ok(store)
    }

    /// Connections for the store of data keys.
    pub(crate) fn data_key_pool(&self) -> SqlitePool {
        self.data_keys.clone()
    }

    /// Connections for the store of API keys.
    pub(crate) fn api_key_pool(&self) -> SqlitePool {
        self.api_keys.clone()
    }

    /// Connections for what is done once, before requests come: they wait longer.
    pub(crate) fn opening_pool(&self) -> SqlitePool {
        self.opening.clone()
    }

    /// Closes every connection; the last one to close folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        for pool in [
            &self.opening,
            &self.seldom,
            &self.api_keys,
            &self.data_keys,
            &self.readers,
        ] {
            pool.close().await;
        }
    }

    /// Begins to write what is written seldom.
    async fn begin(&self) -> Result<(WriteGuard, WriteTransaction), Failure> {
        let begun = async {
            loop {
                let turn = Arc::clone(&self.turn).lock_owned().await;
                match WriteTransaction::begin(&self.seldom).await {
                    Ok(tx) => return Ok((turn, tx)),
                    Err(error) if failure::code(&error) == Some(failure::BUSY) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        };
        let begun = timeout(SELDOM_BEGIN, begun).await;
        begun.map_err(|_| StoreError::Busy)?
    }
}

/// Takes seconds where an earlier version left a million events.
async fn hash_earlier_events(path: &Path) -> Result<(), Failure> {
    let path = path.to_owned();
    let hashing = tokio::task::spawn_blocking(move || {
        let connection = connection::open_writing(&path, open::OPENING_TIMEOUT)?;
        SeenEvents::hash_earlier(&connection)
    });
    let hashed = hashing.await;
    hashed.map_err(|error| StoreError::Unavailable(error.into()))?
}

/// The right to write, as far as this process is concerned.
type WriteGuard = OwnedMutexGuard<()>;

fn pool(options: SqliteConnectOptions, connections: u32, acquire: Duration) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(connections)
        // All of them are open all the time: another one needs file descriptors, and there may be
        // none.
        .min_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(acquire)
        .connect_lazy_with(options)
}

fn opening_pool(options: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(open::OPENING_TIMEOUT)
        .connect_lazy_with(options)
}

#[async_trait]
impl Store for SqliteStore {
    async fn write_groups(&self, groups: WriteGroups) {
        let turn = Arc::clone(&self.turn);
        let sink = SqliteSink::new(self.path.clone(), self.file.clone(), turn);
        writer_thread::run(sink, groups).await;
    }

    async fn lead(&self, tenant: &TenantId, id: LeadId) -> Result<Option<LeadRecord>, StoreError> {
        Ok(lead_reads::by_id(&self.readers, tenant, id).await?)
    }

    async fn leads_by_index(
        &self,
        tenant: &TenantId,
        column: &LeadColumn,
        values: &[&[u8]],
        after: Option<LeadId>,
        limit: u32,
    ) -> Result<Vec<IndexedLead>, StoreError> {
        let found = lead_reads::by_index(&self.readers, tenant, column, values, after, limit);
        Ok(found.await?)
    }

    async fn owners(
        &self,
        tenant: &TenantId,
        column: &LeadColumn,
        fingerprints: &[&[u8]],
    ) -> Result<HashMap<Vec<u8>, Owner>, StoreError> {
        Ok(lead_reads::owners(&self.readers, tenant, column, fingerprints).await?)
    }

    async fn secret_checks(&self) -> Result<Vec<SecretCheck>, StoreError> {
        Ok(checks::all(&self.readers).await?)
    }

    async fn remember_secrets(&self, checks: &[SecretCheck]) -> Result<(), StoreError> {
        checks::remember(&self.opening, checks).await?;
        self.marker.leave()
    }

    async fn enforced_index(&self, version: u16) -> Result<u16, StoreError> {
        Ok(checks::enforced_index(&self.opening, version).await?)
    }

    async fn audit_events(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(audit::find(&self.readers, query).await?)
    }

    async fn limits(&self) -> Result<Option<String>, StoreError> {
        Ok(policies::limits(&self.readers).await?)
    }

    async fn remember_limits(&self, policies: &str) -> Result<(), StoreError> {
        let (_turn, mut tx) = self.begin().await?;
        policies::write_limits(&mut tx, policies).await?;
        tx.commit().await.map_err(Failure::from)?;
        Ok(self.file.verify()?)
    }

    async fn detection(&self) -> Result<Option<String>, StoreError> {
        Ok(policies::detection(&self.readers).await?)
    }

    async fn remember_detection(&self, policy: &str) -> Result<(), StoreError> {
        let (_turn, mut tx) = self.begin().await?;
        policies::write_detection(&mut tx, policy).await?;
        tx.commit().await.map_err(Failure::from)?;
        Ok(self.file.verify()?)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.file.verify()?;
        sqlx::query("SELECT 1 FROM secret_check LIMIT 1")
            .fetch_optional(&self.readers)
            .await
            .map_err(|error| trial::failed("secret_check", error))?;
        Ok(())
    }

    async fn check(&self) -> Result<(), StoreError> {
        match self.begin().await {
            Ok((_turn, tx)) => trial::run(tx).await,
            // Another process writes: the database works.
            Err(Failure::Store(StoreError::Busy)) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }
}

#[cfg(test)]
mod tests;
