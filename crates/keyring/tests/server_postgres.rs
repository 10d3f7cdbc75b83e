//! The store in PostgreSQL, on a real server: its contract, several processes, a server that goes and comes.

#[path = "server_postgres/dropped_callers.rs"]
mod dropped_callers;
#[path = "server_postgres/locks.rs"]
mod locks;
#[path = "server_postgres/server.rs"]
mod server;

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use futures_util::future::join_all;
use portcullis_keyring::{
    KeyId, KeyState, Keyring, PrepareError, Purpose, TenantId, conformance,
    kek::{KekContext, MemoryKek, WrappedKey},
    store::{DekStore as _, KeyQuery, PostgresDekStore, StoreError, StoredKey},
};
use sqlx::PgPool;

use self::server::Server;

fn tenant() -> TenantId {
    TenantId::new("tenant-7").expect("a name")
}

fn email() -> [Purpose; 1] {
    [Purpose::new("email").expect("a name")]
}

fn key(id: u32, state: KeyState) -> StoredKey {
    let [purpose] = email();
    let context = KekContext::new(tenant(), purpose, KeyId::new(id));
    let wrapped = WrappedKey::from_bytes(vec![7; 61]);
    StoredKey::new(context, state, wrapped, SystemTime::UNIX_EPOCH)
}

async fn migrated(pool: PgPool) -> PostgresDekStore {
    let store = PostgresDekStore::new(pool);
    store.migrate().await.expect("the tables are made");
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_dek_store() {
    let (server, made) = (Server::start(), AtomicUsize::new(0));
    conformance::dek_store(async || {
        let schema = format!("clause_{}", made.fetch_add(1, Ordering::Relaxed));
        Arc::new(migrated(server.schema(&schema).await).await) as _
    })
    .await;
    assert!(made.into_inner() > 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_processes_make_the_tables_at_once() {
    let server = Server::start();
    let pools = join_all((0..8).map(|_| server.schema("shared"))).await;
    let stores = join_all(pools.into_iter().map(migrated)).await;
    let first = Arc::new(stores[0].clone());
    first
        .insert(&key(1, KeyState::Primary))
        .await
        .expect("it is added");
    for store in &stores {
        assert!(
            store
                .load(KeyId::new(1))
                .await
                .expect("it answers")
                .is_some()
        );
        store.check().await.expect("everything is there");
    }
    let all = KeyQuery::all(NonZeroU32::MAX);
    assert_eq!(first.list(&all).await.expect("it answers").rows(), 1);
}

/// A lock of the session would keep all other processes from their tables for as long as the pool has its connection.
#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_later_release_are_refused_and_no_lock_is_left() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    let later = sqlx::query("UPDATE keyring_migrations SET version = version + 100");
    later.execute(&pool).await.expect("it is there");
    let refused = store.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::Migration(_))),
        "{refused:?}"
    );
    let released = async {
        let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
        while sqlx::query_scalar::<_, i64>(locks)
            .fetch_one(&pool)
            .await
            .expect("it answers")
            > 0
        {}
    };
    // The transaction ends behind the caller, when its connection goes back.
    let waited = tokio::time::timeout(Duration::from_secs(20), released).await;
    waited.expect("no lock is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_finds_something_missing_says_so_and_leaves_nothing() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    let before = store.changes().await.expect("it answers");
    store.check().await.expect("everything is there");
    assert_eq!(store.changes().await.expect("it answers"), before);

    for (breaks, mends) in [
        (
            "ALTER TABLE keyring_data_key DISABLE TRIGGER keyring_change_by_update",
            "ALTER TABLE keyring_data_key ENABLE TRIGGER keyring_change_by_update",
        ),
        (
            "DROP INDEX keyring_data_key_one_primary",
            "CREATE UNIQUE INDEX keyring_data_key_one_primary
             ON keyring_data_key (tenant, purpose) WHERE state = 'primary'",
        ),
        (
            "DROP INDEX keyring_data_key_by_tenant",
            "CREATE INDEX keyring_data_key_by_tenant ON keyring_data_key (tenant, key_id)",
        ),
        (
            "UPDATE keyring_migrations SET version = 7 WHERE version = 1",
            "UPDATE keyring_migrations SET version = 1 WHERE version = 7",
        ),
        (
            "ALTER TABLE keyring_migrations RENAME TO elsewhere",
            "ALTER TABLE elsewhere RENAME TO keyring_migrations",
        ),
        (
            "ALTER TABLE keyring_erased_tenant RENAME TO elsewhere",
            "ALTER TABLE elsewhere RENAME TO keyring_erased_tenant",
        ),
    ] {
        sqlx::query(breaks).execute(&pool).await.expect("it breaks");
        let found = store.check().await;
        assert!(
            matches!(found, Err(StoreError::Unavailable(_))),
            "{found:?}"
        );
        sqlx::query(mends).execute(&pool).await.expect("it mends");
        store.check().await.expect("everything is there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn that_somebody_else_writes_is_no_failure() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    let mut writer = pool.begin().await.expect("a transaction");
    sqlx::query("UPDATE keyring_change SET number = number + 1")
        .execute(&mut *writer)
        .await
        .expect("it counts");
    store.check().await.expect("the database works");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_is_named_and_takes_no_other_with_it() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    conformance::damaged_key(&store, async |id| {
        sqlx::query("UPDATE keyring_data_key SET created_at = -1 WHERE key_id = $1")
            .bind(i64::from(id.value()))
            .execute(&pool)
            .await
            .expect("it is damaged");
    })
    .await;
}

/// What is unwrapped goes on; what has to be read is unavailable until the server is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_and_comes_needs_no_restart() {
    let server = Server::start();
    let store = migrated(server.schema("shared").await).await;
    let kek = Arc::new(MemoryKek::new().expect("random bytes"));
    let keyring = Keyring::builder(kek, Arc::new(store.clone())).build();
    keyring
        .prepare(&tenant(), &email())
        .await
        .expect("a key is made");

    server.crash();
    keyring
        .prepare(&tenant(), &email())
        .await
        .expect("it is at hand");
    let other = TenantId::new("tenant-8").expect("a name");
    let refused = keyring.prepare(&other, &email()).await;
    let is_outage = matches!(
        refused,
        Err(PrepareError::Store(StoreError::Unavailable(_)))
    );
    assert!(is_outage, "{refused:?}");

    server.resume();
    keyring.prepare(&other, &email()).await.expect("it is back");
}
