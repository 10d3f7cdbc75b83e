//! What is owed to be shredded is settled, by whom it may be.

use std::{sync::Arc, time::Duration};

use portcullis_keyring::TenantId;
use rusqlite::Connection;
use tokio::time::{sleep, timeout};

use crate::{
    clock::SystemClock,
    store::{Shredder, Sweeping as _, sqlite::SqliteStore},
};

const SOON: Duration = Duration::from_secs(60);

fn shredder(store: &SqliteStore) -> Shredder {
    Shredder::new(Arc::new(store.clone()), Arc::new(SystemClock))
}

async fn settled(store: &SqliteStore) {
    while store.owes_shredding().await.unwrap() {
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_an_earlier_process_owes_is_settled_without_being_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let earlier = SqliteStore::open(&path).await.unwrap();
    earlier.owe_shredding().await.unwrap();
    earlier.close().await;
    let store = SqliteStore::open(&path).await.unwrap();
    let running = tokio::spawn(shredder(&store).run());
    timeout(SOON, settled(&store)).await.unwrap();
    running.abort();
    store.close().await;
}

#[tokio::test]
async fn one_that_waits_finds_its_erasure_shredded_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("a.db"))
        .await
        .unwrap();
    let shredder = shredder(&store);
    let running = tokio::spawn(shredder.clone().run());
    // One after the other: a short pass is followed by no pause.
    for _ in 0..10 {
        store.owe_shredding().await.unwrap();
        shredder.wait(SOON).await;
        assert!(!store.owes_shredding().await.unwrap());
    }
    running.abort();
    store.close().await;
}

#[tokio::test]
async fn while_somebody_reads_it_stays_owed_and_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let tenant = TenantId::new("acme").unwrap();
    assert_eq!(store.erase_tenant(&tenant).await.unwrap(), 0);
    store.owe_shredding().await.unwrap();
    let reader = Connection::open(&path).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM lead")
        .unwrap();
    store.owe_shredding().await.unwrap();
    let shredder = shredder(&store);
    let running = tokio::spawn(shredder.clone().run());
    shredder.wait(SOON).await;
    assert!(store.owes_shredding().await.unwrap());
    assert!(shredder.owed_for().is_some());
    reader.execute_batch("COMMIT").unwrap();
    timeout(SOON, settled(&store)).await.unwrap();
    shredder.wait(SOON).await;
    assert_eq!(shredder.owed_for(), None);
    running.abort();
    store.close().await;
}
