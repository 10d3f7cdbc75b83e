//! Who may do what.

use sqlx::Executor as _;

use super::{server::pool, *};
use crate::shared_log::append;

const ROLES: &str = "
    CREATE ROLE writer LOGIN; CREATE ROLE pruner LOGIN; CREATE ROLE reader LOGIN; CREATE ROLE nobody LOGIN;
    CREATE ROLE keeper LOGIN; ALTER SCHEMA shared OWNER TO keeper";

const GRANTS: &str = "
    SELECT audit_let_write('writer'); SELECT audit_let_write('pruner'); SELECT audit_let_prune('pruner');
    SELECT audit_let_read('reader')";

fn part(_: u64) -> Option<Vec<u8>> {
    Some(vec![7; 40])
}

/// A log of 600 leaves, which `keeper` owns and is no superuser.
async fn owned(server: &Server) {
    server.schema("shared").await.execute(ROLES).await.unwrap();
    let owner = pool(server.options("keeper", "shared"));
    migrated(owner.clone()).await;
    owner.execute(GRANTS).await.unwrap();
    let store = migrated(pool(server.options("writer", "shared"))).await;
    append(&store, 600, part).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_may_neither_change_nor_delete_a_leaf() {
    let server = Server::start();
    owned(&server).await;
    let writer = pool(server.options("writer", "shared"));
    for forbidden in [
        "UPDATE audit_event SET leaf = leaf",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "UPDATE audit_term SET value = value",
        "DELETE FROM audit_term",
        "UPDATE audit_personal SET sealed = sealed",
        "DELETE FROM audit_tile",
        "DELETE FROM audit_log",
        "SELECT audit_prune(600)",
        "SELECT audit_let_prune('writer')",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    ] {
        let refused = writer.execute(forbidden).await.unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap();
        assert_eq!(code, "42501", "{forbidden}");
    }
    let store = PostgresStore::new(writer);
    assert_eq!(store.erase(&[7, 8]).await.unwrap(), 2);
    assert!(store.prune(600).await.is_err());
    assert_eq!(store.first().await.unwrap(), 0);
    let pruner = PostgresStore::new(pool(server.options("pruner", "shared")));
    assert_eq!(pruner.prune(600).await.unwrap(), 512);
    append(&store, 1, part).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_changes_no_leaf_by_mistake() {
    let server = Server::start();
    owned(&server).await;
    let owner = pool(server.options("keeper", "shared"));
    for mistake in [
        "UPDATE audit_event SET tenant = 'tenant-b' WHERE n = 7",
        "DELETE FROM audit_event WHERE n = 7",
        "TRUNCATE audit_event",
    ] {
        assert!(owner.execute(mistake).await.is_err(), "{mistake}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_sees_its_leaves_alone() {
    let server = Server::start();
    owned(&server).await;
    let reader = pool(server.options("reader", "shared"));
    let mut connection = reader.acquire().await.unwrap();
    let seen = "SELECT count(*), count(DISTINCT tenant), min(tenant) FROM audit_event";
    let row: (i64, i64, Option<String>) = sqlx::query_as(seen)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(row, (0, 0, None));
    connection
        .execute("SET audit.tenant = 'tenant-b'")
        .await
        .unwrap();
    let row: (i64, i64, Option<String>) = sqlx::query_as(seen)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(row, (172, 1, Some("tenant-b".to_owned())));
    // Who has the role says himself whose leaves he sees, and can say another.
    let other = "SET audit.tenant = 'tenant-a'";
    connection.execute(other).await.unwrap();
    let row: (i64, i64, Option<String>) = sqlx::query_as(seen)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!((row.1, row.2.as_deref()), (1, Some("tenant-a")));
    for forbidden in ["SELECT * FROM audit_term", "SELECT * FROM audit_personal"] {
        assert!(connection.execute(forbidden).await.is_err(), "{forbidden}");
    }
    let nobody = pool(server.options("nobody", "shared"));
    assert!(nobody.execute("SELECT * FROM audit_event").await.is_err());
}
