//! Events and leads in one SQLite file that several processes may share.

mod audit;
mod checks;
mod events;
mod failure;
mod file;
mod lead_sql;
mod leads;
mod marker;
mod open;
mod policies;
mod remembered;
mod sealed_refs;
mod transaction;
mod trial;

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

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

use self::{failure::Failure, file::OpenedFile, marker::Marker, transaction::WriteTransaction};
use super::{
    AuditEntry, AuditEvent, AuditQuery, IndexedLead, Owner, Receipt, SecretCheck, Store,
    StoreError, Write,
};
use crate::lead::{LeadColumn, LeadId, LeadRecord};

pub(crate) use self::remembered::remembered_secrets;

/// The file, through one writing connection and a pool of reading ones.
#[derive(Debug, Clone)]
pub(crate) struct SqliteStore {
    file: OpenedFile,
    marker: Marker,
    writer: SqlitePool,
    // The audit log's, which takes turns with the writer.
    audit: SqlitePool,
    turn: Arc<Mutex<()>>,
    readers: SqlitePool,
    // Apart, so that who waits there for the write lock holds up nobody who reads here.
    data_keys: SqlitePool,
    api_keys: SqlitePool,
    // One connection, so that trials never crowd out what they are about.
    trials: SqlitePool,
    // Waits for other processes that start too.
    opening: SqlitePool,
}

const READERS: u32 = 4;

/// How long what a request asks for waits: a busy one for another process's transaction, and all of
/// it together less than the two seconds in which a request is answered.
const WRITER_BUSY: Duration = Duration::from_millis(1_500);
const WRITER_BEGIN: Duration = Duration::from_millis(1_800);
// Short, so that the writer never waits long for its turn; the audit log asks again.
const AUDIT_BUSY: Duration = Duration::from_millis(250);
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
            file,
            marker,
            writer: pool(waiting(WRITER_BUSY), 1, WRITER_BEGIN),
            audit: pool(waiting(AUDIT_BUSY), 1, WRITER_BEGIN),
            turn: Arc::default(),
            readers: pool(waiting(KEYS_BUSY), READERS, READER_ACQUIRE),
            data_keys: keys(),
            api_keys: keys(),
            trials: pool(waiting(KEYS_BUSY), 1, KEYS_ACQUIRE),
            opening: opening_pool(options),
        };
        let mut opening = store.opening.acquire().await.map_err(Failure::from)?;
        let remembers_secrets = checks::any(&mut opening).await?;
        drop(opening);
        store.marker.check_tables(remembers_secrets)?;
        open::migrate(&store.opening).await?;
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
        let others = [
            &self.opening,
            &self.trials,
            &self.api_keys,
            &self.data_keys,
            &self.readers,
            &self.audit,
        ];
        for pool in others.into_iter().chain([&self.writer]) {
            pool.close().await;
        }
    }

    async fn begin(&self) -> Result<(WriteGuard, WriteTransaction), Failure> {
        let begun = async {
            let turn = Arc::clone(&self.turn).lock_owned().await;
            Ok((turn, WriteTransaction::begin(&self.writer).await?))
        };
        let begun = timeout(WRITER_BEGIN, begun).await;
        begun.map_err(|_| StoreError::Busy)?
    }

    /// The same for the audit log. SQLite gives the write lock to the one that asks at the right moment,
    /// so that one of two connections could wait for ever; they take turns in here.
    async fn begin_audit(&self) -> Result<(WriteGuard, WriteTransaction), Failure> {
        let begun = async {
            loop {
                let turn = Arc::clone(&self.turn).lock_owned().await;
                match WriteTransaction::begin(&self.audit).await {
                    Ok(tx) => return Ok((turn, tx)),
                    Err(error) if failure::code(&error) == Some(failure::BUSY) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        };
        let begun = timeout(WRITER_BEGIN, begun).await;
        begun.map_err(|_| StoreError::Busy)?
    }
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

/// What an ordinary group makes durable.
const TRIAL_BYTES: i64 = 1 << 20;

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, group: &[Write]) -> Result<Vec<Receipt>, StoreError> {
        let (_turn, mut tx) = self.begin().await?;
        let (mut receipts, earlier) = events::insert(&mut tx, group).await?;
        leads::apply(&mut tx, group, &mut receipts).await?;
        sealed_refs::write(&mut tx, group, &receipts).await?;
        tx.commit().await.map_err(Failure::from)?;
        // Durable in a file that is no longer the database is not durable.
        self.file.verify()?;
        Ok(events::settle_repeats(group, receipts, earlier))
    }

    async fn lead(&self, tenant: &TenantId, id: LeadId) -> Result<Option<LeadRecord>, StoreError> {
        Ok(leads::by_id(&self.readers, tenant, id).await?)
    }

    async fn leads_by_index(
        &self,
        tenant: &TenantId,
        column: &LeadColumn,
        values: &[&[u8]],
        after: Option<LeadId>,
        limit: u32,
    ) -> Result<Vec<IndexedLead>, StoreError> {
        let found = leads::by_index(&self.readers, tenant, column, values, after, limit);
        Ok(found.await?)
    }

    async fn owners(
        &self,
        tenant: &TenantId,
        column: &LeadColumn,
        fingerprints: &[&[u8]],
    ) -> Result<HashMap<Vec<u8>, Owner>, StoreError> {
        Ok(leads::owners(&self.readers, tenant, column, fingerprints).await?)
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

    async fn append_audit(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let (_turn, mut tx) = self.begin_audit().await?;
        audit::append(&mut tx, events).await?;
        tx.commit().await.map_err(Failure::from)?;
        Ok(self.file.verify()?)
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

    async fn try_writing(&self) -> Result<(), StoreError> {
        let (_turn, mut tx) = self.begin().await?;
        // Deleted pages are overwritten with zeros, so all of them reach the log.
        for statement in [
            "INSERT INTO secret_check VALUES ('', 0, zeroblob(?))",
            "DELETE FROM secret_check WHERE secret = '' AND length(value) = ?",
        ] {
            let trial = sqlx::query(statement).bind(TRIAL_BYTES);
            trial.execute(&mut *tx).await.map_err(Failure::from)?;
        }
        Ok(tx.commit().await.map_err(Failure::from)?)
    }

    async fn check(&self) -> Result<(), StoreError> {
        trial::run(&self.trials).await
    }
}

#[cfg(test)]
mod tests;
