//! Rows that somebody has damaged, and those who need other rows.

use secrecy::SecretBox;

use super::*;
use crate::{
    KeyMissing, PrepareError, RewrapError,
    kek::LocalKek,
    secrets::{SecretVersion, VersionedSecrets},
    sweep::Pace,
};

async fn run(store: &SqliteDekStore, statement: &'static str) {
    let done = sqlx::query(statement).execute(&store.pool).await;
    done.expect("the schema lets it through");
}

fn kek(primary: u32) -> Arc<LocalKek> {
    let version = |number: u32| SecretVersion::try_from(number).expect("not zero");
    let secrets = [1, 2].map(|number: u8| {
        let secret = SecretBox::new(Box::new([number; 32]));
        (version(number.into()), secret)
    });
    let secrets = VersionedSecrets::new(version(primary), secrets);
    Arc::new(LocalKek::new(secrets.expect("they differ")))
}

#[tokio::test]
async fn a_damaged_row_takes_no_other_with_it() {
    let (store, _dir) = make().await;
    conformance::damaged_key(&store, async |id| {
        sqlx::query("UPDATE keyring_data_key SET created_at = -1 WHERE key_id = ?")
            .bind(id.value())
            .execute(&store.pool)
            .await
            .expect("the schema lets it through");
    })
    .await;
}

#[tokio::test]
async fn a_tenant_goes_on_with_its_other_keys_and_nothing_of_it_is_called_forged() {
    let (store, _dir) = make().await;
    let kek = Arc::new(MemoryKek::new().expect("a KEK"));
    let keyring = || Keyring::builder(kek.clone(), Arc::new(store.clone())).build();
    let names = ["email", "phone"].map(|name| Purpose::new(name).expect("a name"));
    let made = keyring()
        .prepare(&tenant("t"), &names)
        .await
        .expect("it answers");
    let now = made.clock().monotonic();
    let id = |purpose| made.primary(purpose, now).expect("it is fresh").id();
    let (email, phone) = (id("email"), id("phone"));
    sqlx::query("UPDATE keyring_data_key SET created_at = -1 WHERE key_id = ?")
        .bind(email.value())
        .execute(&store.pool)
        .await
        .expect("the schema lets it through");

    let keyring = keyring();
    let keys = keyring
        .prepare_ids(&tenant("t"), &[email, phone])
        .await
        .expect("it answers");
    let now = keys.clock().monotonic();
    assert!(keys.find(phone, "phone", now).is_ok());
    assert_eq!(
        keys.find(email, "email", now).err(),
        Some(KeyMissing::Unavailable)
    );
    assert!(keys.is_damaged(email) && !keys.is_damaged(phone));
    keyring
        .prepare(&tenant("t"), &names[1..])
        .await
        .expect("it seals");
    // And does not ask the key-encryption key for one that could not be added.
    let refused = keyring.prepare(&tenant("t"), &names[..1]).await;
    let Err(PrepareError::Store(StoreError::Damaged(of))) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(of, i64::from(email.value()));
}

#[tokio::test]
async fn all_others_are_wrapped_again_and_counted() {
    let (store, _dir) = make().await;
    let keyring = |primary| Keyring::builder(kek(primary), Arc::new(store.clone())).build();
    let email = [Purpose::new("email").expect("a name")];
    for name in ["one", "two", "three", "gone"] {
        let made = keyring(1).prepare(&tenant(name), &email).await;
        made.expect("it answers");
    }
    run(
        &store,
        "UPDATE keyring_data_key SET created_at = -1 WHERE tenant = 'two'",
    )
    .await;
    keyring(1)
        .erase_tenant(&tenant("gone"))
        .await
        .expect("it answers");
    run(
        &store,
        "UPDATE keyring_data_key SET created_at = -1 WHERE tenant = 'gone'",
    )
    .await;

    let keyring = keyring(2);
    let one = Pace::batches_of(NonZeroU32::MIN);
    let done = keyring.rewrap_all(one, &mut |_| {}).await.expect("it ends");
    assert_eq!((done.progress.total, done.progress.done), (3, 3));
    assert_eq!((done.progress.changed, done.progress.failed), (2, 1));
    let [(_, RewrapError::Store(StoreError::Damaged(_)))] = done.failed[..] else {
        panic!("{done:?}");
    };
    let states = keyring.key_states().await.expect("it answers");
    assert_eq!(states.damaged, 2);
    assert_eq!(
        states.keys.into_iter().collect::<Vec<_>>(),
        [(KeyState::Primary, 2)]
    );
    let overdue = keyring.overdue(Duration::ZERO, NonZeroU32::MAX).await;
    assert_eq!(overdue.expect("it answers").len(), 2);
}
