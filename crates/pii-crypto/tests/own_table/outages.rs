//! Places that are down, and sweeps that were stopped.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use portcullis_keyring::{
    DataKey, Keyring, TenantId,
    clock::Clock as _,
    kek::{GeneratedKey, KekContext, KekError, KekProvider, LocalKek, MemoryKek, WrappedKey},
    secrets::VersionedSecrets,
    store::MemoryDekStore,
    sweep::{Pace, Progress},
};
use portcullis_pii_crypto::{
    Email, PersonName, PiiKinds, PiiType,
    reencrypt::{FailureReason, Reencryptor, Scope, SealedRows as _, SweepError},
};
use secrecy::SecretBox;

use super::{
    disturbed::{Application, Disturbed, Event},
    shop::{Shop, run},
};

#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Application for Nobody {
    async fn disturb(&self, _event: &Event) {}
}

/// Another key of the service wrapped what one tenant has, and it is not configured.
#[derive(Debug)]
struct LacksOne {
    kek: Arc<LocalKek>,
    tenant: TenantId,
}

#[async_trait]
impl KekProvider for LacksOne {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        self.kek.generate(context).await
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.kek.wrap(context, key).await
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        if *context.tenant() == self.tenant {
            return Err(KekError::UnknownKey("arn:aws:kms:…:key/former".to_owned()));
        }
        self.kek.unwrap_key(context, key).await
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        self.kek.rewrap(context, key).await
    }
}

#[tokio::test]
async fn a_data_key_under_a_key_that_is_not_configured_is_listed_and_stops_no_other() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(2).await;
    let other = Shop {
        tenant: TenantId::new("tenant-8").unwrap(),
        ..shop.clone()
    };
    other.store("c9", "other@example.com", "Other").await;
    let old = shop.rotate(&Email::purpose()).await;
    let others = other.rotate(&Email::purpose()).await;
    let secret = VersionedSecrets::single(SecretBox::new(Box::new([5; 32])));
    let kek = LacksOne {
        kek: Arc::new(LocalKek::new(secret)),
        tenant: shop.tenant.clone(),
    };
    let keyring = Keyring::builder(Arc::new(kek), shop.keys.clone())
        .clock(shop.clock.clone())
        .build();
    let reencryptor = Reencryptor::new(keyring, PiiKinds::built_in()).timer(shop.clock.clone());
    let report = run(
        &reencryptor,
        &shop.customers,
        &Scope::Keys([old, others].into()),
    )
    .await;
    let listed = report.failures.iter();
    let listed = listed.map(|failure| (failure.row.as_str(), failure.reason));
    let lost = ["c0", "c1"].map(|row| (row, FailureReason::KeyNotUnwrapped));
    assert_eq!(Vec::from_iter(listed), lost);
    assert_eq!(report.progress.changed, 1);

    let mut nobody = |_: &_| {};
    let keys = [old, others].into();
    let verified = reencryptor.verify(&shop.customers, &keys, &mut nobody);
    let verified = verified.await.expect("it comes to its end");
    assert_eq!(
        (verified.rows_of(old), verified.rows_of(others)),
        (Some(2), Some(0))
    );
}

/// No row leaves the scope of all: what was listed before the kill is listed again.
#[tokio::test]
async fn a_killed_sweep_of_all_does_not_forget_what_failed_behind_its_cursor() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(4).await;
    shop.rotate(&Email::purpose()).await;
    let mut damaged = shop.sealed_email("c0").await;
    *damaged.last_mut().unwrap() ^= 1;
    shop.set_sealed_email("c0", &damaged).await;
    let one = shop.reencryptor().pace(Pace::batches_of(NonZeroU32::MIN));
    // Cursor, count; of each row: page, apply, cursor. c0 has nothing to apply.
    let mut events = vec![Event::Nothing; 5];
    events.push(Event::KilledBefore);
    let rows = Disturbed::new(&shop, events, &Nobody);
    let mut nobody = |_: &_| {};
    tokio::select! {
        report = one.run(&rows, &Scope::All, "sweep", &mut nobody) => panic!("{report:?}"),
        () = rows.killed.notified() => {}
    }
    assert!(shop.customers.cursor("sweep").await.unwrap().is_some());
    let report = run(&one, &shop.customers, &Scope::All).await;
    let listed = report.failures.iter();
    let listed = listed.map(|failure| (failure.row.as_str(), failure.reason));
    assert_eq!(
        Vec::from_iter(listed),
        [("c0", FailureReason::Rejected)],
        "{report:?}"
    );
    assert!(!report.is_complete());
    assert_eq!((report.left, report.progress.failed), (1, 1));
    let Progress { done, total, .. } = report.progress;
    assert_eq!(done, total);
}

/// Stores customers before those of a page that is being written.
#[derive(Debug)]
struct PushesOff(Shop);

#[async_trait]
impl Application for PushesOff {
    async fn disturb(&self, _event: &Event) {
        // The row of the page is written by somebody who does not know of the rotation, and two come
        // before it in the order.
        let late = &self.0;
        late.store("c5", "late@example.com", "Late").await;
        for id in ["c3", "c4"] {
            late.store(id, &format!("{id}@example.com"), "New").await;
        }
    }
}

#[tokio::test]
async fn a_row_that_new_ones_push_off_its_page_is_met_again() {
    let (folder, shop) = Shop::new().await;
    shop.store("c5", "five@example.com", "Five").await;
    let late = Shop::open(&folder.path().join("shop.db")).await;
    late.cipher().await;
    let old = shop.rotate(&Email::purpose()).await;
    // Cursor, count, page; before it is applied the row is changed.
    let mut events = vec![Event::Nothing; 3];
    events.push(Event::Stores(0, 0));
    let pushes_off = PushesOff(late);
    let rows = Disturbed::new(&shop, events, &pushes_off);
    let one = shop.reencryptor().pace(Pace::batches_of(NonZeroU32::MIN));
    let report = run(&one, &rows, &Scope::All).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(shop.verify(old).await.rows_of(old), Some(0));
}

/// Is down for as many calls as it is told.
#[derive(Debug)]
struct Down {
    kek: MemoryKek,
    calls: AtomicU32,
}

impl Down {
    fn ask(&self) -> Result<(), KekError> {
        let less = |calls: u32| calls.checked_sub(1);
        let order = Ordering::Relaxed;
        match self.calls.fetch_update(order, order, less) {
            Ok(_) => Err(KekError::Unavailable("no route".into())),
            Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl KekProvider for Down {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        self.ask()?;
        self.kek.generate(context).await
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.kek.wrap(context, key).await
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        self.ask()?;
        self.kek.unwrap_key(context, key).await
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        self.kek.rewrap(context, key).await
    }
}

#[tokio::test]
async fn a_table_that_is_down_stops_the_sweep_which_goes_on_later() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(4).await;
    let old = shop.rotate(&Email::purpose()).await;
    let scope = Scope::Keys([old].into());
    // Cursor, count; then of two rows: page, apply, cursor; page, and down for good.
    let mut events = vec![Event::Nothing; 6];
    events.resize(60, Event::Fails);
    let rows = Disturbed::new(&shop, events, &Nobody);
    let reencryptor = shop
        .reencryptor()
        .pace(Pace::batches_of(NonZeroU32::MIN.saturating_add(1)));
    let mut nobody = |_: &_| {};
    let error = reencryptor.run(&rows, &scope, "sweep", &mut nobody).await;
    let error = error.expect_err("it is down");
    assert!(matches!(error, SweepError::Rows(_)), "{error}");
    assert_eq!(shop.customers.count(&scope).await.unwrap(), 2);

    let report = run(&reencryptor, &shop.customers, &scope).await;
    assert!(report.is_complete());
    assert_eq!((report.progress.earlier, report.progress.done), (2, 4));
    assert_eq!((report.progress.changed, report.progress.total), (2, 4));

    // Three failures in a row are waited out.
    let (_folder, shop) = Shop::new().await;
    shop.fill(1).await;
    let old = shop.rotate(&Email::purpose()).await;
    let rows = Disturbed::new(&shop, vec![Event::Fails; 3], &Nobody);
    let report = shop.run(&rows, &Scope::Keys([old].into())).await;
    assert!(report.is_complete());
}

#[tokio::test]
async fn a_key_encryption_key_that_is_down_stops_the_sweep_and_loses_nothing() {
    let (_folder, shop) = Shop::new().await;
    shop.store_plain("c0", "one@example.com", "One").await;
    let kek = Arc::new(Down {
        kek: MemoryKek::new().unwrap(),
        calls: AtomicU32::new(0),
    });
    let keyring = Keyring::builder(kek.clone(), Arc::new(MemoryDekStore::new()))
        .clock(shop.clock.clone())
        .build();
    let reencryptor = Reencryptor::new(keyring, PiiKinds::built_in()).timer(shop.clock.clone());
    kek.calls.store(u32::MAX, Ordering::Relaxed);
    let mut nobody = |_: &_| {};
    let run_down = reencryptor.run(&shop.customers, &Scope::Plaintext, "sweep", &mut nobody);
    let error = run_down.await.expect_err("it is down");
    assert!(matches!(error, SweepError::Keys(_)), "{error}");
    assert_eq!(shop.email("c0").await, "one@example.com");

    kek.calls.store(0, Ordering::Relaxed);
    let report = run(&reencryptor, &shop.customers, &Scope::Plaintext).await;
    assert!(report.is_complete(), "{report:?}");
}

#[tokio::test]
async fn it_keeps_its_pace() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(6).await;
    let old = shop.rotate(&Email::purpose()).await;
    let (two, rate) = (NonZeroU32::new(2).unwrap(), NonZeroU32::new(4).unwrap());
    let pace = Pace::batches_of(two).at_most(rate);
    let began = shop.clock.monotonic();
    let mut seen = Vec::new();
    let mut show = |progress: &Progress| {
        seen.push((progress.done, progress.total, progress.elapsed));
    };
    let scope = Scope::Keys([old].into());
    let reencryptor = shop.reencryptor().pace(pace);
    let report = reencryptor
        .run(&shop.customers, &scope, "sweep", &mut show)
        .await;
    assert!(report.unwrap().is_complete());
    let half = Duration::from_millis(500);
    assert_eq!(
        seen,
        [(2, 6, Duration::ZERO), (4, 6, half), (6, 6, 2 * half)]
    );
    let took = shop.clock.monotonic() - began;
    assert_eq!(took, 3 * half);
}

#[tokio::test]
async fn a_sweep_of_other_keys_under_the_same_name_begins_at_the_first_row() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(4).await;
    let emails = shop.rotate(&Email::purpose()).await;
    let names = shop.rotate(&PersonName::purpose()).await;
    let one = shop.reencryptor().pace(Pace::batches_of(NonZeroU32::MIN));
    // Killed after the second row of the first scope.
    let mut events = vec![Event::Nothing; 8];
    events.push(Event::KilledBefore);
    let rows = Disturbed::new(&shop, events, &Nobody);
    let scope = Scope::Keys([emails].into());
    let mut nobody = |_: &_| {};
    tokio::select! {
        report = one.run(&rows, &scope, "sweep", &mut nobody) => panic!("{report:?}"),
        () = rows.killed.notified() => {}
    }
    let report = run(&one, &shop.customers, &Scope::Keys([names].into())).await;
    assert!(report.is_complete());
    assert_eq!((report.progress.earlier, report.progress.done), (0, 4));
}
