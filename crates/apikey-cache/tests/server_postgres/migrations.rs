//! The tables are made by many processes at once, whole or not at all.

use futures_util::future::join_all;
use portcullis_apikey_cache::{feed::ChangeFeed as _, store::KeyStore as _};

use super::*;

const TABLES: &str = "SELECT count(*) FROM pg_class WHERE relnamespace = 'shared'::regnamespace
    AND (relname LIKE 'apikey_cache_%' OR relname = '_sqlx_migrations')";

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_processes_make_the_tables_at_once() {
    let server = Server::start();
    let pools = join_all((0..8).map(|_| server.schema("shared"))).await;
    let stores = join_all(pools.into_iter().map(migrated)).await;
    stores[0].insert(&record(1)).await.unwrap();
    for store in &stores {
        assert!(store.load(&record(1).kid).await.unwrap().is_some());
        assert_eq!(store.id().await.unwrap(), stores[0].id().await.unwrap());
        store.check().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_fails_half_way_changes_nothing_and_holds_nobody_up() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    // The last table that is made.
    run(&pool, "CREATE TABLE apikey_cache_reader (id INTEGER)").await;
    let before = number(&pool, TABLES).await;
    let store = PostgresKeyStore::new(pool.clone());
    let refused = store.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::Migration(_))),
        "{refused:?}"
    );
    assert_eq!(number(&pool, TABLES).await, before);
    run(&pool, "DROP TABLE apikey_cache_reader").await;
    // While the connections of the first are open.
    let other = PostgresKeyStore::new(server.schema("shared").await);
    timeout(DEADLINE, other.migrate()).await.unwrap().unwrap();
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_later_release_is_refused_and_left_as_it_is() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    run(
        &pool,
        "INSERT INTO apikey_cache_migrations (version, description, success, checksum, execution_time)
         VALUES (2, 'later', true, '', 0)",
    )
    .await;
    let before = number(&pool, TABLES).await;
    let refused = store.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::Migration(_))),
        "{refused:?}"
    );
    assert_eq!(number(&pool, TABLES).await, before);
    // What was made by another hand is refused as well.
    run(
        &pool,
        "DELETE FROM apikey_cache_migrations WHERE version = 2;
         UPDATE apikey_cache_migrations SET checksum = ''",
    )
    .await;
    store.migrate().await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_done_to_a_table_is_found_and_nothing_is_left_behind() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    store.check().await.unwrap();
    let no_rows = "SELECT (SELECT count(*) FROM apikey_cache_api_key) + (SELECT count(*) FROM apikey_cache_outbox)
                        + (SELECT count(*) FROM apikey_cache_reader) + (SELECT head FROM apikey_cache_feed)";
    for [change, back] in CHANGES {
        run(&pool, change).await;
        assert!(store.check().await.is_err(), "{change}");
        run(&pool, back).await;
        store.check().await.unwrap();
        assert_eq!(number(&pool, no_rows).await, 0, "{change}");
    }
}

/// What somebody else may do to the tables, and how it is taken back.
const CHANGES: [[&str; 2]; 14] = [
    [
        "ALTER TABLE apikey_cache_api_key RENAME TO gone",
        "ALTER TABLE gone RENAME TO apikey_cache_api_key",
    ],
    [
        "ALTER TABLE apikey_cache_outbox RENAME TO gone",
        "ALTER TABLE gone RENAME TO apikey_cache_outbox",
    ],
    [
        "ALTER TABLE apikey_cache_migrations RENAME TO gone",
        "ALTER TABLE gone RENAME TO apikey_cache_migrations",
    ],
    [
        "ALTER TABLE apikey_cache_feed RENAME TO gone",
        "ALTER TABLE gone RENAME TO apikey_cache_feed",
    ],
    [
        "ALTER TABLE apikey_cache_reader RENAME TO gone",
        "ALTER TABLE gone RENAME TO apikey_cache_reader",
    ],
    [
        "UPDATE apikey_cache_migrations SET version = 7 WHERE version = 1",
        "UPDATE apikey_cache_migrations SET version = 1 WHERE version = 7",
    ],
    [
        "ALTER TABLE apikey_cache_api_key RENAME COLUMN row_mac TO gone",
        "ALTER TABLE apikey_cache_api_key RENAME COLUMN gone TO row_mac",
    ],
    [
        "ALTER TABLE apikey_cache_outbox RENAME COLUMN tenant TO gone",
        "ALTER TABLE apikey_cache_outbox RENAME COLUMN gone TO tenant",
    ],
    [
        "ALTER TABLE apikey_cache_reader RENAME COLUMN applied TO gone",
        "ALTER TABLE apikey_cache_reader RENAME COLUMN gone TO applied",
    ],
    [
        "CREATE TABLE kept AS SELECT * FROM apikey_cache_feed; DELETE FROM apikey_cache_feed",
        "INSERT INTO apikey_cache_feed SELECT * FROM kept; DROP TABLE kept",
    ],
    [
        "ALTER INDEX apikey_cache_api_key_of_tenant_alike RENAME TO gone",
        "ALTER INDEX gone RENAME TO apikey_cache_api_key_of_tenant_alike",
    ],
    [
        "ALTER INDEX apikey_cache_outbox_by_age RENAME TO gone",
        "ALTER INDEX gone RENAME TO apikey_cache_outbox_by_age",
    ],
    [
        "ALTER TABLE apikey_cache_api_key ADD CONSTRAINT no_probe CHECK (kid <> '')",
        "ALTER TABLE apikey_cache_api_key DROP CONSTRAINT no_probe",
    ],
    [
        "ALTER TABLE apikey_cache_outbox ADD CONSTRAINT no_probe CHECK (kid <> '')",
        "ALTER TABLE apikey_cache_outbox DROP CONSTRAINT no_probe",
    ],
];

#[tokio::test(flavor = "multi_thread")]
async fn that_somebody_else_writes_is_no_failure_of_a_check() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    let mut writer = pool.begin().await.unwrap();
    sqlx::query("UPDATE apikey_cache_feed SET head = head + 1")
        .execute(&mut *writer)
        .await
        .unwrap();
    store.check().await.unwrap();
}
