//! What only a file shared by several processes can show.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod migrations;
mod rotations;
mod second_to_third;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, Denied, NewKey, PepperVersion, Peppers, Tier,
    feed::{ChangeFeed, FeedSeq},
    secrets::VersionedSecrets,
    store::{
        KeyHash, KeyRecord, KeyStore, RecordState, RecordVersion, RowMac, SqliteKeyStore,
        StoreError, UnixMillis, Verifier,
    },
};
use secrecy::SecretBox;
use sqlx::{
    AssertSqlSafe, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use tempfile::TempDir;
use tokio::{task::yield_now, time::timeout};

/// How long anything that has to happen may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// A database file, which is removed when dropped.
struct File(TempDir);

impl File {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("keys.db")
    }

    /// A pool as another process would open it.
    async fn pool(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new()
            .filename(self.path())
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .unwrap()
    }

    async fn store(&self) -> SqliteKeyStore {
        let store = SqliteKeyStore::new(self.pool().await);
        store.migrate().await.unwrap();
        store
    }
}

#[tokio::test]
async fn many_processes_migrate_one_file_at_once() {
    let file = File::new();
    let mut stores = Vec::new();
    for _ in 0..8 {
        stores.push(SqliteKeyStore::new(file.pool().await));
    }
    let migrations = stores
        .iter()
        .cloned()
        .map(|store| tokio::spawn(async move { store.migrate().await }));
    for migration in migrations.collect::<Vec<_>>() {
        migration.await.unwrap().unwrap();
    }
    stores[0].insert(&record(1)).await.unwrap();
    stores[7].migrate().await.unwrap();
    assert!(stores[7].load(&record(1).kid).await.unwrap().is_some());
}

#[tokio::test]
async fn a_change_without_its_outbox_row_is_not_made() {
    let file = File::new();
    let store = file.store().await;
    store.insert(&record(1)).await.unwrap();
    let broken = "CREATE TRIGGER broken BEFORE INSERT ON apikey_cache_outbox BEGIN SELECT RAISE(ABORT, ''); END";
    sqlx::query(broken)
        .execute(&file.pool().await)
        .await
        .unwrap();

    let refused = store.insert(&record(2)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert!(store.load(&record(2).kid).await.unwrap().is_none());

    let before = store.load(&record(1).kid).await.unwrap().unwrap();
    store
        .revoke(&before.kid, before.created_at)
        .await
        .unwrap_err();
    let after = store.load(&before.kid).await.unwrap().unwrap();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
}

#[tokio::test]
async fn a_sequence_number_is_never_given_out_twice() {
    let file = File::new();
    let store = file.store().await;
    store.insert(&record(1)).await.unwrap();
    store.insert(&record(2)).await.unwrap();
    sqlx::query("DELETE FROM apikey_cache_outbox")
        .execute(&file.pool().await)
        .await
        .unwrap();
    store.insert(&record(3)).await.unwrap();
    let limit = 10.try_into().unwrap();
    let page = store.changes_after(FeedSeq::START, limit).await.unwrap();
    assert_eq!(page.head, FeedSeq::new(3));
    assert_eq!(
        page.changes
            .iter()
            .map(|change| change.seq.value())
            .collect::<Vec<_>>(),
        [3]
    );
}

#[tokio::test]
async fn a_column_that_cannot_be_read_is_named() {
    let file = File::new();
    let store = Arc::new(file.store().await);
    store.insert(&record(1)).await.unwrap();
    for (change, column) in [
        ("tier = 'Gold'", "tier"),
        ("tier = 'free', scopes = 'A'", "scopes"),
        ("scopes = '', hash = x'00'", "hash"),
        ("hash = zeroblob(32), version = -1", "version"),
    ] {
        let change = format!("UPDATE apikey_cache_api_key SET {change}");
        sqlx::query(AssertSqlSafe(change))
            .execute(&file.pool().await)
            .await
            .unwrap();
        let refused = store.load(&record(1).kid).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unreadable { column: named } if named == column));
    }
}

/// As a later version does it, while processes of this one run.
#[tokio::test]
async fn a_column_that_is_added_breaks_no_statement_that_is_kept() {
    let file = File::new();
    let store = file.store().await;
    store.insert(&record(1)).await.unwrap();
    let is_there = async || store.load(&record(1).kid).await.unwrap().is_some();
    assert!(is_there().await);
    sqlx::query("ALTER TABLE apikey_cache_api_key ADD COLUMN later TEXT")
        .execute(&file.pool().await)
        .await
        .unwrap();
    assert!(is_there().await);
}

#[tokio::test]
async fn a_revocation_by_another_process_is_applied_through_the_file() {
    let file = File::new();
    let (server, key) = serving(&file).await;
    cache(&file).await.revoke(key.kid()).await.unwrap();
    until_refused(&server, &key).await;
    assert_eq!(server.stats().feed_gaps, 0);
}

#[tokio::test]
async fn a_revocation_whose_change_was_dropped_is_found_as_a_gap() {
    let file = File::new();
    let (server, key) = serving(&file).await;
    let mut transaction = file
        .pool()
        .await
        .begin_with("BEGIN IMMEDIATE")
        .await
        .unwrap();
    for statement in [
        "UPDATE apikey_cache_api_key SET status = 'revoked', version = 2, \
         pepper_version = NULL, hash = NULL, row_mac = NULL",
        "INSERT INTO apikey_cache_outbox (kid, version, at) \
         SELECT kid, version, created_at FROM apikey_cache_api_key",
        "DELETE FROM apikey_cache_outbox",
    ] {
        sqlx::query(statement)
            .execute(&mut *transaction)
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
    until_refused(&server, &key).await;
    assert_eq!(server.stats().feed_gaps, 1);
}

fn record(number: u64) -> KeyRecord {
    KeyRecord {
        kid: format!("{number:022}").parse().unwrap(),
        tenant: "tenant-7".parse().unwrap(),
        tier: Tier::FREE,
        scopes: "".parse().unwrap(),
        version: RecordVersion::FIRST,
        not_before: None,
        expires_at: None,
        created_at: UnixMillis::new(1_767_225_600_000),
        last_used: None,
        state: RecordState::Active(Verifier {
            pepper: PepperVersion::try_from(1).unwrap(),
            hash: KeyHash::new([1; 32]),
            row_mac: RowMac::new([2; 32]),
        }),
    }
}

fn peppers() -> Peppers {
    Peppers::new(VersionedSecrets::single(SecretBox::new(Box::new([1; 32])))).unwrap()
}

/// A cache as another process would make it.
async fn cache(file: &File) -> ApiKeyCache {
    let store = Arc::new(file.store().await);
    ApiKeyCache::builder(Arc::clone(&store) as _, store, peppers())
        .store_timeout(DEADLINE)
        .build()
}

/// A cache that answers from memory for a key that another process issued.
async fn serving(file: &File) -> (ApiKeyCache, ApiKey) {
    let new = NewKey::new("tenant-7".parse().unwrap(), Tier::FREE, "".parse().unwrap());
    let key = cache(file).await.issue(new).await.unwrap().into_key();
    let server = cache(file).await;
    tokio::spawn(server.follow());
    let from_memory = async {
        while server.stats().hits == 0 {
            server.validate(&key).await.unwrap();
            yield_now().await;
        }
    };
    timeout(DEADLINE, from_memory).await.unwrap();
    (server, key)
}

/// Waits until the key is refused because of what the follower read.
async fn until_refused(server: &ApiKeyCache, key: &ApiKey) {
    let refused = async {
        while server.validate(key).await.is_ok() {
            yield_now().await;
        }
    };
    timeout(DEADLINE, refused).await.unwrap();
    assert!(
        server.stats().confirmed_for > Duration::ZERO,
        "it was read from the feed, not found by asking the store"
    );
}

#[tokio::test]
async fn trimming_drops_up_to_the_first_change_that_is_kept_and_leaves_no_hole() {
    let file = File::new();
    let store = file.store().await;
    for (number, at) in [(1, 10), (2, 20), (3, 5), (4, 30)] {
        let created_at = UnixMillis::new(at);
        let record = KeyRecord {
            created_at,
            ..record(number)
        };
        store.insert(&record).await.unwrap();
    }
    let kept = async |before| {
        store.trim(UnixMillis::new(before)).await.unwrap();
        let page = store.changes_after(FeedSeq::START, 10.try_into().unwrap());
        let page = page.await.unwrap();
        assert_eq!(page.head, FeedSeq::new(4));
        page.changes
            .iter()
            .map(|change| change.seq.value())
            .collect::<Vec<_>>()
    };
    assert_eq!(kept(5).await, [1, 2, 3, 4]);
    assert_eq!(
        kept(20).await,
        [2, 3, 4],
        "the clock of one process was behind"
    );
    assert_eq!(kept(30).await, [4]);
    assert_eq!(kept(31).await, Vec::<u64>::new());
}
