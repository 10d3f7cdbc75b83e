//! Databases from before 0.1.0, whose tables were `api_key` and `outbox`.
//!
//! `unprefixed-tables.sqlite` was written by the code of that time: two keys of tenant-7 under a pepper
//! of 32 bytes `01`, the second of them revoked more than an hour later, so that of three changes
//! only the last is left.

use std::fs;

use portcullis_apikey_cache::{
    KeyStatus,
    feed::{Change, ChangeKind, FeedPage},
};
use sqlx::Row;

use super::*;

const OLD: &[u8] = include_bytes!("unprefixed-tables.sqlite");
const ACTIVE: &str =
    "pcl_live_aBZ0Gev7joQD0011eBMCLM_DZKJ9cbCOtnivfwUbJ8XR4YVlUGLPMEjtakjGglTVHr1XU0iS";
const REVOKED: &str =
    "pcl_live_jXv5vdL7WliO001FxseXWR_AKy76mL8i6iadADjf01jOqVDDYWkc57OekH304Hg01G3moALc";

fn old_file() -> File {
    let file = File::new();
    fs::write(file.path(), OLD).unwrap();
    file
}

async fn tables(pool: &SqlitePool) -> Vec<String> {
    let rows =
        sqlx::query("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
            .fetch_all(pool)
            .await
            .unwrap();
    rows.iter().map(|row| row.get("name")).collect()
}

async fn all_changes(store: &SqliteKeyStore) -> FeedPage {
    let limit = 10.try_into().unwrap();
    store.changes_after(FeedSeq::START, limit).await.unwrap()
}

#[tokio::test]
async fn an_old_database_keeps_its_keys_and_its_changes() {
    let file = old_file();
    let cache = cache(&file).await;
    let (active, revoked) = (
        ApiKey::parse(ACTIVE).unwrap(),
        ApiKey::parse(REVOKED).unwrap(),
    );
    let principal = cache.validate(&active).await.unwrap();
    assert_eq!(
        (principal.tenant().as_str(), principal.tier()),
        ("tenant-7", &Tier::ENTERPRISE)
    );
    assert_eq!(principal.scopes().as_str(), "events:write leads:read");
    assert_eq!(
        cache.validate(&revoked).await.unwrap_err(),
        Denied::Unauthorized
    );

    let info = cache.record(active.kid()).await.unwrap();
    assert_eq!(
        (info.status(), info.version()),
        (KeyStatus::Active, RecordVersion::FIRST)
    );
    let millis =
        |date: Option<SystemTime>| date.map(|date| UnixMillis::saturating_from(date).value());
    assert_eq!(millis(Some(info.created_at())), Some(1_767_225_600_000));
    assert_eq!(millis(info.expires_at()), Some(4_922_985_600_000));
    assert_eq!(millis(info.last_used()), Some(1_767_232_860_000));
    let info = cache.record(revoked.kid()).await.unwrap();
    assert_eq!(
        (info.status(), info.version()),
        (KeyStatus::Revoked, RecordVersion::new(2))
    );

    let store = file.store().await;
    let page = all_changes(&store).await;
    assert_eq!(page.head, FeedSeq::new(3));
    let kind = ChangeKind::Record {
        kid: *revoked.kid(),
        version: RecordVersion::new(2),
    };
    let seq = FeedSeq::new(3);
    assert_eq!(page.changes, [Change { seq, kind }]);
    let alike = store.tenant_alike(&"TENANT-7".parse().unwrap()).await;
    assert_eq!(alike.unwrap().unwrap().as_str(), "tenant-7");
    store.insert(&record(1)).await.unwrap();
    assert_eq!(
        all_changes(&store).await.head,
        FeedSeq::new(4),
        "numbers go on"
    );
}

#[tokio::test]
async fn an_old_database_ends_up_like_a_new_one() {
    let (old, new) = (old_file(), File::new());
    old.store().await;
    new.store().await;
    let schema = async |file: &File| {
        let rows = sqlx::query(
            "SELECT name, replace(sql, '\"', '') AS sql FROM sqlite_schema WHERE sql IS NOT NULL \
             ORDER BY name",
        );
        let rows = rows.fetch_all(&file.pool().await).await.unwrap();
        let plain = |row: &sqlx::sqlite::SqliteRow| (row.get("name"), row.get("sql"));
        rows.iter().map(plain).collect::<Vec<(String, String)>>()
    };
    assert_eq!(schema(&old).await, schema(&new).await);
    let checksums = async |file: &File| {
        let rows = sqlx::query("SELECT version, checksum FROM apikey_cache_migrations");
        let rows = rows.fetch_all(&file.pool().await).await.unwrap();
        let plain = |row: &sqlx::sqlite::SqliteRow| (row.get("version"), row.get("checksum"));
        rows.iter().map(plain).collect::<Vec<(i64, Vec<u8>)>>()
    };
    assert_eq!(checksums(&old).await, checksums(&new).await);
}

#[tokio::test]
async fn many_processes_migrate_one_old_database_at_once() {
    let file = old_file();
    let mut migrations = Vec::new();
    for _ in 0..8 {
        let store = SqliteKeyStore::new(file.pool().await);
        migrations.push(tokio::spawn(async move { store.migrate().await }));
    }
    for migration in migrations {
        migration.await.unwrap().unwrap();
    }
    let kid = *ApiKey::parse(ACTIVE).unwrap().kid();
    assert!(file.store().await.load(&kid).await.unwrap().is_some());
}

#[tokio::test]
async fn a_migration_that_fails_half_way_changes_nothing() {
    let file = old_file();
    let pool = file.pool().await;
    // The second of the two new names is taken.
    sqlx::query("CREATE TABLE apikey_cache_outbox (own INTEGER)")
        .execute(&pool)
        .await
        .unwrap();
    let before = tables(&pool).await;
    let refused = SqliteKeyStore::new(pool.clone())
        .migrate()
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::Migration(_)));
    assert_eq!(tables(&pool).await, before);

    sqlx::query("DROP TABLE apikey_cache_outbox")
        .execute(&pool)
        .await
        .unwrap();
    let kid = *ApiKey::parse(ACTIVE).unwrap().kid();
    assert!(file.store().await.load(&kid).await.unwrap().is_some());
}

#[tokio::test]
async fn tables_of_the_application_with_the_old_names_are_left_alone() {
    let file = File::new();
    let pool = file.pool().await;
    for table in [
        "CREATE TABLE outbox (own INTEGER)",
        "CREATE TABLE api_key (own INTEGER)",
    ] {
        sqlx::query(table).execute(&pool).await.unwrap();
    }
    for _ in 0..2 {
        file.store().await;
    }
    let tables = tables(&pool).await;
    for table in [
        "api_key",
        "apikey_cache_api_key",
        "apikey_cache_outbox",
        "outbox",
    ] {
        assert!(tables.iter().any(|name| name == table), "{table}");
    }
}

#[tokio::test]
async fn a_database_of_a_later_release_is_refused() {
    let file = File::new();
    file.store().await;
    let pool = file.pool().await;
    sqlx::query(
        "INSERT INTO apikey_cache_migrations (version, description, success, checksum, \
         execution_time) VALUES (4, 'later', TRUE, x'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    let refused = SqliteKeyStore::new(pool).migrate().await.unwrap_err();
    assert!(matches!(refused, StoreError::Migration(_)));
}

#[tokio::test]
async fn an_old_outbox_that_is_empty_keeps_its_numbers() {
    let file = old_file();
    sqlx::query("DELETE FROM outbox")
        .execute(&file.pool().await)
        .await
        .unwrap();
    let store = file.store().await;
    assert_eq!(store.head().await.unwrap(), FeedSeq::new(3));
    let change = store.insert(&record(1)).await.unwrap();
    assert_eq!(change.seq, FeedSeq::new(4));
}
