//! What a sweep leaves as it is, and when a key is free.

use std::time::Duration;

use portcullis_keyring::{KeyId, KeyState};
use portcullis_pii_crypto::{
    AnyPii, Email, PersonName, PiiType, Sealed,
    reencrypt::{Scope, StillNeeded},
};
use sqlx::Row as _;

use super::shop::Shop;

#[tokio::test]
async fn a_key_that_is_noted_for_too_many_rows_is_noted_again() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(2).await;
    let old = shop.rotate(&Email::purpose()).await;
    shop.fill(2).await;
    shop.note(old, "c0").await;
    assert_eq!(shop.verify(old).await.rows_of(old), Some(1));
    let report = shop.run(&shop.customers, &Scope::Keys([old].into())).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(shop.verify(old).await.rows_of(old), Some(0));
}

#[tokio::test]
async fn a_key_is_free_when_no_row_needs_it_a_minute_after_its_demotion() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(2).await;
    let old = shop.rotate(&Email::purpose()).await;
    let primary = Sealed::<AnyPii>::from_bytes({
        shop.fill(1).await;
        shop.sealed_email("c0").await
    });
    let primary = shop.key(primary.unwrap().key_id()).await;
    let demoted = shop.key(old).await;
    shop.clock.advance(Duration::from_secs(60));
    let verified = shop.verify(old).await;
    assert_eq!(verified.frees(&demoted), Err(StillNeeded::Rows(1)));
    assert_eq!(
        verified.frees(&primary),
        Err(StillNeeded::InUse(KeyState::Primary))
    );

    shop.run(&shop.customers, &Scope::Keys([old].into())).await;
    let verified = shop.verify(old).await;
    assert_eq!(verified.frees(&demoted), Ok(()));
    let both = verified.clone().and(verified.clone());
    assert_eq!(both.frees(&demoted), Ok(()));
    assert_eq!(both.progress.done, 4);

    // 59 s after its demotion is too early, and so is before its last step.
    let late = demoted
        .clone()
        .since(verified.began - Duration::from_secs(59));
    assert_eq!(verified.frees(&late), Err(StillNeeded::TooEarly));
    let late = demoted
        .clone()
        .since(verified.began - Duration::from_secs(60));
    assert_eq!(verified.frees(&late), Ok(()));
    let disabled = shop
        .keyring
        .change_state(&shop.tenant, old, KeyState::Disabled);
    disabled.await.unwrap();
    shop.clock.advance(Duration::from_secs(1));
    let other = shop.verify(KeyId::new(1)).await;
    assert_eq!(
        other.frees(&shop.key(old).await),
        Err(StillNeeded::NotAsked)
    );
    assert_eq!(shop.verify(old).await.frees(&shop.key(old).await), Ok(()));
}

#[tokio::test]
async fn only_what_the_key_sealed_is_sealed_again() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(1).await;
    let row = async || {
        let select = sqlx::query("SELECT email_sealed, name_sealed FROM customer");
        let row = select.fetch_one(&shop.pool).await.unwrap();
        (row.get::<Vec<u8>, _>(0), row.get::<Vec<u8>, _>(1))
    };
    let before = row().await;
    let old = shop.rotate(&PersonName::purpose()).await;
    let report = shop.run(&shop.customers, &Scope::Keys([old].into())).await;
    assert!(report.is_complete());
    let after = row().await;
    assert_eq!(after.0, before.0);
    assert_ne!(after.1, before.1);
    // And nothing is done twice.
    let report = shop.run(&shop.customers, &Scope::All).await;
    assert_eq!((report.progress.done, report.progress.changed), (1, 0));
}
