//! Rows that this crate never wrote, and what errors say of rows.

use std::{fs, io::Write as _};

use portcullis_apikey_cache::{
    feed::{ChangeFeed as _, FeedSeq, Reader, ReaderId},
    store::KeyStore as _,
};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_cannot_be_read_is_named() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    store.insert(&record(1)).await.unwrap();
    for (change, column) in [
        ("tier = 'Gold'", "tier"),
        ("tier = 'free', scopes = 'A'", "scopes"),
        ("scopes = '', hash = '\\x00'", "hash"),
        (
            "hash = decode(repeat('00', 32), 'hex'), version = -1",
            "version",
        ),
        ("version = 1, pepper_version = 65536", "pepper_version"),
        ("pepper_version = 1, tenant = 'a b'", "tenant"),
    ] {
        run(&pool, format!("UPDATE apikey_cache_api_key SET {change}")).await;
        let refused = store.load(&record(1).kid).await.unwrap_err();
        assert!(
            matches!(refused, StoreError::Unreadable { column: named } if named == column),
            "{refused:?}"
        );
    }
    run(&pool, "UPDATE apikey_cache_outbox SET kid = 'short'").await;
    let refused = store.changes_after(FeedSeq::START, 10.try_into().unwrap());
    let refused = refused.await.unwrap_err();
    assert!(matches!(refused, StoreError::Unreadable { column: "kid" }));
}

/// As a later version does it, while processes of this one run.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_added_breaks_no_statement_that_is_kept() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    store.insert(&record(1)).await.unwrap();
    for later in ["api_key", "outbox", "reader", "feed"] {
        for _ in 0..2 {
            assert!(store.load(&record(1).kid).await.unwrap().is_some());
            let page = store.changes_after(FeedSeq::START, 10.try_into().unwrap());
            assert_eq!(page.await.unwrap().changes.len(), 1);
            store.readers(ISSUED).await.unwrap();
            store.id().await.unwrap();
        }
        run(
            &pool,
            format!("ALTER TABLE apikey_cache_{later} ADD COLUMN later TEXT"),
        )
        .await;
    }
    assert!(store.load(&record(1).kid).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_without_its_outbox_row_is_not_made() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    store.insert(&record(1)).await.unwrap();
    // The second row of a rotation, too.
    run(
        &pool,
        "ALTER TABLE apikey_cache_outbox ADD CHECK (kid <> '0000000000000000000002')",
    )
    .await;
    assert_unavailable(store.insert(&record(2)).await, "23514");
    assert!(store.load(&record(2).kid).await.unwrap().is_none());
    assert_unavailable(store.rotate(&ended(), &record(2)).await, "23514");
    let after = store.load(&record(1).kid).await.unwrap().unwrap();
    assert_eq!(format!("{after:?}"), format!("{:?}", record(1)));
    assert_eq!(store.head().await.unwrap(), FeedSeq::new(1));
}

/// A server quotes the whole row in the detail of its error.
#[tokio::test(flavor = "multi_thread")]
async fn no_error_holds_a_value_of_a_row() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    run(
        &pool,
        "ALTER TABLE apikey_cache_api_key ADD CHECK (tenant <> 'canary-tenant');
         ALTER TABLE apikey_cache_reader ADD CHECK (applied <> 424242)",
    )
    .await;
    let canary = KeyRecord {
        tenant: "canary-tenant".parse().unwrap(),
        tier: Tier::new("canary-tier").unwrap(),
        ..record(424_242)
    };
    let reader = Reader {
        id: ReaderId::new([1; 16]),
        applied: FeedSeq::new(424_242),
        at: ISSUED,
    };
    for refused in [
        store.insert(&canary).await.map(drop),
        store.note_reader(&reader).await,
    ] {
        let words = words(&refused.unwrap_err());
        assert!(words.contains("23514"), "{words}");
        for canary in ["canary", "424242", "0101"] {
            assert!(!words.contains(canary), "{words}");
        }
    }
    // Names that are wrong are told: an operator has to find them.
    run(&pool, "ALTER TABLE apikey_cache_reader RENAME TO gone").await;
    let words = words(&store.note_reader(&reader).await.unwrap_err());
    assert!(
        words.contains("\"apikey_cache_reader\" does not exist"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_told_from_an_unavailable_one() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    store.insert(&record(1)).await.unwrap();
    let path = "SELECT pg_relation_filepath('apikey_cache_api_key')";
    let path: String = sqlx::query_scalar(path).fetch_one(&pool).await.unwrap();
    run(&pool, "CHECKPOINT").await;
    server.crash();
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(server.file(&path))
        .unwrap();
    file.write_all(&[0xa5; 8192]).unwrap();
    drop(file);
    server.resume();
    let read = store.load(&record(1).kid).await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    let written = store.revoke(&record(1).kid, ISSUED).await;
    assert!(
        matches!(written, Err(StoreError::Corrupt(_))),
        "{written:?}"
    );
}
