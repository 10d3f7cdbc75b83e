//! The contracts, as the owner of the tables and as a role that may do no more than the README says.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use portcullis_apikey_cache::{conformance, store::KeyStore as _};

use super::*;

/// Makes a store in a schema of its own, of connections with these settings.
async fn next(server: &Server, made: &AtomicUsize, isolation: &str) -> Arc<PostgresKeyStore> {
    let schema = format!("clause_{}", made.fetch_add(1, Ordering::Relaxed));
    let settings = [("default_transaction_isolation", isolation)];
    Arc::new(migrated(server.schema_with(&schema, &settings).await).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_key_store_and_a_change_feed_whatever_the_isolation_level() {
    let (server, made) = (Server::start(), AtomicUsize::new(0));
    for isolation in ["read committed", "serializable"] {
        conformance::key_store(async || next(&server, &made, isolation).await as _).await;
        conformance::change_feed(async || {
            let store = next(&server, &made, isolation).await;
            (Arc::clone(&store) as _, store as _)
        })
        .await;
    }
    assert!(made.into_inner() > 60);
}

/// What the README tells operators to grant.
fn grants() -> &'static str {
    let readme = include_str!("../../README.md");
    let (_, fence) = readme.split_once("```sql\n").unwrap();
    let (grants, _) = fence.split_once("```").unwrap();
    grants
}

/// A schema whose tables belong to somebody else, as the role `service` sees it.
async fn as_service(server: &Server, schema: &str) -> PgPool {
    let owner = server.schema(schema).await;
    migrated(owner.clone()).await;
    let grants = grants().replace("SCHEMA public", &format!("SCHEMA {schema}"));
    run(&owner, grants).await;
    owner.close().await;
    server.pool("service", schema, &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_needs_no_more_than_the_grants_of_the_readme() {
    let (server, made) = (Server::start(), AtomicUsize::new(0));
    let owner = server.schema("public").await;
    run(&owner, "CREATE ROLE service LOGIN").await;
    let next = async || {
        let schema = format!("clause_{}", made.fetch_add(1, Ordering::Relaxed));
        let store = PostgresKeyStore::new(as_service(&server, &schema).await);
        store.check().await.unwrap();
        // There is nothing to do.
        store.migrate().await.unwrap();
        Arc::new(store)
    };
    conformance::key_store(async || next().await as _).await;
    conformance::change_feed(async || {
        let store = next().await;
        (Arc::clone(&store) as _, store as _)
    })
    .await;
    assert!(made.into_inner() > 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_grant_of_the_readme_is_needed_and_a_check_finds_it_missing() {
    let server = Server::start();
    let owner = server.schema("public").await;
    run(&owner, "CREATE ROLE service LOGIN").await;
    let pool = as_service(&server, "shared").await;
    let store = PostgresKeyStore::new(pool.clone());
    let mut revoked = 0;
    let owner = server.schema("shared").await;
    for line in grants().lines() {
        let Some((rights, rest)) = line
            .strip_prefix("GRANT ")
            .and_then(|line| line.split_once(" ON apikey_cache_"))
        else {
            continue;
        };
        let (table, _) = rest.split_once(' ').unwrap();
        for right in rights.split(", ") {
            let target = format!("{right} ON apikey_cache_{table}");
            run(&owner, format!("REVOKE {target} FROM service")).await;
            let refused = store.check().await;
            assert!(refused.is_err(), "{target} is not needed");
            // Which table it is, is said.
            let table = format!("permission denied for table apikey_cache_{table}");
            assert!(words(&refused.unwrap_err()).contains(&table), "{target}");
            run(&owner, format!("GRANT {target} TO service")).await;
            revoked += 1;
        }
    }
    assert_eq!(revoked, 13);
    store.check().await.unwrap();
    for beyond in [
        "DROP TABLE apikey_cache_api_key",
        "DELETE FROM apikey_cache_api_key",
        "TRUNCATE apikey_cache_outbox",
        "UPDATE apikey_cache_feed SET id = decode(repeat('07', 16), 'hex')",
        "UPDATE apikey_cache_outbox SET at = 0",
        "DELETE FROM apikey_cache_migrations",
        "CREATE TABLE other (id INTEGER)",
    ] {
        let refused = sqlx::query(beyond).execute(&pool).await;
        assert!(refused.is_err(), "{beyond}");
    }
}
