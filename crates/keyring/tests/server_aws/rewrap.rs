//! From one KMS key to the next.

use std::sync::Arc;

use portcullis_keyring::{
    Keyring, Purpose, TenantId,
    kek::{AwsKms, KekProvider as _},
    store::MemoryDekStore,
    sweep::Pace,
};

use super::{
    moto::{Moto, connection, context},
    proxy::Proxy,
};

#[tokio::test]
async fn the_data_key_does_not_leave_kms() {
    let moto = Moto::start();
    let proxy = Proxy::before(moto.port()).await;
    let connection = connection(&proxy.endpoint(), "test", "test").await;
    let (old, new) = (moto.key(), moto.key());
    let here = context("tenant-7", "email", 0x0102_0304);
    let before = AwsKms::new(&connection, &old).unwrap();
    let made = before.generate(&here).await.unwrap();

    let both = AwsKms::new(&connection, &new)
        .unwrap()
        .also_opens(&old)
        .unwrap();
    let again = both.rewrap(&here, &made.wrapped).await.unwrap();
    let call = proxy.calls().pop().unwrap();
    assert_eq!(call.operation, "ReEncrypt");
    assert_eq!(call.sent["SourceKeyId"], old.as_str());
    assert_eq!(call.sent["DestinationKeyId"], new.as_str());
    let names = |context: &str| {
        let context = call.sent[context].as_object().unwrap();
        context
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let expected = [
        "portcullis:key-id=01020304",
        "portcullis:purpose=email",
        "portcullis:tenant=tenant-7",
    ];
    assert_eq!(names("SourceEncryptionContext"), expected);
    assert_eq!(names("DestinationEncryptionContext"), expected);
    let received = call.received.as_object().unwrap();
    assert!(!received.contains_key("Plaintext"), "{received:?}");

    assert_eq!(both.version_of(&made.wrapped), Some(old));
    assert_eq!(both.version_of(&again), Some(new.clone()));
    // The former key is not needed any more, and what opens is the same.
    let after = AwsKms::new(&connection, &new).unwrap();
    let opened = after.unwrap_key(&here, &again).await.unwrap();
    // EXPOSE: compared with another, in a test.
    assert!(opened.hazmat_export() == made.key.hazmat_export());
}

#[tokio::test]
async fn a_former_key_can_be_dropped_after_all_are_wrapped_again() {
    let moto = Moto::start();
    let connection = moto.connection().await;
    let (old, new) = (moto.key(), moto.key());
    let store = Arc::new(MemoryDekStore::new());
    let keyring = |kek: AwsKms| Keyring::builder(Arc::new(kek), store.clone()).build();
    let purposes = ["email", "phone"].map(|name| Purpose::new(name).unwrap());
    let tenants = ["t-1", "t-2", "t-3"].map(|name| TenantId::new(name).unwrap());

    let before = keyring(AwsKms::new(&connection, &old).unwrap());
    for tenant in &tenants {
        before.prepare(tenant, &purposes).await.unwrap();
    }
    let both = AwsKms::new(&connection, &new)
        .unwrap()
        .also_opens(&old)
        .unwrap();
    let both = keyring(both);
    let counted = both.key_states().await.unwrap();
    assert_eq!(
        counted.kek_versions.get(&Some(old.clone())),
        Some(&6),
        "{counted:?}"
    );
    let wrapped = both.rewrap_all(Pace::default(), &mut |_| {}).await.unwrap();
    assert!(wrapped.failed.is_empty(), "{wrapped:?}");
    let counted = both.key_states().await.unwrap();
    assert_eq!(counted.kek_versions.get(&Some(old)), None, "{counted:?}");
    assert_eq!(
        counted.kek_versions.get(&Some(new.clone())),
        Some(&6),
        "{counted:?}"
    );

    let after = keyring(AwsKms::new(&connection, &new).unwrap());
    for tenant in &tenants {
        after.prepare(tenant, &purposes).await.unwrap();
    }
}
