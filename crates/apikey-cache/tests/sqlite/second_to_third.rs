//! Databases of the second migration, whose outbox had records alone, and processes of that release.

use portcullis_apikey_cache::{
    Kid,
    feed::{Change, ChangeKind, Invalidation},
};
use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use super::*;

const MIGRATIONS: [&str; 2] = [
    include_str!("../../migrations/sqlite/0001_api_key.sql"),
    include_str!("../../migrations/sqlite/0002_tenants_alike.sql"),
];

/// As a process of that release appends.
const APPEND: &str = "INSERT INTO apikey_cache_outbox (kid, version, at) VALUES (?1, ?2, ?3)";

async fn second() -> File {
    let file = File::new();
    let migrations = (1..).zip(MIGRATIONS).map(|(version, sql)| {
        let kind = MigrationType::Simple;
        Migration::new(version, "".into(), kind, sql.into_sql_str(), true)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name("apikey_cache_migrations");
    let pool = file.pool().await;
    migrator.run(&pool).await.unwrap();
    file
}

async fn append(pool: &SqlitePool, number: u64, version: i64) {
    sqlx::query(APPEND)
        .bind(kid(number).as_str())
        .bind(version)
        .bind(1_767_225_600_000_i64)
        .execute(pool)
        .await
        .unwrap();
}

fn kid(number: u64) -> Kid {
    record(number).kid
}

fn change(seq: u64, number: u64, version: u64) -> Change {
    let kind = ChangeKind::Record {
        kid: kid(number),
        version: RecordVersion::new(version),
    };
    let seq = FeedSeq::new(seq);
    Change { seq, kind }
}

async fn changes(store: &SqliteKeyStore) -> Vec<Change> {
    let limit = 100.try_into().unwrap();
    let page = store.changes_after(FeedSeq::START, limit).await.unwrap();
    page.changes
}

#[tokio::test]
async fn changes_that_are_there_stay_and_numbers_go_on() {
    let file = second().await;
    let pool = file.pool().await;
    for (number, version) in [(1, 1), (2, 1), (1, 2)] {
        append(&pool, number, version).await;
    }
    sqlx::query("DELETE FROM apikey_cache_outbox WHERE seq = 1")
        .execute(&pool)
        .await
        .unwrap();
    let store = file.store().await;
    let mut expected = vec![change(2, 2, 1), change(3, 1, 2)];
    assert_eq!(changes(&store).await, expected);
    store.insert(&record(4)).await.unwrap();
    expected.push(change(4, 4, 1));
    assert_eq!(changes(&store).await, expected);
}

#[tokio::test]
async fn numbers_of_an_empty_outbox_are_given_out_once() {
    for used in [0, 5] {
        let file = second().await;
        let pool = file.pool().await;
        for number in 1..=used {
            append(&pool, number, 1).await;
        }
        sqlx::query("DELETE FROM apikey_cache_outbox")
            .execute(&pool)
            .await
            .unwrap();
        for _ in 0..2 {
            let store = file.store().await;
            assert_eq!(store.head().await.unwrap(), FeedSeq::new(used));
        }
        let store = file.store().await;
        let inserted = store.insert(&record(9)).await.unwrap();
        assert_eq!(inserted, change(used + 1, 9, 1));
        assert_eq!(changes(&store).await, [inserted]);
    }
}

#[tokio::test]
async fn many_processes_migrate_it_at_once() {
    let file = second().await;
    append(&file.pool().await, 1, 1).await;
    let mut migrations = Vec::new();
    for _ in 0..8 {
        let store = SqliteKeyStore::new(file.pool().await);
        migrations.push(tokio::spawn(async move { store.migrate().await }));
    }
    for migration in migrations {
        migration.await.unwrap().unwrap();
    }
    let store = file.store().await;
    assert_eq!(changes(&store).await, [change(1, 1, 1)]);
    store.check().await.unwrap();
}

/// It runs on while another one migrates the file.
#[tokio::test]
async fn what_an_older_process_appends_is_read() {
    let file = second().await;
    let older = file.pool().await;
    append(&older, 1, 1).await;
    let store = file.store().await;
    append(&older, 1, 2).await;
    store.insert(&record(2)).await.unwrap();
    append(&older, 2, 2).await;
    let expected = [
        change(1, 1, 1),
        change(2, 1, 2),
        change(3, 2, 1),
        change(4, 2, 2),
    ];
    assert_eq!(changes(&store).await, expected);
}

#[tokio::test]
async fn a_row_that_is_no_change_cannot_be_written() {
    let file = File::new();
    file.store().await;
    let pool = file.pool().await;
    for (columns, values) in [
        ("kid, version, at", "NULL, 1, 0"),
        ("kid, version, at", "'x', NULL, 0"),
        ("kid, version, tenant, at", "'x', 1, 't', 0"),
        ("kind, at", "'key', 0"),
        ("kind, kid, version, at", "'key', 'x', 1, 0"),
        ("kind, at", "'tenant', 0"),
        ("kind, kid, at", "'all', 'x', 0"),
        ("kind, at", "'some', 0"),
    ] {
        let insert = format!("INSERT INTO apikey_cache_outbox ({columns}) VALUES ({values})");
        let refused = sqlx::query(AssertSqlSafe(insert)).execute(&pool).await;
        assert!(refused.is_err(), "{columns}: {values}");
    }
}

#[tokio::test]
async fn a_file_and_its_copy_are_one_feed_and_other_files_are_others() {
    let file = File::new();
    let store = file.store().await;
    let id = store.id().await.unwrap();
    assert_eq!(file.store().await.id().await.unwrap(), id);
    let other = File::new().store().await.id().await.unwrap();
    assert_ne!(other, id);

    store
        .invalidate(&Invalidation::All, UnixMillis::new(0))
        .await
        .unwrap();
    let copy = File::new();
    let into = format!("VACUUM INTO '{}'", copy.path().display());
    sqlx::query(AssertSqlSafe(into))
        .execute(&file.pool().await)
        .await
        .unwrap();
    let copy = copy.store().await;
    assert_eq!(copy.id().await.unwrap(), id);
    assert_eq!(copy.head().await.unwrap(), FeedSeq::new(1));
}
