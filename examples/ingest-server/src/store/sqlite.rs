//! Events and leads in one SQLite file that several processes may share.

mod at_work;
mod audit_anchors;
mod busy;
mod checks;
mod connection;
mod earlier_audit;
mod erasure;
mod event_hash;
mod events;
mod failure;
mod file;
mod group_checks;
mod index_states;
mod lead_reads;
mod lead_sql;
mod leads;
mod log;
mod log_database;
mod marker;
mod notes;
mod old_rows;
mod open;
mod page;
mod policies;
mod readers;
mod remembered;
mod sealed_refs;
mod sealed_rows;
mod seen_events;
mod shredding;
mod sink;
mod slo_history;
mod sweeping;
mod sweeps;
mod transaction;
mod trial;
mod turn;
mod unique_fields;
mod upgrade;
mod writer_thread;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use portcullis_keyring::TenantId;
use portcullis_pii_crypto::IndexState;
use rusqlite::Connection;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use self::{
    failure::Failure, file::OpenedFile, marker::Marker, readers::Readers, sink::SqliteSink,
    sweeps::Sweeps, transaction::WriteTransaction,
};
use super::{
    EarlierEntry, EarlierQuery, IndexedLead, KnownLeads, PolicyKind, SecretCheck, Store,
    StoreError, WriteGroups,
};
use crate::{
    clock::SystemClock,
    lead::{LeadColumn, LeadId, LeadRecord},
};

pub(crate) use self::{
    log_database::LogDatabase,
    remembered::{check_unique, noted_erasures, reading_if_it_has, remembered},
    slo_history::SqliteSloHistory,
    turn::{WriteTurn, WriteTurns},
};

/// The file, through a thread that writes groups and some that read.
#[derive(Debug, Clone)]
pub(crate) struct SqliteStore {
    path: PathBuf,
    file: OpenedFile,
    marker: Marker,
    turns: WriteTurns,
    readers: Arc<Readers>,
    sweeps: Sweeps,
    // Apart, so that a long look at rows holds up nobody who says that he is at it.
    notes: Sweeps,
    // Apart, so that who waits there for the write lock holds up nobody who reads here.
    data_keys: SqlitePool,
    api_keys: SqlitePool,
    // For the one that follows revocations: who writes never keeps it waiting.
    feed: SqlitePool,
    // Read and written by what is kept of data quality and of objectives alone, whose reports look at many rows.
    history: SqlitePool,
    // What is written seldom. One connection, so that trials never crowd out what they are about.
    seldom: SqlitePool,
    // Waits for other processes that start too.
    opening: SqlitePool,
}

const KEYS_CONNECTIONS: u32 = 4;

/// One reads the changes; a reading that was given up may still have the other.
const FEED_CONNECTIONS: u32 = 2;

/// Each of both histories writes on one; a report may have the third.
const HISTORY_CONNECTIONS: u32 = 3;

/// How long a connection is waited for.
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
        let opening = opening_pool(options.clone());
        let mut connection = opening.acquire().await.map_err(Failure::from)?;
        let remembers_secrets = checks::any(&mut connection).await?;
        drop(connection);
        marker.check_tables(remembers_secrets)?;
        open::check_build(&opening).await?;
        upgrade::upgrade(&opening, path).await?;
        // A connection is open from now to the end.
        let readers = Arc::new(Readers::open(path)?);
        let noted = file.note_log();
        noted.map_err(|error| StoreError::Unavailable(error.into()))?;
        let options = options.busy_timeout(turn::BUSY);
        let turns = WriteTurns::default();
        Ok(Self {
            path: path.to_owned(),
            sweeps: Sweeps::of(
                path.to_owned(),
                file.clone(),
                turns.clone(),
                Arc::new(SystemClock),
            ),
            notes: Sweeps::of(
                path.to_owned(),
                file.clone(),
                turns.clone(),
                Arc::new(SystemClock),
            ),
            file,
            marker,
            turns,
            readers,
            data_keys: pool(options.clone(), KEYS_CONNECTIONS),
            api_keys: pool(options.clone(), KEYS_CONNECTIONS),
            feed: pool(options.clone(), FEED_CONNECTIONS),
            history: pool(options.clone(), HISTORY_CONNECTIONS),
            seldom: pool(options, 1),
            opening,
        })
    }

    /// Connections for the store of data keys.
    pub(crate) fn data_key_pool(&self) -> SqlitePool {
        self.data_keys.clone()
    }

    /// Connections for the store of API keys.
    pub(crate) fn api_key_pool(&self) -> SqlitePool {
        self.api_keys.clone()
    }

    /// Connections for reading the changes of API keys, which nothing else is to use.
    pub(crate) fn feed_pool(&self) -> SqlitePool {
        self.feed.clone()
    }

    /// Connections for the history of data quality.
    pub(crate) fn history_pool(&self) -> SqlitePool {
        self.history.clone()
    }

    /// The history of objectives.
    pub(crate) fn slo_history(&self) -> SqliteSloHistory {
        SqliteSloHistory::new(self.history.clone(), self.turns(), self.file.clone())
    }

    /// Connections for what is done once, before requests come: they wait longer.
    pub(crate) fn opening_pool(&self) -> SqlitePool {
        self.opening.clone()
    }

    /// Closes every connection; the last one to close folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.sweeps.close().await;
        self.notes.close().await;
        // The last has one connection: of two that close at once, each may see the other and fold nothing.
        for pool in [
            &self.opening,
            &self.api_keys,
            &self.feed,
            &self.data_keys,
            &self.history,
            &self.seldom,
        ] {
            pool.close().await;
        }
    }

    /// Whose turn it is to write beside the writer of groups.
    pub(crate) fn turns(&self) -> WriteTurns {
        self.turns.clone()
    }
}

fn owned(values: &[&[u8]]) -> Vec<Vec<u8>> {
    values.iter().map(|value| value.to_vec()).collect()
}

fn pool(options: SqliteConnectOptions, connections: u32) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(connections)
        // All of them are open all the time: another one needs file descriptors, and there may be
        // none.
        .min_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(KEYS_ACQUIRE)
        .connect_lazy_with(options)
}

fn opening_pool(options: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(KEYS_CONNECTIONS)
        .acquire_timeout(open::OPENING_TIMEOUT)
        .connect_lazy_with(options)
}

#[async_trait]
impl Store for SqliteStore {
    async fn write_groups(&self, groups: WriteGroups) {
        let (path, file, turns) = (self.path.clone(), self.file.clone(), self.turns.clone());
        writer_thread::run(|| SqliteSink::open(path, file, turns), groups).await;
    }

    async fn lead(&self, tenant: &TenantId, id: LeadId) -> Result<Option<LeadRecord>, StoreError> {
        let tenant = tenant.clone();
        let read = move |connection: &_| lead_reads::by_id(connection, &tenant, id);
        Ok(self.readers.read(read).await?)
    }

    async fn leads_by_index(
        &self,
        tenant: &TenantId,
        column: &'static LeadColumn,
        values: &[&[u8]],
        after: Option<LeadId>,
        limit: u32,
    ) -> Result<Vec<IndexedLead>, StoreError> {
        let (tenant, values) = (tenant.clone(), owned(values));
        let read = move |connection: &_| {
            lead_reads::by_index(connection, &tenant, column, &values, after, limit)
        };
        Ok(self.readers.read(read).await?)
    }

    async fn leads_by_parts(
        &self,
        tenant: &TenantId,
        column: &'static LeadColumn,
        values: &[&[u8]],
        after: Option<LeadId>,
        limit: u32,
    ) -> Result<Vec<IndexedLead>, StoreError> {
        let (tenant, values) = (tenant.clone(), owned(values));
        let read = move |connection: &_| {
            lead_reads::by_parts(connection, &tenant, column, &values, after, limit)
        };
        Ok(self.readers.read(read).await?)
    }

    async fn known_leads(
        &self,
        tenant: &TenantId,
        column: &'static LeadColumn,
        fingerprints: &[&[u8]],
        ids: &[LeadId],
    ) -> Result<KnownLeads, StoreError> {
        let tenant = tenant.clone();
        let (fingerprints, ids) = (owned(fingerprints), ids.to_vec());
        let read = move |connection: &_| {
            lead_reads::known(connection, &tenant, column, fingerprints, &ids)
        };
        Ok(self.readers.read(read).await?)
    }

    async fn secret_checks(&self) -> Result<Vec<SecretCheck>, StoreError> {
        Ok(checks::all(&self.opening).await?)
    }

    async fn remember_secrets(&self, checks: &[SecretCheck]) -> Result<(), StoreError> {
        checks::remember(&self.opening, checks).await?;
        self.marker.leave()
    }

    async fn secret_first_used(
        &self,
        secret: &'static str,
        version: u32,
    ) -> Result<Option<SystemTime>, StoreError> {
        let read = move |connection: &_| checks::first_used(connection, secret, version);
        Ok(self.readers.read(read).await?)
    }

    async fn enforced_index(&self, version: u16) -> Result<u16, StoreError> {
        Ok(checks::enforced_index(&self.opening, version).await?)
    }

    async fn index_state(&self) -> Result<IndexState, StoreError> {
        Ok(self.readers.read(checks::index_state).await?)
    }

    async fn earlier_audit_events(
        &self,
        query: &EarlierQuery,
    ) -> Result<Vec<EarlierEntry>, StoreError> {
        let query = query.clone();
        let read = move |connection: &_| earlier_audit::find(connection, &query);
        Ok(self.readers.read(read).await?)
    }

    async fn policy(&self, kind: PolicyKind) -> Result<Option<String>, StoreError> {
        let read = move |connection: &_| policies::find(connection, kind);
        Ok(self.readers.read(read).await?)
    }

    async fn remember_policy(&self, kind: PolicyKind, text: &str) -> Result<(), StoreError> {
        let replace = || {
            let statement = sqlx::query(policies::replacing(kind));
            statement.bind(text).execute(&self.seldom)
        };
        self.turns.write(replace).await.map_err(Failure::from)?;
        Ok(self.file.verify()?)
    }

    async fn audit_anchor(&self, origin: &str) -> Result<Option<String>, StoreError> {
        let origin = origin.to_owned();
        let read = move |connection: &_| audit_anchors::find(connection, &origin);
        Ok(self.readers.read(read).await?)
    }

    async fn replace_audit_anchor(
        &self,
        origin: &str,
        before: Option<&str>,
        checkpoint: &str,
    ) -> Result<bool, StoreError> {
        let replace = || audit_anchors::replace(&self.seldom, origin, before, checkpoint);
        let replaced = self.turns.write(replace).await.map_err(Failure::from)?;
        self.file.verify()?;
        Ok(replaced.rows_affected() > 0)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let file = self.file.clone();
        let read = move |connection: &Connection| {
            file.verify().map_err(StoreError::from)?;
            let read = connection
                .prepare_cached("SELECT 1 FROM secret_check LIMIT 1")
                .and_then(|mut select| select.exists([]));
            read.map_err(|error| trial::failed("secret_check", error))?;
            Ok(())
        };
        Ok(self.readers.read(read).await?)
    }

    async fn check(&self) -> Result<(), StoreError> {
        let begin = || WriteTransaction::begin(&self.seldom);
        // The turn ends here, and the lock of SQLite goes on.
        match self.turns.write(begin).await {
            Ok(tx) => trial::run(tx).await,
            // Another process writes: the database works.
            Err(error) if failure::code(&error) == Some(failure::BUSY) => Ok(()),
            Err(error) => Err(Failure::from(error).into()),
        }
    }
}

#[cfg(test)]
mod tests;
