//! A log in PostgreSQL, on a real server: its contract, roles, what somebody changes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod changed;
mod roles;
mod server;
mod shared;
#[path = "../support/shared_checks.rs"]
mod shared_checks;
#[path = "../support/shared_log.rs"]
mod shared_log;
#[path = "../support/writers.rs"]
mod writers;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use portcullis_audit_log::{
    conformance,
    store::{Group, PostgresStore, Store as _, StoreError},
};
use sqlx::PgPool;
use tokio::task::JoinSet;

use self::server::Server;

async fn migrated(pool: PgPool) -> PostgresStore {
    let store = PostgresStore::new(pool);
    store.migrate().await.unwrap();
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let (server, made) = (Server::start(), AtomicUsize::new(0));
    conformance::store(async || {
        let schema = format!("clause_{}", made.fetch_add(1, Ordering::Relaxed));
        Arc::new(migrated(server.schema(&schema).await).await) as _
    })
    .await;
    assert!(made.into_inner() > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_and_write_at_once_lose_nothing() {
    let server = Server::start();
    let mut starting = JoinSet::new();
    for _ in 0..4 {
        let pool = server.schema("shared").await;
        starting.spawn(async move {
            let store = migrated(pool).await;
            for _ in 0..5 {
                let taken = store.lock(&shared_log::TENANTS).await.unwrap();
                let mut group = Group::new(taken.state());
                let first = group.first();
                for n in first..first + 3 {
                    group.push(&shared_log::event(n), None).unwrap();
                }
                taken.commit(&group).await.unwrap();
            }
        });
    }
    starting.join_all().await;
    let store = migrated(server.schema("shared").await).await;
    assert_eq!(store.size().await.unwrap(), 4 * 5 * 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_later_release_are_refused() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    let later = sqlx::query("UPDATE audit_migrations SET version = version + 100");
    later.execute(&pool).await.unwrap();
    let refused = store.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::Migration(_))),
        "{refused:?}"
    );
}

/// The part of a process that a test has started.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    if let Some(port) = writers::place() {
        let options = server::options(port.parse().unwrap(), "postgres", "shared");
        let store = migrated(server::pool(options)).await;
        writers::record_all(Arc::new(store)).await;
    }
}
