//! The store in SQLite: its contract, and several processes on one file.

mod adoption;
mod damage;
mod versions;

use std::{
    num::NonZeroU32,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use proptest::prelude::*;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use tempfile::TempDir;
use tokio::sync::Barrier;

use super::*;
use crate::{
    KeyState, Keyring, Purpose,
    conformance::{self, key, tenant},
    kek::{KekContext, MemoryKek},
    store::MemoryDekStore,
};

#[tokio::test]
async fn it_is_a_dek_store() {
    let dir = TempDir::new().expect("a folder");
    let made = AtomicUsize::new(0);
    conformance::dek_store(async || {
        let number = made.fetch_add(1, Ordering::Relaxed);
        let store = open(&dir.path().join(format!("{number}.db"))).await;
        store.migrate().await.expect("the tables are made");
        Arc::new(store) as _
    })
    .await;
}

/// As a later version does it, while processes of this one run.
#[tokio::test]
async fn a_column_that_is_added_breaks_no_statement_that_is_kept() {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("a.db");
    let (store, later) = (open(&path).await, open(&path).await);
    store.migrate().await.expect("the tables are made");
    let key = key(1, "one", "email", KeyState::Primary);
    store.insert(&key).await.expect("it is added");
    let all = KeyQuery::all(NonZeroU32::MAX);
    let read = async || {
        let one = store.load(key.id()).await.expect("it answers");
        let tenant = store.load_tenant(key.tenant()).await.expect("it answers");
        let listed = store.list(&all).await.expect("it answers");
        (one.is_some(), tenant.keys.len(), listed.keys.len())
    };
    assert_eq!(read().await, (true, 1, 1));
    sqlx::query("ALTER TABLE keyring_data_key ADD COLUMN later TEXT")
        .execute(&later.pool)
        .await
        .expect("it is added");
    assert_eq!(read().await, (true, 1, 1));
}

#[tokio::test]
async fn of_keys_that_are_added_together_each_is_added_or_refused() {
    let (store, _dir) = make().await;
    store.erase_tenant(&tenant("gone"), AT).await.unwrap();
    let keys = [
        key(1, "one", "email", KeyState::Primary),
        key(1, "two", "email", KeyState::Primary),
        key(3, "one", "email", KeyState::Primary),
        key(4, "gone", "email", KeyState::Primary),
        key(5, "one", "phone", KeyState::Primary),
    ];
    let outcomes = store.insert_all(&keys).await.unwrap();
    assert!(
        matches!(
            outcomes[..],
            [
                Ok(()),
                Err(InsertError::IdTaken),
                Err(InsertError::StateTaken),
                Err(InsertError::TenantErased),
                Ok(())
            ]
        ),
        "{outcomes:?}"
    );
    assert_eq!(
        store.load_tenant(&tenant("one")).await.unwrap().keys,
        [keys[0].clone(), keys[4].clone()]
    );
    assert_eq!(store.load_tenant(&tenant("two")).await.unwrap().keys, []);
}

async fn make() -> (SqliteDekStore, TempDir) {
    let dir = TempDir::new().expect("a folder");
    let store = open(&dir.path().join("keys.db")).await;
    store.migrate().await.expect("the tables are made");
    (store, dir)
}

/// What another process has: a pool of its own.
async fn open(path: &Path) -> SqliteDekStore {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(30));
    let pool = SqlitePoolOptions::new()
        .max_connections(2)
        .connect_with(options)
        .await;
    SqliteDekStore::new(pool.expect("the database opens"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_migrate_at_once_all_succeed() {
    for _ in 0..10 {
        let dir = TempDir::new().expect("a folder");
        let start = Arc::new(Barrier::new(8));
        let mut migrations = Vec::new();
        for _ in 0..8 {
            // Opened one after the other: switching a new file to WAL is the application's to retry.
            let store = open(&dir.path().join("keys.db")).await;
            let start = Arc::clone(&start);
            migrations.push(tokio::spawn(async move {
                start.wait().await;
                store.migrate().await
            }));
        }
        for migration in migrations {
            migration.await.expect("no panic").expect("it migrates");
        }
    }
}

#[tokio::test]
async fn migrating_again_keeps_what_is_there() {
    let (store, _dir) = make().await;
    store
        .insert(&key(1, "t", "email", KeyState::Primary))
        .await
        .expect("there is room");
    store.migrate().await.expect("nothing to do");
    assert!(
        store
            .load(KeyId::new(1))
            .await
            .expect("it answers")
            .is_some()
    );
}

#[tokio::test]
async fn the_schema_itself_refuses_what_the_contract_forbids() {
    let (store, _dir) = make().await;
    store
        .insert(&key(1, "t", "email", KeyState::Primary))
        .await
        .expect("there is room");
    for row in [
        "(2, 't', 'email', x'00', 'primary', 0)",
        "(2, 't', 'email', x'00', 'retired', 0)",
        "(2, 't', 'email', x'00', 'destroyed', 0)",
        "(2, 't', 'email', NULL, 'disabled', 0)",
        "(4294967296, 't', 'email', x'00', 'disabled', 0)",
        "(1, 't', 'email', x'00', 'disabled', 0)",
    ] {
        let insert = format!(
            "INSERT INTO keyring_data_key (key_id, tenant, purpose, wrapped, state, created_at) VALUES {row}"
        );
        let answer = sqlx::query(sqlx::AssertSqlSafe(insert))
            .execute(&store.pool)
            .await;
        assert!(answer.is_err(), "{row}");
    }
}

#[tokio::test]
async fn a_damaged_row_is_named_and_not_guessed() {
    let (store, _dir) = make().await;
    sqlx::query("INSERT INTO keyring_data_key VALUES (77, '', 'email', x'00', 'primary', 0, 0)")
        .execute(&store.pool)
        .await
        .expect("the schema lets it through");
    let answer = store.load(KeyId::new(77)).await;
    assert!(matches!(answer, Err(StoreError::Damaged(77))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_race_to_make_the_first_key_agree_on_one() {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("keys.db");
    let kek = Arc::new(MemoryKek::new().expect("a KEK"));
    let mut racers = Vec::new();
    for _ in 0..6 {
        let store = open(&path).await;
        store.migrate().await.expect("the tables are made");
        racers.push(Keyring::builder(kek.clone(), Arc::new(store)).build());
    }
    let race = racers.into_iter().map(|keyring| {
        tokio::spawn(async move {
            let email = Purpose::new("email").expect("a name");
            let keys = keyring
                .prepare(&tenant("t"), &[email])
                .await
                .expect("it answers");
            keys.primary("email", keys.clock().monotonic())
                .expect("it is fresh")
                .id()
        })
    });
    let race: Vec<_> = race.collect();
    let mut ids = Vec::new();
    for racer in race {
        ids.push(racer.await.expect("no panic"));
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let kept = open(&path)
        .await
        .load_tenant(&tenant("t"))
        .await
        .expect("it answers");
    assert_eq!(kept.rows(), 1);
}

#[tokio::test]
async fn keys_are_written_again_once_a_full_disk_has_room() {
    let (store, dir) = make().await;
    let options = || SqliteConnectOptions::new().filename(dir.path().join("keys.db"));
    let full = options().pragma("max_page_count", "1");
    store.pool.set_connect_options(full);
    // The pool has two at most; both are to be full.
    let both = [store.pool.acquire().await, store.pool.acquire().await];
    for connection in both {
        let closed = connection.expect("a connection").close().await;
        closed.expect("it closes");
    }
    let context = KekContext::new(
        tenant("t"),
        Purpose::new("email").expect("a name"),
        KeyId::new(1),
    );
    let large = WrappedKey::from_bytes(vec![0; 100_000]);
    let at = SystemTime::UNIX_EPOCH;
    let large = StoredKey::new(context, KeyState::Primary, large, at);
    for _ in 0..6 {
        let refused = store.insert(&large).await;
        let Err(InsertError::Store(StoreError::Unavailable(cause))) = refused else {
            panic!("{refused:?}");
        };
        assert!(cause.to_string().contains("(code: 13)"), "{cause}");
    }
    store.pool.set_connect_options(options());
    store.insert(&large).await.expect("there is room");
}

#[tokio::test]
async fn a_damaged_database_is_told_from_an_unavailable_one() {
    let (store, dir) = make().await;
    store.pool.close().await;
    let path = dir.path().join("keys.db");
    let mut bytes = std::fs::read(&path).expect("the file");
    bytes[4096..].fill(0xa5);
    std::fs::write(&path, bytes).expect("the file");
    let store = open(&path).await;
    let read = store.load(KeyId::new(1)).await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    let written = store.insert(&key(1, "t", "email", KeyState::Primary)).await;
    let Err(InsertError::Store(StoreError::Corrupt(_))) = written else {
        panic!("{written:?}");
    };
}

#[derive(Debug, Clone)]
enum Step {
    Insert(u32, usize, KeyState),
    Promote(u32, u32),
    Change(u32, Transition),
    Rewrap(u32, u32, u32),
    Erase(usize),
}

const OWNERS: [(&str, &str); 3] = [("t", "email"), ("t", "phone"), ("u", "email")];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = 0..6_u32;
    let state = || proptest::sample::select(&KeyState::ALL[..]);
    let transition = (state(), state())
        .prop_filter_map("a legal step", |(from, to)| Transition::new(from, to).ok());
    let step = prop_oneof![
        6 => (id.clone(), 0..OWNERS.len(), state()).prop_map(|(id, at, to)| Step::Insert(id, at, to)),
        4 => (id.clone(), id.clone()).prop_map(|(old, new)| Step::Promote(old, new)),
        6 => (id.clone(), transition).prop_map(|(id, step)| Step::Change(id, step)),
        2 => (id.clone(), id.clone(), id).prop_map(|(id, old, new)| Step::Rewrap(id, old, new)),
        1 => (0..OWNERS.len()).prop_map(Step::Erase),
    ];
    proptest::collection::vec(step, 0..40)
}

/// When keys change.
const AT: SystemTime = SystemTime::UNIX_EPOCH;

/// At that time a step is taken: no two are taken at once.
async fn take(store: &dyn DekStore, step: &Step, at: SystemTime) -> String {
    let wrapped = |id: u32| WrappedKey::from_bytes(id.to_be_bytes().to_vec());
    match step.clone() {
        Step::Insert(id, owner, state) => {
            let (tenant, purpose) = OWNERS[owner];
            format!("{:?}", store.insert(&key(id, tenant, purpose, state)).await)
        }
        Step::Promote(old, new) => {
            format!(
                "{:?}",
                store.promote(KeyId::new(old), KeyId::new(new), at).await
            )
        }
        Step::Change(id, step) => format!("{:?}", store.change(KeyId::new(id), step, at).await),
        Step::Rewrap(id, old, new) => {
            format!(
                "{:?}",
                store
                    .rewrap(KeyId::new(id), &wrapped(old), &wrapped(new))
                    .await
            )
        }
        Step::Erase(owner) => {
            let erased = store.erase_tenant(&tenant(OWNERS[owner].0), at).await;
            format!("{erased:?}")
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_does_what_the_store_in_memory_does(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let memory = MemoryDekStore::new();
            let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await;
            let sqlite = SqliteDekStore::new(pool.expect("a database"));
            sqlite.migrate().await.expect("the tables are made");
            for (second, step) in (1..).zip(&steps) {
                let at = AT + Duration::from_secs(second);
                let (left, right) = (take(&memory, step, at).await, take(&sqlite, step, at).await);
                prop_assert_eq!(left, right, "{:?}", step);
                let all = KeyQuery::all(NonZeroU32::MAX);
                let (left, right) = (memory.list(&all).await, sqlite.list(&all).await);
                prop_assert_eq!(left.expect("it answers"), right.expect("it answers"));
            }
            Ok(())
        })?;
    }
}
