//! The configured database, and the stores of the crates in it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_apikey_cache::{
    feed::ChangeFeed,
    store::{self as apikey_store, KeyStore, SqliteKeyStore},
};
use portcullis_dq_metrics::history::{HistoryError, QualityHistory, SqliteHistory};
use portcullis_keyring::store::{self as keyring_store, DekStore, SqliteDekStore};
use rustix::fs::Access;

use super::{
    feed_apart::FeedApart,
    grouped_keys::GroupedKeys,
    watched::{Watch, Watched},
};
use crate::{
    config, files,
    store::{
        Remembered, SloHistory, Store, StoreError,
        sqlite::{self, SqliteStore},
    },
};

/// An empty store in a folder, for tests of what is above stores.
#[cfg(test)]
pub(crate) async fn empty_store(folder: &Path) -> Arc<dyn Store> {
    let store = SqliteStore::open(&folder.join("test.db")).await;
    let store = store.expect("the folder is there");
    // Which tenants were erased stands beside the data keys.
    let data_keys = SqliteDekStore::new(store.opening_pool());
    data_keys.migrate().await.expect("the tables are new");
    Arc::new(store)
}

/// An opened database.
#[derive(Debug, Clone)]
pub(super) struct Database {
    kind: Kind,
    watch: Watch,
}

#[derive(Debug, Clone)]
enum Kind {
    Sqlite(SqliteStore),
}

/// The API keys, and what tells of their changes.
type ApiKeyStores = (Arc<dyn KeyStore>, Arc<dyn ChangeFeed>);

/// Their table, as `docs/formats.md` names it.
const API_KEYS: &str = "apikey_cache_api_key";

/// Likewise.
const DATA_KEYS: &str = "keyring_data_key";

/// The database cannot be opened or brought up to date.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// The folder for the file cannot be made.
    #[error("the data folder {} cannot be created: {kind}", folder.display())]
    Folder {
        folder: PathBuf,
        kind: io::ErrorKind,
    },
    /// What lies in the place of the file is no file.
    #[error("the database {} is not a file; move it away, or name another", .0.display())]
    NoFile(PathBuf),
    /// SQLite would say that it cannot open it, and not why.
    #[error(
        "the database {} cannot be read and written: {kind}; run as its owner, or change its owner or mode",
        path.display()
    )]
    Access { path: PathBuf, kind: io::ErrorKind },
    #[error("the database cannot be opened")]
    Store(#[from] StoreError),
    #[error("the data keys' table cannot be prepared")]
    DataKeys(#[source] keyring_store::StoreError),
    #[error("the API keys' table cannot be prepared")]
    ApiKeys(#[source] apikey_store::StoreError),
    #[error("the tables of the history of data quality cannot be prepared")]
    QualityHistory(#[source] HistoryError),
}

impl Database {
    /// Opens what is configured, and makes it where there is none.
    pub(super) async fn open(
        config: &config::Database,
        watch: Watch,
    ) -> Result<Self, DatabaseError> {
        let config::Database::Sqlite(path) = config;
        make_folder(path)?;
        check_file(path, Access::READ_OK | Access::WRITE_OK)?;
        let kind = Kind::Sqlite(SqliteStore::open(path).await?);
        Ok(Self { kind, watch })
    }

    /// Events and leads.
    pub(super) fn store(&self) -> Arc<dyn Store> {
        let Kind::Sqlite(store) = &self.kind;
        let turns = store.turns();
        let store: Arc<dyn Store> = Arc::new(store.clone());
        Arc::new(Watched::new(store, &self.watch, turns))
    }

    /// Data keys, their tables up to date.
    pub(super) async fn data_keys(&self) -> Result<Arc<dyn DekStore>, DatabaseError> {
        let Kind::Sqlite(store) = &self.kind;
        let opening = SqliteDekStore::new(store.opening_pool());
        opening.migrate().await.map_err(DatabaseError::DataKeys)?;
        let data_keys = SqliteDekStore::new(store.data_key_pool());
        let data_keys: Arc<dyn DekStore> = Arc::new(GroupedKeys::new(data_keys, store.turns()));
        Ok(Arc::new(Watched::new(
            data_keys,
            &self.watch,
            store.turns(),
        )))
    }

    /// API keys and their changes, their tables up to date.
    pub(super) async fn api_keys(&self) -> Result<ApiKeyStores, DatabaseError> {
        let Kind::Sqlite(store) = &self.kind;
        let opening = SqliteKeyStore::new(store.opening_pool());
        opening.migrate().await.map_err(DatabaseError::ApiKeys)?;
        let api_keys = SqliteKeyStore::new(store.api_key_pool());
        let changes: Arc<dyn ChangeFeed> = Arc::new(FeedApart {
            following: SqliteKeyStore::new(store.feed_pool()),
            all_else: api_keys.clone(),
        });
        let records: Arc<dyn KeyStore> = Arc::new(api_keys);
        Ok((
            Arc::new(Watched::new(records, &self.watch, store.turns())),
            Arc::new(Watched::new(changes, &self.watch, store.turns())),
        ))
    }

    /// The history of data quality, its tables up to date.
    pub(super) async fn quality_history(&self) -> Result<Arc<dyn QualityHistory>, DatabaseError> {
        let Kind::Sqlite(store) = &self.kind;
        let opening = SqliteHistory::new(store.opening_pool());
        let migrated = opening.migrate().await;
        migrated.map_err(DatabaseError::QualityHistory)?;
        let history: Arc<dyn QualityHistory> = Arc::new(SqliteHistory::new(store.history_pool()));
        Ok(Arc::new(Watched::new(history, &self.watch, store.turns())))
    }

    /// What became of what is promised.
    pub(super) fn slo_history(&self) -> Arc<dyn SloHistory> {
        let Kind::Sqlite(store) = &self.kind;
        let history: Arc<dyn SloHistory> = Arc::new(store.slo_history());
        Arc::new(Watched::new(history, &self.watch, store.turns()))
    }

    /// What a database that nobody has to have opened remembers of its secrets; nothing is written.
    pub(super) async fn remembered(
        config: &config::Database,
    ) -> Result<Option<Remembered>, DatabaseError> {
        let config::Database::Sqlite(path) = config;
        check_file(path, Access::READ_OK)?;
        Ok(sqlite::remembered(path).await?)
    }

    /// The API keys in such a database, if it has their table by its present name; nothing is written.
    pub(super) async fn kept_api_keys(
        config: &config::Database,
    ) -> Result<Option<Arc<dyn KeyStore>>, DatabaseError> {
        let config::Database::Sqlite(path) = config;
        let store = |pool| Arc::new(SqliteKeyStore::new(pool)) as Arc<dyn KeyStore>;
        Ok(sqlite::reading_if_it_has(path, API_KEYS).await?.map(store))
    }

    /// The data keys in such a database, likewise.
    pub(super) async fn kept_data_keys(
        config: &config::Database,
    ) -> Result<Option<Arc<dyn DekStore>>, DatabaseError> {
        let config::Database::Sqlite(path) = config;
        let store = |pool| Arc::new(SqliteDekStore::new(pool)) as Arc<dyn DekStore>;
        Ok(sqlite::reading_if_it_has(path, DATA_KEYS).await?.map(store))
    }

    pub(super) async fn close(&self) {
        let Kind::Sqlite(store) = &self.kind;
        store.close().await;
    }
}

fn make_folder(file: &Path) -> Result<(), DatabaseError> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            files::create_folder(folder).map_err(|error| DatabaseError::Folder {
                folder: folder.to_owned(),
                kind: error.kind(),
            })
        }
        _ => Ok(()),
    }
}

/// Refuses what is there and cannot be used. The file is not opened for that: closing it would drop the
/// locks that SQLite has on it in this process.
fn check_file(path: &Path, access: Access) -> Result<(), DatabaseError> {
    match fs::metadata(path) {
        Ok(file) if !file.is_file() => return Err(DatabaseError::NoFile(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        _ => {}
    }
    rustix::fs::access(path, access).map_err(|error| DatabaseError::Access {
        path: path.to_owned(),
        kind: error.kind(),
    })
}

#[cfg(test)]
mod tests {
    use portcullis_apikey_cache::store::UnixMillis;

    use super::*;
    use crate::store::FaultLatch;

    #[tokio::test]
    async fn changes_of_api_keys_are_read_while_every_other_connection_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = config::Database::Sqlite(folder.path().join("a.db"));
        let database = Database::open(&file, Watch::new(FaultLatch::new(None), None))
            .await
            .unwrap();
        let (_, changes) = database.api_keys().await.unwrap();
        let Kind::Sqlite(store) = &database.kind;
        let pool = store.api_key_pool();
        let mut taken = Vec::new();
        for _ in 0..pool.options().get_max_connections() {
            taken.push(pool.acquire().await.unwrap());
        }
        let all = changes.readers(UnixMillis::new(0)).await;
        assert!(all.is_err(), "there was another connection");
        changes.head().await.unwrap();
        drop(taken);
        database.close().await;
    }
}
