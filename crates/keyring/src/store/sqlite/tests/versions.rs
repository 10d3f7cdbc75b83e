//! Databases of the migrations before the last one.

use super::*;

/// A database as the second migration left it, with keys that were added then.
async fn of_second_migration(dir: &TempDir) -> SqliteDekStore {
    let store = open(&dir.path().join("keys.db")).await;
    let [first, second, ..] = migrations();
    let mut migrator = Migrator::with_migrations(vec![first, second]);
    migrator.dangerous_set_table_name(MIGRATIONS_TABLE);
    let mut connection = store.pool.acquire().await.expect("a connection");
    let migrated = migrator.run_direct(None, &mut *connection, false).await;
    migrated.expect("it migrates");
    let keys = "INSERT INTO keyring_data_key (key_id, tenant, purpose, wrapped, state, created_at)
                VALUES (1, 't', 'email', x'01', 'decrypt-only', 1750000000123),
                       (2, 't', 'email', x'02', 'primary', 1750000000456),
                       (3, 't', 'email', x'03', 'pending', 1750000000789),
                       (4, 't', 'phone', NULL, 'destroyed', 1750000000123)";
    sqlx::query(keys)
        .execute(&mut *connection)
        .await
        .expect("it is such a table");
    drop(connection);
    store
}

#[tokio::test]
async fn keys_of_the_second_migration_survive_and_are_in_their_states_since_the_third() {
    let dir = TempDir::new().expect("a folder");
    let store = of_second_migration(&dir).await;
    let changes = store.changes().await.expect("it counts");
    #[expect(clippy::disallowed_methods, reason = "the database has no other clock")]
    let before = SystemTime::now();
    store.migrate().await.expect("it migrates");
    #[expect(clippy::disallowed_methods, reason = "the database has no other clock")]
    let after = SystemTime::now();
    assert!(
        store.changes().await.expect("it counts") > changes,
        "every process reads the keys again"
    );

    let keys = store
        .load_tenant(&tenant("t"))
        .await
        .expect("it reads")
        .keys;
    let seen: Vec<_> = keys
        .iter()
        .map(|key| {
            let wrapped = key.wrapped().map(|wrapped| wrapped.as_bytes().to_vec());
            (
                key.id().value(),
                key.state(),
                wrapped,
                milliseconds(key.created_at()),
            )
        })
        .collect();
    let expected = [
        (1, KeyState::DecryptOnly, Some(vec![1]), 1_750_000_000_123),
        (2, KeyState::Primary, Some(vec![2]), 1_750_000_000_456),
        (3, KeyState::Pending, Some(vec![3]), 1_750_000_000_789),
        (4, KeyState::Destroyed, None, 1_750_000_000_123),
    ];
    assert_eq!(seen, expected);
    for key in &keys {
        let since = milliseconds(key.state_since());
        assert!((milliseconds(before)..=milliseconds(after)).contains(&since));
    }
    // And again is no change.
    let changes = store.changes().await.expect("it counts");
    store.migrate().await.expect("it migrates");
    assert_eq!(store.changes().await.expect("it counts"), changes);
}

/// What a process of the second migration says that goes on while others have migrated.
const FORMER: [&str; 3] = [
    "UPDATE keyring_data_key SET state = 'decrypt-only' WHERE key_id = 1 AND state = 'primary'",
    "UPDATE keyring_data_key SET state = 'primary' WHERE key_id = 2 AND state = 'pending'",
    "UPDATE keyring_data_key SET state = 'destroy-scheduled' WHERE key_id = 3 AND state = 'disabled'",
];

#[tokio::test]
async fn a_state_that_an_earlier_version_changes_is_so_since_then() {
    for recursive in [
        "PRAGMA recursive_triggers = OFF",
        "PRAGMA recursive_triggers = ON",
    ] {
        let (store, _dir) = make().await;
        let states = [KeyState::Primary, KeyState::Pending, KeyState::Disabled];
        for (id, state) in (1..).zip(states) {
            let key = key(id, "t", "email", state);
            store.insert(&key).await.expect("there is room");
        }
        #[expect(clippy::disallowed_methods, reason = "the database has no other clock")]
        let before = SystemTime::now();
        let mut former = store.pool.acquire().await.expect("a connection");
        sqlx::query(recursive)
            .execute(&mut *former)
            .await
            .expect("it is set");
        for statement in FORMER {
            let counted = store.changes().await.expect("it counts");
            let done = sqlx::query(statement).execute(&mut *former).await;
            assert_eq!(done.expect("the schema lets it through").rows_affected(), 1);
            assert!(store.changes().await.expect("it counts") > counted);
        }
        #[expect(clippy::disallowed_methods, reason = "the database has no other clock")]
        let after = SystemTime::now();
        for key in store
            .load_tenant(&tenant("t"))
            .await
            .expect("it reads")
            .keys
        {
            let since = milliseconds(key.state_since());
            let now = milliseconds(before)..=milliseconds(after);
            assert!(now.contains(&since), "{}: {since}", key.id());
        }
        // What is told since when it is so keeps that, and so does what is only wrapped again.
        let (id, at) = (KeyId::new(1), before + Duration::from_hours(1));
        let disable = Transition::new(KeyState::DecryptOnly, KeyState::Disabled);
        store
            .change(id, disable.expect("a step"), at)
            .await
            .expect("it is so");
        sqlx::query("UPDATE keyring_data_key SET wrapped = x'07' WHERE key_id = 1")
            .execute(&mut *former)
            .await
            .expect("the schema lets it through");
        let key = store
            .load(id)
            .await
            .expect("it reads")
            .expect("it is there");
        assert_eq!(milliseconds(key.state_since()), milliseconds(at));
    }
}

#[tokio::test]
async fn a_key_that_an_earlier_version_adds_is_as_young_as_it_is() {
    let (store, _dir) = make().await;
    let key = "INSERT INTO keyring_data_key (key_id, tenant, purpose, wrapped, state, created_at)
               VALUES (3, 't', 'email', x'03', 'pending', 1750000000000)";
    sqlx::query(key)
        .execute(&store.pool)
        .await
        .expect("the schema lets it through");
    let key = store.load(KeyId::new(3)).await.expect("it reads");
    let key = key.expect("it is there");
    let now = key.created_at() + Duration::from_secs(7);
    assert_eq!(key.in_state_for(now), Duration::from_secs(7));
}
