//! What a superuser changes in the tables.

use portcullis_audit_log::verify::{EntryFault, Finding, Outcome};
use sqlx::Executor as _;
use tokio::runtime::Handle;

use super::*;
use crate::shared_log::{append, verify};

#[tokio::test(flavor = "multi_thread")]
async fn each_changed_row_and_leaf_is_found() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    append(&store, 700, |_| None).await;
    assert_eq!(store.prune(300).await.unwrap(), 256);
    pool.execute("ALTER TABLE audit_event DISABLE TRIGGER ALL")
        .await
        .unwrap();
    for (change, expected) in [
        ("SELECT 1", None),
        (
            "UPDATE audit_event SET time = time + 1 WHERE n = 300",
            Some(EntryFault::Row),
        ),
        (
            "UPDATE audit_event SET tenant = 'tenant-x' WHERE n = 300",
            Some(EntryFault::Row),
        ),
        (
            "DELETE FROM audit_term WHERE n = 300",
            Some(EntryFault::Row),
        ),
        (
            "DELETE FROM audit_bundle WHERE number = 1",
            Some(EntryFault::Row),
        ),
        (
            "UPDATE audit_event SET leaf = overlay(leaf PLACING 'x'::bytea FROM 60) WHERE n = 300",
            Some(EntryFault::Changed),
        ),
    ] {
        // Each is taken back by what was there before.
        let saved = "
            CREATE TABLE saved_event AS TABLE audit_event; CREATE TABLE saved_term AS TABLE audit_term;
            CREATE TABLE saved_bundle AS TABLE audit_bundle";
        pool.execute(saved).await.unwrap();
        pool.execute(change).await.unwrap();
        let rows = store.index_rows(Handle::current());
        let report = verify(Arc::new(store.clone()), rows).await;
        let found = report.findings.iter().find_map(|finding| match finding {
            Finding::Entry { fault, .. } => Some(*fault),
            _ => None,
        });
        assert_eq!(found, expected, "{change}: {report:?}");
        let is_sound = report.outcome() == Outcome::Sound;
        assert_eq!(is_sound, expected.is_none(), "{change}: {report:?}");
        let restored = "
            DELETE FROM audit_event; INSERT INTO audit_event TABLE saved_event; DROP TABLE saved_event;
            DELETE FROM audit_term; INSERT INTO audit_term TABLE saved_term; DROP TABLE saved_term;
            DELETE FROM audit_bundle; INSERT INTO audit_bundle TABLE saved_bundle; DROP TABLE saved_bundle";
        pool.execute(restored).await.unwrap();
    }
}
