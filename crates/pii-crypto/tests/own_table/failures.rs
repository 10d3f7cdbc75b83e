//! Rows that need a person, places that are down, and keys that are still needed.

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
    DataKey, KeyId, KeyState, Keyring,
    kek::{GeneratedKey, KekContext, KekError, KekProvider, MemoryKek, WrappedKey},
    store::MemoryDekStore,
    sweep::Pace,
};
use portcullis_pii_crypto::{
    AnyPii, Cipher, Email, PersonName, Pii, PiiKinds, PiiType, Sealed,
    reencrypt::{FailureReason, Reencryptor, Report, Scope, SealedRows, StillNeeded, SweepError},
};
use sqlx::Row as _;

use super::{
    disturbed::{Application, Disturbed, Event},
    shop::Shop,
};

async fn run(reencryptor: &Reencryptor, rows: &dyn SealedRows, scope: &Scope) -> Report {
    let mut nobody = |_: &_| {};
    let report = reencryptor.run(rows, scope, "sweep", &mut nobody).await;
    report.expect("it comes to its end")
}

async fn sealed_email(shop: &Shop, id: &str) -> Vec<u8> {
    let select = sqlx::query_scalar("SELECT email_sealed FROM customer WHERE id = ?").bind(id);
    select.fetch_one(&shop.pool).await.expect("it is there")
}

async fn set_sealed_email(shop: &Shop, id: &str, bytes: &[u8]) {
    sqlx::query("UPDATE customer SET email_sealed = ? WHERE id = ?")
        .bind(bytes)
        .bind(id)
        .execute(&shop.pool)
        .await
        .expect("it is stored");
}

async fn note(shop: &Shop, key: KeyId, id: &str) {
    sqlx::query("INSERT OR IGNORE INTO customer_key (key_id, customer) VALUES (?, ?)")
        .bind(key.value())
        .bind(id)
        .execute(&shop.pool)
        .await
        .expect("it is stored");
}

/// Customers c0, c1, … that are sealed.
async fn fill(shop: &Shop, customers: u32) {
    for number in 0..customers {
        let address = format!("customer.{number}@example.com");
        shop.store(&format!("c{number}"), &address, "Customer")
            .await;
    }
}

#[tokio::test]
async fn a_bad_row_is_listed_and_stops_no_other() {
    let (_folder, shop) = Shop::new().await;
    fill(&shop, 6).await;
    let old = shop.rotate(&Email::purpose()).await;
    // c1 is damaged, c2 is what c0 has, c3 is no sealed value, c4 names a key that never was.
    let mut damaged = sealed_email(&shop, "c1").await;
    *damaged.last_mut().unwrap() ^= 1;
    set_sealed_email(&shop, "c1", &damaged).await;
    set_sealed_email(&shop, "c2", &sealed_email(&shop, "c0").await).await;
    set_sealed_email(&shop, "c3", b"customer.3@example.com").await;
    let mut unknown = sealed_email(&shop, "c4").await;
    unknown[2..6].copy_from_slice(&[0, 0, 0, 9]);
    set_sealed_email(&shop, "c4", &unknown).await;
    note(&shop, KeyId::new(9), "c4").await;

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
    assert_eq!(sealed_email(&shop, "c1").await, damaged);
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
        fill(&shop, 2).await;
        let old = shop.rotate(&Email::purpose()).await;
        let names = shop.rotate(&PersonName::purpose()).await;
        for step in steps {
            let changed = shop.keyring.change_state(&shop.tenant, old, *step).await;
            changed.unwrap();
        }
        let scope = Scope::Keys([old, names].into());
        let report = run(&shop.reencryptor(), &shop.customers, &scope).await;
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
async fn only_what_the_key_sealed_is_sealed_again() {
    let (_folder, shop) = Shop::new().await;
    fill(&shop, 1).await;
    let row = async || {
        let select = sqlx::query("SELECT email_sealed, name_sealed FROM customer");
        let row = select.fetch_one(&shop.pool).await.unwrap();
        (row.get::<Vec<u8>, _>(0), row.get::<Vec<u8>, _>(1))
    };
    let before = row().await;
    let old = shop.rotate(&PersonName::purpose()).await;
    let report = run(
        &shop.reencryptor(),
        &shop.customers,
        &Scope::Keys([old].into()),
    )
    .await;
    assert!(report.is_complete());
    let after = row().await;
    assert_eq!(after.0, before.0);
    assert_ne!(after.1, before.1);
    // And nothing is done twice.
    let report = run(&shop.reencryptor(), &shop.customers, &Scope::All).await;
    assert_eq!((report.progress.done, report.progress.changed), (1, 0));
}

#[tokio::test]
async fn a_key_that_is_noted_for_too_many_rows_is_noted_again() {
    let (_folder, shop) = Shop::new().await;
    fill(&shop, 2).await;
    let old = shop.rotate(&Email::purpose()).await;
    fill(&shop, 2).await;
    note(&shop, old, "c0").await;
    assert_eq!(shop.verify(old).await.rows_of(old), Some(1));
    let report = run(
        &shop.reencryptor(),
        &shop.customers,
        &Scope::Keys([old].into()),
    )
    .await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(shop.verify(old).await.rows_of(old), Some(0));
}

#[tokio::test]
async fn a_key_is_free_when_no_row_needs_it_a_minute_after_its_demotion() {
    let (_folder, shop) = Shop::new().await;
    fill(&shop, 2).await;
    let old = shop.rotate(&Email::purpose()).await;
    let primary = Sealed::<AnyPii>::from_bytes({
        fill(&shop, 1).await;
        sealed_email(&shop, "c0").await
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

    run(
        &shop.reencryptor(),
        &shop.customers,
        &Scope::Keys([old].into()),
    )
    .await;
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
async fn plaintext_that_is_no_value_is_listed_and_the_rest_of_its_row_is_sealed() {
    let (_folder, shop) = Shop::new().await;
    shop.store_plain("c0", "unknown", "Nobody").await;
    shop.store_plain("c1", "one@example.com", "One").await;
    shop.store_plain("c2", "ONE@example.com", "One again").await;
    let report = run(&shop.reencryptor(), &shop.customers, &Scope::Plaintext).await;
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

#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Application for Nobody {
    async fn disturb(&self, _event: &Event) {}
}

#[tokio::test]
async fn a_table_that_is_down_stops_the_sweep_which_goes_on_later() {
    let (_folder, shop) = Shop::new().await;
    fill(&shop, 4).await;
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
    fill(&shop, 1).await;
    let old = shop.rotate(&Email::purpose()).await;
    let rows = Disturbed::new(&shop, vec![Event::Fails; 3], &Nobody);
    let report = run(&shop.reencryptor(), &rows, &Scope::Keys([old].into())).await;
    assert!(report.is_complete());
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
    fill(&shop, 6).await;
    let old = shop.rotate(&Email::purpose()).await;
    let (two, rate) = (NonZeroU32::new(2).unwrap(), NonZeroU32::new(4).unwrap());
    let pace = Pace::batches_of(two).at_most(rate);
    let began = portcullis_keyring::clock::Clock::monotonic(&*shop.clock);
    let mut seen = Vec::new();
    let mut show = |progress: &portcullis_keyring::sweep::Progress| {
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
    let took = portcullis_keyring::clock::Clock::monotonic(&*shop.clock) - began;
    assert_eq!(took, 3 * half);
}

#[tokio::test]
async fn a_sweep_of_other_keys_under_the_same_name_begins_at_the_first_row() {
    let (_folder, shop) = Shop::new().await;
    fill(&shop, 4).await;
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
    fill(&shop, 3).await;
    let foreign = of_somebody_else(&shop, "c1").await;
    set_sealed_email(&shop, "c1", &foreign).await;
    let old = shop.rotate(&Email::purpose()).await;
    let mut damaged = sealed_email(&shop, "c2").await;
    *damaged.last_mut().unwrap() ^= 1;
    set_sealed_email(&shop, "c2", &damaged).await;

    let untyped = super::faulty::Untyped::new(shop.customers.clone());
    let report = run(&shop.reencryptor(), &untyped, &Scope::All).await;
    let failed = report.failures.iter();
    let failed = failed.map(|failure| (failure.row.as_str(), failure.reason));
    assert_eq!(Vec::from_iter(failed), [("c2", FailureReason::Rejected)]);
    assert_eq!(report.progress.changed, 1);
    assert_eq!(sealed_email(&shop, "c1").await, foreign);
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
    let report = run(&shop.reencryptor(), &shop.customers, &Scope::All).await;
    let failed = report.failures.iter().map(|failure| failure.reason);
    let expected = [FailureReason::UnknownKey, FailureReason::Rejected];
    assert_eq!(Vec::from_iter(failed), expected);
}
