//! Keys that take long to come.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use portcullis_keyring::{
    KeyId, Keyring, TenantId, Transition,
    clock::{Clock as _, FakeClock},
    kek::{LocalKek, WrappedKey},
    secrets::VersionedSecrets,
    store::{ChangeError, DekStore, InsertError, KeyQuery, LoadedKeys, StoreError, StoredKey},
    sweep::Cursor,
};
use portcullis_pii_crypto::{
    AnyPii, Email, PiiKinds, PiiType,
    reencrypt::{
        FailureReason, IndexWrite, Reencryptor, RowChange, RowError, RowOutcome, Scope, SealedRow,
        SealedRows, StillNeeded,
    },
};
use secrecy::SecretBox;

use super::shop::{Shop, run};

/// A store of keys that takes a moment more than 10 s for each answer about some tenant, as often as it is told.
#[derive(Debug)]
struct Slow {
    store: Arc<dyn DekStore>,
    clock: Arc<FakeClock>,
    tenant: TenantId,
    answers: Mutex<u32>,
}

impl Slow {
    fn take_time(&self) {
        let mut left = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fewer) = left.checked_sub(1) {
            *left = fewer;
            self.clock.advance(Duration::from_millis(10_001));
        }
    }
}

#[async_trait]
impl DekStore for Slow {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        self.store.insert(key).await
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.store.load(id).await
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        if *tenant == self.tenant {
            self.take_time();
        }
        self.store.load_tenant(tenant).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, StoreError> {
        self.store.list(query).await
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        self.store.promote(old, new, at).await
    }

    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError> {
        self.store.change(id, step, at).await
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        self.store.rewrap(id, old, new).await
    }

    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        self.store.erase_tenant(tenant, at).await
    }
}

/// Another process, for which the keys of some tenant come slowly.
fn slow(shop: &Shop, tenant: &TenantId, answers: u32) -> Reencryptor {
    let kek = LocalKek::new(VersionedSecrets::single(SecretBox::new(Box::new([5; 32]))));
    let store = Arc::new(Slow {
        store: shop.keys.clone(),
        clock: shop.clock.clone(),
        tenant: tenant.clone(),
        answers: Mutex::new(answers),
    });
    let keyring = Keyring::builder(Arc::new(kek), store).clock(shop.clock.clone());
    Reencryptor::new(keyring.build(), PiiKinds::built_in()).timer(shop.clock.clone())
}

/// The table; it notes when each row was sealed, and how long before it was written.
#[derive(Debug)]
struct Timed {
    shop: Shop,
    sealed: Mutex<BTreeMap<TenantId, Duration>>,
    longest: Mutex<Duration>,
}

#[async_trait]
impl SealedRows for Timed {
    fn table(&self) -> &str {
        self.shop.customers.table()
    }

    async fn count(&self, scope: &Scope) -> Result<u64, RowError> {
        self.shop.customers.count(scope).await
    }

    async fn page(
        &self,
        scope: &Scope,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Vec<SealedRow>, RowError> {
        self.shop.customers.page(scope, after, limit).await
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        let now = self.shop.clock.monotonic();
        for change in changes {
            let sealed = self.sealed.lock().unwrap_or_else(PoisonError::into_inner);
            let since = now - sealed[&change.row.tenant];
            let mut longest = self.longest.lock().unwrap_or_else(PoisonError::into_inner);
            *longest = since.max(*longest);
        }
        self.shop.customers.apply(changes).await
    }

    /// Asked for when a value was sealed.
    fn index(&self, tenant: &TenantId, field: &str, value: &AnyPii) -> Vec<IndexWrite> {
        let mut sealed = self.sealed.lock().unwrap_or_else(PoisonError::into_inner);
        sealed.insert(tenant.clone(), self.shop.clock.monotonic());
        self.shop.customers.index(tenant, field, value)
    }

    async fn cursor(&self, sweep: &str) -> Result<Option<Cursor>, RowError> {
        self.shop.customers.cursor(sweep).await
    }

    async fn set_cursor(&self, sweep: &str, cursor: Option<&Cursor>) -> Result<(), RowError> {
        self.shop.customers.set_cursor(sweep, cursor).await
    }
}

#[tokio::test]
async fn what_is_sealed_is_written_within_10_s_while_keys_of_later_rows_take_longer() {
    for answers in 1..=6 {
        let (_folder, shop) = Shop::new().await;
        let other = TenantId::new("tenant-8").unwrap();
        shop.store_plain("c0", "one@example.com", "One").await;
        shop.store_plain("c1", "two@example.com", "Two").await;
        sqlx::raw_sql("UPDATE customer SET tenant = 'tenant-8' WHERE id = 'c1'")
            .execute(&shop.pool)
            .await
            .unwrap();
        let rows = Timed {
            shop: shop.clone(),
            sealed: Mutex::default(),
            longest: Mutex::default(),
        };
        let reencryptor = slow(&shop, &other, answers);
        run(&reencryptor, &rows, &Scope::Plaintext).await;
        let longest = *rows.longest.lock().unwrap();
        assert!(longest <= Duration::from_secs(10), "{answers}: {longest:?}");
        let report = run(&reencryptor, &rows, &Scope::Plaintext).await;
        assert!(report.is_complete(), "{answers}: {report:?}");
        let plain = "SELECT COUNT(*) FROM customer WHERE email IS NOT NULL";
        let plain: i64 = sqlx::query_scalar(plain)
            .fetch_one(&shop.pool)
            .await
            .unwrap();
        assert_eq!(plain, 0, "{answers}");
    }
}

#[tokio::test]
async fn a_row_that_was_not_read_frees_no_key() {
    let (_folder, shop) = Shop::new().await;
    shop.fill(2).await;
    let old = shop.rotate(&Email::purpose()).await;
    // Nothing is noted: what counts is what stands in the rows.
    sqlx::raw_sql("DELETE FROM customer_key")
        .execute(&shop.pool)
        .await
        .unwrap();
    shop.clock.advance(Duration::from_secs(60));
    let mut nobody = |_: &_| {};
    let (reencryptor, keys) = (slow(&shop, &shop.tenant, u32::MAX), [old].into());
    let verified = reencryptor.verify(&shop.customers, &keys, &mut nobody);
    let verified = verified.await.expect("it comes to its end");
    let reasons = verified.failures.iter().map(|failure| failure.reason);
    assert_eq!(Vec::from_iter(reasons), [FailureReason::StaleKeys; 2]);
    let frees = verified.frees(&shop.key(old).await);
    assert_eq!(frees, Err(StillNeeded::Rows(2)));
}
