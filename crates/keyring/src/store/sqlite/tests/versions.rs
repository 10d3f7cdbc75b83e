//! Databases of the migrations before the last one.

use super::*;

/// A database as the second migration left it, with keys that were added then.
async fn of_second_migration(dir: &TempDir) -> SqliteDekStore {
    let store = open(&dir.path().join("keys.db")).await;
    let [first, second, _] = migrations();
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
