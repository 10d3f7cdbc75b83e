//! The contract of the store, and who is added with whom.

use std::{
    mem,
    sync::atomic::{AtomicUsize, Ordering},
    time::SystemTime,
};

use portcullis_keyring::{KeyState, Purpose, conformance, kek::KekContext};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use tempfile::TempDir;
use tokio::sync::oneshot::Receiver;

use super::*;

async fn pool(folder: &TempDir, name: &str) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join(name))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePoolOptions::new().max_connections(2);
    pool.connect_with(options).await.unwrap()
}

async fn open(folder: &TempDir, name: &str, turns: &WriteTurns) -> Arc<GroupedKeys> {
    let store = SqliteDekStore::new(pool(folder, name).await);
    store.migrate().await.unwrap();
    Arc::new(GroupedKeys::new(store, turns.clone()))
}

fn key(id: u32, tenant: &str) -> StoredKey {
    let (tenant, purpose) = (
        TenantId::new(tenant).unwrap(),
        Purpose::new("email").unwrap(),
    );
    let context = KekContext::new(tenant, purpose, KeyId::new(id));
    let wrapped = WrappedKey::from_bytes(vec![7; 60]);
    StoredKey::new(context, KeyState::Primary, wrapped, SystemTime::UNIX_EPOCH)
}

/// Somebody who waits to have a key added.
fn wait(store: &GroupedKeys, key: StoredKey) -> Receiver<Result<(), InsertError>> {
    let (reply, answer) = oneshot::channel();
    store.waiting().push(Waiting { key, reply });
    answer
}

async fn has(store: &GroupedKeys, id: u32) -> bool {
    store.load(KeyId::new(id)).await.unwrap().is_some()
}

#[tokio::test]
async fn it_is_a_store_of_data_keys() {
    let folder = tempfile::tempdir().unwrap();
    let made = AtomicUsize::new(0);
    conformance::dek_store(async || {
        let number = made.fetch_add(1, Ordering::Relaxed);
        open(&folder, &format!("{number}.db"), &WriteTurns::default()).await as _
    })
    .await;
}

#[tokio::test]
async fn who_has_the_turn_adds_the_keys_of_all_who_wait() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, "keys.db", &WriteTurns::default()).await;
    let mut second = wait(&store, key(2, "two"));
    let mut taken = wait(&store, key(2, "three"));
    drop(wait(&store, key(4, "four")));
    store.insert(&key(1, "one")).await.unwrap();
    second.try_recv().unwrap().unwrap();
    let taken = taken.try_recv().unwrap();
    assert!(matches!(taken, Err(InsertError::IdTaken)), "{taken:?}");
    assert!(has(&store, 1).await && has(&store, 2).await);
    assert!(!has(&store, 4).await, "nobody waits for it");
}

#[tokio::test]
async fn whose_key_somebody_else_began_to_add_adds_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let turns = WriteTurns::default();
    let store = open(&folder, "keys.db", &turns).await;
    let held = turns.take().await;
    let key = key(1, "one");
    let (added, ()) = tokio::join!(biased; store.insert(&key), async {
        // What somebody does who takes all that wait, and is dropped.
        store.waiting().clear();
        drop(held);
    });
    added.unwrap();
    assert!(has(&store, 1).await);
}

#[tokio::test]
async fn whose_reply_was_lost_finds_the_own_key_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let turns = WriteTurns::default();
    let store = open(&folder, "keys.db", &turns).await;
    for (id, added_by, is_own) in [(1, "one", true), (2, "another", false)] {
        let held = turns.take().await;
        let own = key(id, "one");
        let (added, ()) = tokio::join!(biased; store.insert(&own), async {
            // What somebody does who takes all that wait, and is dropped after the commit.
            let lost = mem::take(&mut *store.waiting());
            store.store.insert(&key(id, added_by)).await.unwrap();
            drop((lost, held));
        });
        assert_eq!(added.is_ok(), is_own, "{added:?}");
        assert!(is_own || matches!(added, Err(InsertError::IdTaken)));
    }
}

#[tokio::test]
async fn one_turn_adds_so_many_and_the_next_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let turns = WriteTurns::default();
    let store = open(&folder, "keys.db", &turns).await;
    let last = u32::try_from(MOST_TOGETHER).unwrap();
    let mut waiting: Vec<_> = (0..=last)
        .map(|id| wait(&store, key(id, &format!("tenant-{id}"))))
        .collect();
    store.add_waiting(turns.take().await).await;
    let mut left = waiting.split_off(MOST_TOGETHER);
    for mut added in waiting {
        added.try_recv().unwrap().unwrap();
    }
    left[0].try_recv().unwrap_err();

    // Who has the turn is the last of more than one turn adds, and takes another.
    let _more: Vec<_> = (1..=last)
        .map(|id| wait(&store, key(last + id, &format!("more-{id}"))))
        .collect();
    store.insert(&key(u32::MAX, "own")).await.unwrap();
    left[0].try_recv().unwrap().unwrap();
}

#[tokio::test]
async fn all_who_are_added_together_learn_that_nothing_was_added() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, "keys.db", &WriteTurns::default()).await;
    let rename = "ALTER TABLE keyring_data_key RENAME TO gone";
    let pool = pool(&folder, "keys.db").await;
    sqlx::query(rename).execute(&pool).await.unwrap();
    let mut second = wait(&store, key(2, "two"));
    let first = store.insert(&key(1, "one")).await;
    for refused in [first, second.try_recv().unwrap()] {
        let is_told = matches!(refused, Err(InsertError::Store(StoreError::Unavailable(_))));
        assert!(is_told, "{refused:?}");
    }
}
