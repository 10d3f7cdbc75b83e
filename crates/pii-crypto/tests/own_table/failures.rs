//! Rows that need a person.

use std::{num::NonZeroU32, sync::Arc};

use portcullis_keyring::{
    KeyId, KeyState, Keyring, TenantId, kek::MemoryKek, store::MemoryDekStore, sweep::Pace,
};
use portcullis_pii_crypto::{
    AnyPii, Cipher, Email, PersonName, Pii, PiiType, Sealed,
    reencrypt::{FailureReason, Scope},
};

use super::{
    read::Read,
    shop::{Shop, run},
};

#[tokio::test]
async fn a_bad_row_is_listed_and_stops_no_other() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(6).await;
    let old = shop.rotate(&Email::purpose()).await;
    // c1 is damaged, c2 is what c0 has, c3 is no sealed value, c4 names a key that never was.
    let mut damaged = shop.sealed_email("c1").await;
    *damaged.last_mut().unwrap() ^= 1;
    shop.set_sealed_email("c1", &damaged).await;
    shop.set_sealed_email("c2", &shop.sealed_email("c0").await)
        .await;
    shop.set_sealed_email("c3", b"customer.3@example.com").await;
    let mut unknown = shop.sealed_email("c4").await;
    unknown[2..6].copy_from_slice(&[0, 0, 0, 9]);
    shop.set_sealed_email("c4", &unknown).await;
    shop.note(KeyId::new(9), "c4").await;

    let scope = Scope::Keys([old, KeyId::new(9)].into());
    let reencryptor = shop.reencryptor().pace(Pace::batches_of(NonZeroU32::MIN));
    let report = run(&reencryptor, &shop.customers, &scope).await;
    let listed = report.failures.iter().map(|failure| {
        let field = failure.field.as_deref();
        assert_eq!(
            (failure.table.as_str(), field),
            ("customer", Some("customer.email"))
        );
        (failure.row.as_str(), failure.reason)
    });
    assert_eq!(
        Vec::from_iter(listed),
        [
            ("c1", FailureReason::Rejected),
            ("c2", FailureReason::Rejected),
            ("c3", FailureReason::Malformed),
            ("c4", FailureReason::UnknownKey),
        ]
    );
    assert_eq!((report.left, report.progress.failed), (4, 4));
    assert_eq!(report.progress.changed, 2);
    assert!(!report.is_complete());
    let shown = report.failures[0].to_string();
    assert!(shown.starts_with("customer of tenant-7, row c1, customer.email: "));
    assert_eq!(shop.sealed_email("c1").await, damaged);
    for id in ["c0", "c5"] {
        assert_eq!(
            shop.email(id).await,
            format!("customer.{}@example.com", &id[1..])
        );
    }

    let verified = shop.verify(old).await;
    assert_eq!(verified.progress.failed, 4);
    // By their headers c1 and c2 need it; for c3 and c4 it is only noted.
    assert_eq!(verified.rows_per_key.get(&old), Some(&2));
    assert_eq!(verified.rows_of(old), Some(4));
    assert!(verified.differing().any(|it| it == (old, 2, 4)));
}

#[tokio::test]
async fn what_is_destroyed_or_disabled_is_told_apart() {
    for (steps, reason) in [
        (&[KeyState::Disabled][..], FailureReason::KeyDisabled),
        (
            &[
                KeyState::Disabled,
                KeyState::DestroyScheduled,
                KeyState::Destroyed,
            ][..],
            FailureReason::KeyDestroyed,
        ),
    ] {
        let (_folder, shop) = Shop::new().await;
        shop.fill(2).await;
        let old = shop.rotate(&Email::purpose()).await;
        let names = shop.rotate(&PersonName::purpose()).await;
        for step in steps {
            let changed = shop.keyring.change_state(&shop.tenant, old, *step).await;
            changed.unwrap();
        }
        let scope = Scope::Keys([old, names].into());
        let report = shop.run(&shop.customers, &scope).await;
        assert_eq!(report.failures.len(), 2, "{:?}", report.failures);
        assert!(
            report
                .failures
                .iter()
                .all(|failure| failure.reason == reason)
        );
        // The other field of the same rows is in order.
        assert_eq!(shop.verify(names).await.rows_of(names), Some(0));
        assert_eq!(shop.verify(old).await.rows_of(old), Some(2));
    }
}

#[tokio::test]
async fn a_key_that_opens_nothing_is_told_once_with_a_few_of_its_rows() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(10).await;
    let old = shop.rotate(&Email::purpose()).await;
    let disable = shop
        .keyring
        .change_state(&shop.tenant, old, KeyState::Disabled);
    disable.await.unwrap();
    let report = shop.run(&shop.customers, &Scope::Keys([old].into())).await;
    let verified = shop.verify(old).await;
    assert_eq!((report.progress.failed, verified.progress.failed), (10, 10));
    for (failures, unusable) in [
        (&report.failures, &report.unusable),
        (&verified.failures, &verified.unusable),
    ] {
        let of_key = unusable.get(&old).unwrap();
        assert_eq!(
            (of_key.rows, of_key.reason),
            (10, FailureReason::KeyDisabled)
        );
        assert_eq!(unusable.len(), 1, "{unusable:?}");
        assert_eq!(failures.len(), 3, "{failures:?}");
        assert!(failures.iter().all(|failure| failure.key == Some(old)));
    }
    let twice = verified.clone().and(verified);
    assert_eq!(twice.unusable.get(&old).unwrap().rows, 20);
}

#[tokio::test]
async fn plaintext_that_is_no_value_is_listed_and_the_rest_of_its_row_is_sealed() {
    let (_folder, shop) = Shop::new().await;
    shop.store_plain("c0", "unknown", "Nobody").await;
    shop.store_plain("c1", "one@example.com", "One").await;
    shop.store_plain("c2", "ONE@example.com", "One again").await;
    let report = shop.run(&shop.customers, &Scope::Plaintext).await;
    let [failure] = &*report.failures else {
        panic!("{report:?}");
    };
    assert_eq!(
        (failure.row.as_str(), failure.field.as_deref()),
        ("c0", Some("customer.email"))
    );
    assert!(matches!(failure.reason, FailureReason::Invalid(_)));
    let [duplicate] = &*report.duplicates else {
        panic!("{report:?}");
    };
    assert_eq!(duplicate.row.as_str(), "c2");
    assert_eq!((report.left, report.progress.failed), (2, 2));
    let names = "SELECT id FROM customer WHERE name IS NULL ORDER BY id";
    let names: Vec<String> = sqlx::query_scalar(names)
        .fetch_all(&shop.pool)
        .await
        .unwrap();
    assert_eq!(names, ["c0", "c1"]);
    let verified = shop.verify(KeyId::new(1)).await;
    assert_eq!((verified.plaintext, verified.progress.failed), (2, 0));
}

/// Keys of another service, under which a client has sealed.
async fn of_somebody_else(shop: &Shop, record: &str) -> Vec<u8> {
    let kek = Arc::new(MemoryKek::new().expect("a key"));
    let keyring = Keyring::builder(kek, Arc::new(MemoryDekStore::new())).build();
    let keys = keyring.prepare(&shop.tenant, &[Email::purpose()]).await;
    let email = Pii::<Email>::parse("client@example.com").expect("an address");
    let cipher = Cipher::new(keys.expect("keys"));
    let sealed = cipher.seal("customer.email", record, &email);
    sealed.expect("it seals").into_bytes()
}

#[tokio::test]
async fn what_a_client_sealed_is_left_alone_where_only_the_key_says_the_kind() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(3).await;
    let foreign = of_somebody_else(&shop, "c1").await;
    shop.set_sealed_email("c1", &foreign).await;
    let old = shop.rotate(&Email::purpose()).await;
    let mut damaged = shop.sealed_email("c2").await;
    *damaged.last_mut().unwrap() ^= 1;
    shop.set_sealed_email("c2", &damaged).await;

    let untyped = Read::untyped(shop.customers.clone());
    let report = shop.run(&untyped, &Scope::All).await;
    let failed = report.failures.iter();
    let failed = failed.map(|failure| (failure.row.as_str(), failure.reason));
    assert_eq!(Vec::from_iter(failed), [("c2", FailureReason::Rejected)]);
    assert_eq!(report.progress.changed, 1);
    assert_eq!(shop.sealed_email("c1").await, foreign);
    assert_eq!(shop.email("c0").await, "customer.0@example.com");

    let mut nobody = |_: &_| {};
    let (reencryptor, keys) = (shop.reencryptor(), [old].into());
    let verified = reencryptor
        .verify(&untyped, &keys, &mut nobody)
        .await
        .unwrap();
    assert_eq!(verified.progress.failed, 1);
    assert_eq!(verified.rows_per_key.get(&old), Some(&1));
    let foreign = Sealed::<AnyPii>::from_bytes(foreign).unwrap();
    assert_eq!(verified.rows_per_key.get(&foreign.key_id()), None);

    // Where the column says the kind, a key that the tenant does not have is a failure.
    let report = shop.run(&shop.customers, &Scope::All).await;
    let failed = report.failures.iter().map(|failure| failure.reason);
    let expected = [FailureReason::UnknownKey, FailureReason::Rejected];
    assert_eq!(Vec::from_iter(failed), expected);
}

#[tokio::test]
async fn what_one_tenant_lost_does_not_hold_up_another() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(3).await;
    let other = Shop {
        tenant: TenantId::new("tenant-8").unwrap(),
        ..shop.clone()
    };
    for id in ["c00", "c11", "d"] {
        other.store(id, &format!("{id}@example.com"), "Other").await;
    }
    let old = shop.rotate(&Email::purpose()).await;
    let others = other.rotate(&Email::purpose()).await;
    shop.keyring.erase_tenant(&shop.tenant).await.unwrap();

    let scope = Scope::Keys([old, others].into());
    let report = shop.run(&shop.customers, &scope).await;
    let failed = report.failures.iter();
    let failed = failed.map(|failure| (failure.row.as_str(), failure.reason));
    let lost = ["c0", "c1", "c2"].map(|row| (row, FailureReason::KeyDestroyed));
    assert_eq!(Vec::from_iter(failed), lost);
    assert_eq!((report.progress.changed, report.left), (3, 3));
    assert_eq!(other.email("c11").await, "c11@example.com");
}
