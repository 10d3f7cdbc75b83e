//! What is owed, and files of other kinds.

use rusqlite::params;

use super::*;
use crate::store::{Sweeping as _, sqlite::SqliteStore};

/// A pass ends before which so much was owed.
async fn end(store: &SqliteStore, owed: u64) {
    let settled = store
        .sweeps
        .write(move |connection| settle(connection, owed));
    settled.await.unwrap();
}

#[tokio::test]
async fn a_pass_settles_what_was_owed_before_it_began_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("a.db"))
        .await
        .unwrap();
    assert!(!store.owes_shredding().await.unwrap());
    store.owe_shredding().await.unwrap();
    // Two passes begin, and one of them ends.
    end(&store, 1).await;
    assert!(!store.owes_shredding().await.unwrap());
    store.owe_shredding().await.unwrap();
    // The other ends, which has gone over pages that the second erasure was on.
    end(&store, 1).await;
    assert!(store.owes_shredding().await.unwrap());
    end(&store, 2).await;
    // One that began long before.
    end(&store, 1).await;
    assert!(!store.owes_shredding().await.unwrap());
    store.close().await;
}

/// Its pages that map pointers look like pages of trees.
#[tokio::test]
async fn a_file_that_was_made_to_shrink_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    SqliteStore::open(&path).await.unwrap().close().await;
    let connection = Connection::open(&path).unwrap();
    let shrinking =
        "PRAGMA auto_vacuum = 2; VACUUM; CREATE TABLE filler (n INTEGER PRIMARY KEY, text BLOB)";
    connection.execute_batch(shrinking).unwrap();
    connection.execute_batch("BEGIN").unwrap();
    for n in 0..2_000 {
        let fill = "INSERT INTO filler VALUES (?, zeroblob(3500))";
        connection.execute(fill, params![n]).unwrap();
    }
    connection
        .execute_batch("DELETE FROM filler WHERE n > 100; COMMIT")
        .unwrap();
    let free: i64 = connection
        .query_row("PRAGMA freelist_count", [], |row| row.get(0))
        .unwrap();
    assert!(free > 1_000, "{free}");
    drop(connection);
    let store = SqliteStore::open(&path).await.unwrap();
    assert!(store.shred().await.unwrap());
    let check = |connection: &Connection| {
        Ok(connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?)
    };
    let checked: String = store.sweeps.read(check).await.unwrap();
    assert_eq!(checked, "ok");
    store.close().await;
}
