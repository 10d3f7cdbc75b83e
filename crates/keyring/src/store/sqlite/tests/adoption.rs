//! Databases of versions that gave the tables no prefix.

use secrecy::SecretBox;

use super::*;
use crate::{
    kek::{KekProvider as _, LocalKek},
    secrets::VersionedSecrets,
};

/// What such a version wrote.
const BEFORE: &str = include_str!("before_prefixes.sql");

async fn old_database(dir: &TempDir) -> SqliteDekStore {
    let store = open(&dir.path().join("keys.db")).await;
    sqlx::raw_sql(BEFORE)
        .execute(&store.pool)
        .await
        .expect("the dump is read");
    store
}

async fn names(store: &SqliteDekStore, kind: &str) -> Vec<String> {
    let names = "SELECT name FROM sqlite_schema WHERE type = ? AND sql IS NOT NULL ORDER BY name";
    sqlx::query_scalar(names)
        .bind(kind)
        .fetch_all(&store.pool)
        .await
        .expect("it answers")
}

/// Columns and indexes, as SQLite understands them.
async fn shape(store: &SqliteDekStore) -> Vec<String> {
    let shape = "SELECT concat_ws(' ', t.name, t.strict, t.wr, c.name, c.type, c.\"notnull\", c.pk)
                 FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
                 WHERE t.name LIKE 'keyring%'
                 UNION ALL
                 SELECT name || ' ' || sql FROM sqlite_schema
                 WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1";
    sqlx::query_scalar(shape)
        .fetch_all(&store.pool)
        .await
        .expect("it answers")
}

async fn assert_nothing_is_lost(store: &SqliteDekStore) {
    let secrets = VersionedSecrets::single(SecretBox::new(Box::new([7; 32])));
    let kek = LocalKek::new(secrets);
    let keys = store
        .load_tenant(&tenant("t"))
        .await
        .expect("it answers")
        .keys;
    let states: Vec<_> = keys
        .iter()
        .map(|key| (key.purpose().as_str(), key.state()))
        .collect();
    let expected = [
        ("email", KeyState::DecryptOnly),
        ("email", KeyState::Pending),
        ("phone", KeyState::Primary),
        ("email", KeyState::Primary),
    ];
    assert_eq!(states, expected);
    for key in &keys {
        let wrapped = key.wrapped().expect("it is not destroyed");
        let opened = kek.unwrap_key(key.context(), wrapped).await;
        assert!(opened.is_ok(), "{:?}", key.context());
    }
    let first = SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000);
    assert_eq!(keys[0].created_at(), first);

    let erased = store
        .load_tenant(&tenant("u"))
        .await
        .expect("it answers")
        .keys;
    assert_eq!((erased.len(), erased[0].state()), (1, KeyState::Destroyed));
    let answer = store.insert(&key(1, "u", "phone", KeyState::Primary)).await;
    assert!(matches!(answer, Err(InsertError::TenantErased)));
}

#[tokio::test]
async fn an_old_database_is_taken_over_without_loss() {
    let dir = TempDir::new().expect("a folder");
    let store = old_database(&dir).await;
    for _ in 0..2 {
        store.migrate().await.expect("it migrates");
        assert_nothing_is_lost(&store).await;
    }
    let (fresh, _dir) = make().await;
    let expected = shape(&fresh).await;
    assert_eq!(expected.len(), 2 + 7 + 6 + 1 + 4, "{expected:?}");
    assert_eq!(shape(&store).await, expected);
    assert_eq!(names(&store, "index").await, names(&fresh, "index").await);
    let tables = names(&store, "table").await;
    assert!(!tables.iter().any(|name| name.starts_with("data_key")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_take_over_an_old_database_at_once_all_succeed() {
    for _ in 0..5 {
        let dir = TempDir::new().expect("a folder");
        drop(old_database(&dir).await);
        let start = Arc::new(Barrier::new(8));
        let mut migrations = Vec::new();
        for _ in 0..8 {
            let store = open(&dir.path().join("keys.db")).await;
            let start = Arc::clone(&start);
            migrations.push(tokio::spawn(async move {
                start.wait().await;
                store.migrate().await.expect("it migrates");
                store
            }));
        }
        for migration in migrations {
            assert_nothing_is_lost(&migration.await.expect("no panic")).await;
        }
    }
}

#[tokio::test]
async fn what_cannot_be_taken_over_stays_as_it_is() {
    let dir = TempDir::new().expect("a folder");
    let store = old_database(&dir).await;
    // The second statement fails, after the first has renamed a table.
    sqlx::raw_sql("CREATE TABLE keyring_erased_tenant (somebody_elses)")
        .execute(&store.pool)
        .await
        .expect("the table is made");
    let before = names(&store, "table").await;
    let answer = store.migrate().await;
    assert!(matches!(answer, Err(StoreError::Migration(_))));
    assert_eq!(names(&store, "table").await, before);

    sqlx::raw_sql("DROP TABLE keyring_erased_tenant")
        .execute(&store.pool)
        .await
        .expect("the table goes");
    store.migrate().await.expect("it migrates");
    assert_nothing_is_lost(&store).await;
}

#[tokio::test]
async fn a_process_of_an_old_version_refuses_a_database_that_was_taken_over() {
    let dir = TempDir::new().expect("a folder");
    let store = old_database(&dir).await;
    let applied = "SELECT checksum FROM portcullis_keyring_migrations WHERE version = 1";
    let checksum: Vec<u8> = sqlx::query_scalar(applied)
        .fetch_one(&store.pool)
        .await
        .expect("it answers");
    let mut old = Migration::new(
        1,
        "data key".into(),
        MigrationType::Simple,
        "SELECT 1".into_sql_str(),
        false,
    );
    old.checksum = checksum.into();
    let mut old = Migrator::with_migrations(vec![old]);
    old.dangerous_set_table_name("portcullis_keyring_migrations");
    let mut connection = store.pool.acquire().await.expect("a connection");
    let migrated = old.run_direct(None, &mut *connection, false).await;
    migrated.expect("it is an old database");

    store.migrate().await.expect("it migrates");
    let refused = old.run_direct(None, &mut *connection, false).await;
    assert!(matches!(refused, Err(MigrateError::VersionMissing(2))));
}
