//! The suites of both contracts, on files.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::{
    AssertSqlSafe, Row as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

use super::{dialect::UPDATE_LAST_USED, *};
use crate::{
    conformance,
    scope::Scopes,
    store::{
        KeyHash, RecordState, RowMac,
        sql::{COUNT_BY_PEPPER, RECENTLY_USED},
    },
    tier::Tier,
};

/// Stores in files of one folder, each empty.
struct Files {
    folder: tempfile::TempDir,
    count: AtomicU32,
}

impl Files {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            count: AtomicU32::new(0),
        }
    }

    async fn next(&self) -> Arc<SqliteKeyStore> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("{number}.db"));
        let store = SqliteKeyStore::new(pool(&path).await);
        store.migrate().await.unwrap();
        Arc::new(store)
    }
}

async fn pool(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePoolOptions::new().max_connections(4);
    pool.connect_with(options).await.unwrap()
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_contract_of_a_key_store() {
    let files = Files::new();
    conformance::key_store(async || files.next().await as _).await;
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_contract_of_a_change_feed() {
    let files = Files::new();
    conformance::change_feed(async || {
        let store = files.next().await;
        (Arc::clone(&store) as _, store as _)
    })
    .await;
}

/// The name is asked for when a key is issued: without the indexes, ten thousand keys take hours.
#[tokio::test]
async fn a_tenant_is_looked_up_by_indexes_alone() {
    let files = Files::new();
    let store = files.next().await;
    let plan = sqlx::query(AssertSqlSafe(format!(
        "EXPLAIN QUERY PLAN {}",
        Sqlite::TENANT_ALIKE
    )))
    .bind("tenant-7")
    .fetch_all(&store.pool)
    .await
    .unwrap();
    let steps: Vec<&str> = plan.iter().map(|step| step.get("detail")).collect();
    for index in ["of_tenant", "of_tenant_alike"] {
        let expected = format!(
            "SEARCH apikey_cache_api_key USING COVERING INDEX apikey_cache_api_key_{index} (tenant=?)"
        );
        assert!(steps.contains(&expected.as_str()), "{index}: {steps:?}");
    }
    assert!(!steps.contains(&"SCAN apikey_cache_api_key"), "{steps:?}");
}

async fn steps(store: &SqliteKeyStore, statement: &str, values: &[i64]) -> Vec<String> {
    let statement = format!("EXPLAIN QUERY PLAN {statement}");
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for value in values {
        query = query.bind(value);
    }
    let plan = query.fetch_all(&store.pool).await.unwrap();
    plan.iter().map(|step| step.get("detail")).collect()
}

/// It is asked for before the service is ready, however many keys there are.
#[tokio::test]
async fn the_keys_used_last_are_the_end_of_an_index() {
    let files = Files::new();
    let store = files.next().await;
    let expected = "SEARCH apikey_cache_api_key USING COVERING INDEX \
                    apikey_cache_api_key_by_use (last_used>?)";
    assert_eq!(steps(&store, RECENTLY_USED, &[0, 10]).await, [expected]);
}

/// Who revokes a key waits until the dates of hundreds are written.
#[tokio::test]
async fn dates_of_last_use_are_written_by_one_statement_that_looks_each_key_up() {
    let files = Files::new();
    let store = files.next().await;
    let steps = steps(&store, UPDATE_LAST_USED, &[]).await;
    let by_kid = |step: &String| step.starts_with("SEARCH apikey_cache_api_key ");
    assert!(steps.iter().any(by_kid), "{steps:?}");
    assert!(
        !steps.contains(&"SCAN apikey_cache_api_key".to_owned()),
        "{steps:?}"
    );
}

#[tokio::test]
async fn rows_are_counted_by_pepper_in_an_index_that_has_all_of_it() {
    let files = Files::new();
    let store = files.next().await;
    let steps = steps(&store, COUNT_BY_PEPPER, &[0]).await;
    let expected = "SCAN apikey_cache_api_key USING COVERING INDEX apikey_cache_api_key_by_pepper";
    assert_eq!(steps[0], expected, "{steps:?}");
}

#[tokio::test]
async fn keys_are_written_again_once_a_full_disk_has_room() {
    let files = Files::new();
    let store = files.next().await;
    let options = || SqliteConnectOptions::new().filename(files.folder.path().join("0.db"));
    store
        .pool
        .set_connect_options(options().pragma("max_page_count", "1"));
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(store.pool.acquire().await.unwrap());
    }
    for connection in connections {
        connection.close().await.unwrap();
    }
    // Until the pages that are there are used up.
    let record = |number: u64| KeyRecord {
        kid: format!("{number:022}").parse().unwrap(),
        tenant: "tenant-7".parse().unwrap(),
        tier: Tier::FREE,
        scopes: Scopes::default(),
        version: RecordVersion::FIRST,
        not_before: None,
        expires_at: None,
        created_at: UnixMillis::new(0),
        last_used: None,
        state: RecordState::Active(Verifier {
            pepper: PepperVersion::try_from(1).unwrap(),
            hash: KeyHash::new([1; 32]),
            row_mac: RowMac::new([2; 32]),
        }),
    };
    let mut number = 0;
    while store.insert(&record(number)).await.is_ok() {
        number += 1;
    }
    for _ in 0..6 {
        let refused = store.insert(&record(number)).await;
        let Err(StoreError::Unavailable(Some(cause))) = refused else {
            panic!("{refused:?}");
        };
        assert!(cause.to_string().contains("(code: 13)"), "{cause}");
    }
    store.pool.set_connect_options(options());
    store.insert(&record(number)).await.unwrap();
    let revoked = store.revoke(&record(0).kid, UnixMillis::new(0)).await;
    assert!(matches!(revoked, Ok(Some(Revoked::Now(_)))), "{revoked:?}");
}

#[tokio::test]
async fn a_damaged_database_is_told_from_an_unavailable_one() {
    let files = Files::new();
    files.next().await.pool.close().await;
    let path = files.folder.path().join("0.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let store = SqliteKeyStore::new(pool(&path).await);
    let kid = "0".repeat(22).parse().unwrap();
    let read = store.load(&kid).await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    let written = store.revoke(&kid, UnixMillis::new(0)).await;
    assert!(
        matches!(written, Err(StoreError::Corrupt(_))),
        "{written:?}"
    );
}
