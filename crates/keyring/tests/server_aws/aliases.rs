//! A key that an alias names, and since when a key wraps.

use std::{sync::Arc, time::SystemTime};

use portcullis_keyring::{
    Keyring, Purpose, TenantId,
    kek::{AwsKms, KekError, KekProvider as _},
    store::MemoryDekStore,
    sweep::Pace,
};
use serde_json::json;

use super::{
    moto::{Moto, connection, context},
    proxy::Proxy,
    refusals::told,
};

const ALIAS: &str = "alias/portcullis";

fn point(moto: &Moto, operation: &str, key: &str) {
    let target = json!({"AliasName": ALIAS, "TargetKeyId": key});
    moto.kms(operation, &target);
}

#[tokio::test]
async fn an_alias_is_looked_up_once_and_the_key_itself_is_called_and_stored() {
    let moto = Moto::start();
    let proxy = Proxy::before(moto.port()).await;
    let (first, second) = (moto.key(), moto.key());
    point(&moto, "CreateAlias", &first);
    let connection = connection(&proxy.endpoint(), "test", "test").await;
    let kek = AwsKms::new(&connection, ALIAS).unwrap();
    let here = context("tenant-7", "email", 7);
    let made = kek.generate(&here).await.unwrap();
    assert_eq!(kek.version_of(&made.wrapped), Some(first.clone()));

    // It names another key from now on, and this process goes on as it was.
    point(&moto, "UpdateAlias", &second);
    let again = kek.clone().rewrap(&here, &made.wrapped).await.unwrap();
    assert_eq!(kek.version_of(&again), Some(first.clone()));
    kek.unwrap_key(&here, &again).await.unwrap();
    assert_eq!(kek.primary().await.unwrap(), Some(first.clone()));
    let calls = proxy.calls();
    let operations: Vec<_> = calls.iter().map(|call| &*call.operation).collect();
    assert_eq!(
        operations,
        ["DescribeKey", "GenerateDataKey", "ReEncrypt", "Decrypt"]
    );
    for (call, name) in [(1, "KeyId"), (2, "DestinationKeyId"), (3, "KeyId")] {
        assert_eq!(calls[call].sent[name], first.as_str(), "{name}");
    }
}

#[tokio::test]
async fn to_let_it_name_another_key_is_a_rotation() {
    let moto = Moto::start();
    let connection = moto.connection().await;
    let (first, second) = (moto.key(), moto.key());
    point(&moto, "CreateAlias", &first);
    let store = Arc::new(MemoryDekStore::new());
    let started = |old: &str| {
        let kek = AwsKms::new(&connection, ALIAS).unwrap();
        let kek = kek.also_opens(old).unwrap();
        Keyring::builder(Arc::new(kek), store.clone()).build()
    };
    let email = [Purpose::new("email").unwrap()];
    let tenants = ["t-1", "t-2", "t-3"].map(|name| TenantId::new(name).unwrap());
    // Started before: it opens the next key already.
    let before = started(&second);
    before.prepare(&tenants[0], &email).await.unwrap();
    point(&moto, "UpdateAlias", &second);
    let after = started(&first);
    after.prepare(&tenants[1], &email).await.unwrap();
    before.prepare(&tenants[2], &email).await.unwrap();
    for keyring in [&before, &after] {
        for tenant in &tenants {
            keyring.prepare(tenant, &email).await.unwrap();
        }
    }
    let moved = after
        .rewrap_all(Pace::default(), &mut |_| {})
        .await
        .unwrap();
    assert!(moved.failed.is_empty(), "{moved:?}");
    let counted = after.key_states().await.unwrap().kek_versions;
    assert_eq!(
        counted.into_iter().collect::<Vec<_>>(),
        [(Some(second.clone()), 3)]
    );
    // Without the former one, and without the alias.
    let alone = AwsKms::new(&connection, &second).unwrap();
    let alone = Keyring::builder(Arc::new(alone), store.clone()).build();
    for tenant in &tenants {
        alone.prepare(tenant, &email).await.unwrap();
    }
}

#[tokio::test]
async fn another_key_than_the_alias_names_is_not_called() {
    let moto = Moto::start();
    let (other, key) = moto.kek().await;
    let here = context("t", "email", 7);
    let made = other.generate(&here).await.unwrap();
    let named = moto.key();
    point(&moto, "CreateAlias", &named);
    let kek = AwsKms::new(&moto.connection().await, ALIAS).unwrap();
    // Nobody has asked yet what it names.
    assert!(kek.opens(&made.wrapped));
    let refused = kek.unwrap_key(&here, &made.wrapped).await;
    assert!(
        matches!(&refused, Err(KekError::UnknownKey(known)) if *known == key),
        "{refused:?}"
    );
    assert!(!kek.opens(&made.wrapped));
}

#[tokio::test]
async fn an_alias_that_there_is_not_is_named() {
    let moto = Moto::start();
    let kek = AwsKms::new(&moto.connection().await, "alias/missing").unwrap();
    let failure = kek.wrapping_key().await.unwrap_err();
    assert_eq!(failure.code(), Some("NotFoundException"), "{failure}");
    let failed = kek.generate(&context("t", "email", 7)).await.unwrap_err();
    assert!(told(&failed).contains("kms:DescribeKey"), "{failed:?}");
}

#[tokio::test]
async fn kms_says_since_when_there_is_the_material_that_wraps() {
    let moto = Moto::start();
    let (kek, key) = moto.kek().await;
    let made = kek.primary_since().await.unwrap().unwrap();
    assert!(made <= SystemTime::now());
    moto.kms("RotateKeyOnDemand", &json!({"KeyId": &key}));
    let rotated = kek.primary_since().await.unwrap().unwrap();
    assert!(rotated > made, "{rotated:?}");
}
