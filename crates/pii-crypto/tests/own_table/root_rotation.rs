//! A new version of the index root: missing index values are written, and compared with what the values
//! give.

use portcullis_keyring::KeyId;
use portcullis_pii_crypto::{
    IndexRoots, IndexVersion, Pii,
    reencrypt::{FailureReason, Report, Scope, SealedRows, Verified},
    secrets::VersionedSecrets,
};
use secrecy::SecretString;

use super::{customers::Customers, read::Read, shop::Shop};

/// The versions 1, which the shop has, and 2.
fn both(shop: &Shop) -> Customers {
    let one = "1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    let two = "2:CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";
    let both = SecretString::from(format!("{one},{two}"));
    let both = VersionedSecrets::parse(&both, Some("1".parse().expect("a version")));
    let roots = IndexRoots::new(both.expect("two roots")).expect("small versions");
    Customers::new(shop.pool.clone(), roots)
}

fn version(number: u32) -> IndexVersion {
    number.try_into().expect("a version")
}

async fn backfill(shop: &Shop, rows: &dyn SealedRows) -> Report {
    let (reencryptor, mut nobody) = (shop.reencryptor(), |_: &_| {});
    let scope = Scope::NotIndexed(version(2));
    let report = reencryptor.run(rows, &scope, "backfill", &mut nobody).await;
    report.expect("it comes to its end")
}

async fn verify(shop: &Shop, customers: &Customers) -> Verified {
    let rows = Read::indexed(customers.clone(), shop.pool.clone());
    let (reencryptor, mut nobody) = (shop.reencryptor(), |_: &_| {});
    let keys = [KeyId::new(1)].into();
    let verified = reencryptor.verify(&rows, &keys, &mut nobody).await;
    verified.expect("it comes to its end")
}

async fn shop_of_three() -> (tempfile::TempDir, Shop) {
    let (folder, shop) = Shop::new().await;
    for number in 0..3 {
        let address = format!("customer.{number}@example.com");
        shop.store(&format!("c{number}"), &address, "Customer")
            .await;
    }
    (folder, shop)
}

#[tokio::test]
async fn missing_values_are_written_and_agree() {
    let (_folder, shop) = shop_of_three().await;
    let customers = both(&shop);
    let before = verify(&shop, &customers).await.indexes;
    assert_eq!(
        (before[&version(1)].present, before[&version(1)].missing),
        (3, 0)
    );
    assert_eq!(
        (before[&version(2)].present, before[&version(2)].missing),
        (0, 3)
    );
    assert!(before[&version(1)].agrees() && !before[&version(2)].agrees());

    let report = backfill(&shop, &customers).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.progress.changed, 3);
    let after = verify(&shop, &customers).await.indexes;
    for version in [version(1), version(2)] {
        assert_eq!(after[&version].present, 3);
        assert!(after[&version].agrees(), "{after:?}");
    }
    let address = Pii::parse("customer.1@example.com").unwrap();
    let found = customers.find(&shop.tenant, &address).await.unwrap();
    assert_eq!(found.as_deref(), Some("c1"));

    // A value that belongs to none.
    sqlx::query(
        "UPDATE customer_index SET value = x'000203' WHERE customer = 'c1' AND version = 2",
    )
    .execute(&shop.pool)
    .await
    .unwrap();
    let wrong = verify(&shop, &customers).await.indexes[&version(2)];
    assert_eq!((wrong.present, wrong.missing, wrong.wrong), (2, 1, 1));
}

#[tokio::test]
async fn records_that_are_the_same_are_listed() {
    let (_folder, shop) = shop_of_three().await;
    let customers = both(&shop);
    backfill(&shop, &customers).await;
    sqlx::query(
        "UPDATE customer_index SET customer = 'other' WHERE customer = 'c1' AND version = 2",
    )
    .execute(&shop.pool)
    .await
    .unwrap();
    let report = backfill(&shop, &customers).await;
    assert!(!report.is_complete());
    let [duplicate] = &*report.duplicates else {
        panic!("{report:?}");
    };
    assert_eq!(
        (duplicate.row.as_str(), duplicate.reason),
        ("c1", FailureReason::Duplicate)
    );
    assert_eq!((report.left, report.progress.failed), (1, 1));
}

#[tokio::test]
async fn a_version_that_is_not_live_is_told() {
    let (_folder, shop) = shop_of_three().await;
    let report = backfill(&shop, &shop.customers).await;
    let reasons = report.failures.iter().map(|failure| failure.reason);
    assert_eq!(Vec::from_iter(reasons), [FailureReason::VersionNotLive; 3]);
    assert_eq!(report.left, 3);
}
