//! The tables, and who makes them.

use portcullis_audit_log::store::{Store as _, StoreError};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;
use crate::shared_log::append;

fn no_part(_: u64) -> Option<Vec<u8>> {
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_and_write_at_once_lose_nothing() {
    let folder = TempDir::new().unwrap();
    let mut starting = JoinSet::new();
    for _ in 0..4 {
        let path = folder.path().to_owned();
        starting.spawn(async move {
            let store = open(&path).await;
            for _ in 0..5 {
                let taken = store.lock(&shared_log::TENANTS).await.unwrap();
                let mut group = portcullis_audit_log::store::Group::new(taken.state());
                let first = group.first();
                for n in first..first + 3 {
                    group.push(&shared_log::event(n), None).unwrap();
                }
                taken.commit(&group).await.unwrap();
            }
        });
    }
    starting.join_all().await;
    assert_eq!(open(folder.path()).await.size().await.unwrap(), 4 * 5 * 3);
}

#[tokio::test]
async fn tables_of_a_later_release_are_refused() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    store.migrate().await.unwrap();
    let later = sqlx::query("UPDATE audit_migrations SET version = version + 100");
    later.execute(&pool(options(folder.path()))).await.unwrap();
    let refused = store.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::Migration(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn connections_that_do_not_keep_what_they_are_given_are_refused() {
    let folder = TempDir::new().unwrap();
    for careless in [
        options(folder.path()).synchronous(SqliteSynchronous::Normal),
        options(folder.path()).pragma("secure_delete", "OFF"),
        options(folder.path()).pragma("secure_delete", "FAST"),
    ] {
        let refused = SqliteStore::new(pool(careless)).migrate().await;
        assert!(
            matches!(refused, Err(StoreError::Migration(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn no_leaf_is_changed_or_taken_out_by_mistake() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    append(&store, 600, no_part).await;
    let pool = pool(options(folder.path()));
    for mistake in [
        "UPDATE audit_event SET tenant = 'tenant-b' WHERE n = 300",
        "DELETE FROM audit_event WHERE n = 300",
        "DELETE FROM audit_event",
    ] {
        let refused = sqlx::query(mistake).execute(&pool).await;
        assert!(refused.is_err(), "{mistake}");
    }
    assert_eq!(store.prune(600).await.unwrap(), 512);
}

#[tokio::test]
async fn no_leaf_goes_that_is_not_published() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    append(&store, 300, no_part).await;
    let taken = store.lock(&[]).await.unwrap();
    let mut group = portcullis_audit_log::store::Group::new(taken.state());
    for n in 300..900 {
        group.push(&shared_log::event(n), None).unwrap();
    }
    taken.commit(&group).await.unwrap();
    assert_eq!(store.prune(900).await.unwrap(), 256);
    append(&store, 1, no_part).await;
    assert_eq!(store.prune(900).await.unwrap(), 512);
}

/// Of each term, and of no term, without reading what is not meant or sorting what is.
#[tokio::test]
async fn a_search_uses_an_index_for_each_term() {
    let folder = TempDir::new().unwrap();
    open(folder.path()).await;
    let pool = pool(options(folder.path()));
    for (term, index) in [
        ("tenant = 'x'", "audit_event_by_tenant"),
        ("actor = 'x'", "audit_event_by_actor"),
        ("action = 'x'", "audit_event_by_action"),
        ("outcome = 'x'", "audit_event_by_outcome"),
        (
            "n IN (SELECT n FROM audit_term WHERE kind = 'field' AND value = 'x' AND n >= 0 AND n < 9)",
            "audit_term_by_value",
        ),
        ("time >= 7", "INTEGER PRIMARY KEY"),
    ] {
        let explain = format!(
            "EXPLAIN QUERY PLAN SELECT n, leaf FROM audit_event
             WHERE n >= 0 AND n < 9 AND {term} ORDER BY n DESC LIMIT 51"
        );
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(explain))
            .fetch_all(&pool)
            .await
            .unwrap();
        let plan: Vec<_> = plan.into_iter().map(|(.., step)| step).collect();
        let plan = plan.join("; ");
        assert!(plan.contains(index), "{term}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{term}: {plan}");
        assert!(!plan.contains("SCAN"), "{term}: {plan}");
    }
}
