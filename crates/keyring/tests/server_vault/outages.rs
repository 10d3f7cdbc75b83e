//! Vault that is killed or sealed, and the first requests of a tenant.

use std::{
    collections::BTreeMap,
    error::Error as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use portcullis_keyring::{
    KeyId, Keyring, PrepareError,
    clock::{Clock, FakeClock},
    kek::KekError,
    observer::{Event, Observer},
    secrets::vault::VaultOutage,
    store::MemoryDekStore,
};

use crate::{Bao, kek, purpose, tenant, with_key};

fn keyring(bao: &Bao, store: &Arc<MemoryDekStore>, clock: &Arc<FakeClock>) -> Keyring {
    Keyring::builder(Arc::new(kek(bao.root())), store.clone())
        .clock(clock.clone() as Arc<dyn Clock>)
        .build()
}

async fn primary(keyring: &Keyring, name: &str) -> Result<KeyId, PrepareError> {
    let keys = keyring.prepare(&tenant(name), &[purpose("email")]).await?;
    Ok(keys
        .primary("email", keys.clock().monotonic())
        .unwrap()
        .id())
}

/// Why Vault could not answer, as the sources of the error say.
fn outage(answer: Result<KeyId, PrepareError>) -> VaultOutage {
    let error = answer.unwrap_err();
    let is_outage = matches!(error, PrepareError::Kek(KekError::Unavailable(_)));
    assert!(is_outage, "{error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(outage) = error.downcast_ref::<VaultOutage>() {
            return outage.clone();
        }
        source = error.source();
    }
    panic!("{error:?}")
}

#[tokio::test]
async fn a_keyring_outlives_a_vault_that_is_killed_or_sealed() {
    let mut bao = with_key();
    let (store, clock) = (Arc::new(MemoryDekStore::new()), Arc::new(FakeClock::new()));
    let keyring = keyring(&bao, &store, &clock);
    let key = primary(&keyring, "known").await.unwrap();

    bao.kill();
    // A refresh falls due, fails, and the key in memory goes on.
    for hours in [0, 2, 10] {
        clock.advance(Duration::from_secs(hours * 60 * 60));
        assert_eq!(primary(&keyring, "known").await.unwrap(), key);
    }
    let away = outage(primary(&keyring, "new").await);
    assert!(matches!(away, VaultOutage::Connection(_)), "{away:?}");

    bao.restart();
    let made = primary(&keyring, "new").await.unwrap();
    bao.seal();
    assert_eq!(primary(&keyring, "known").await.unwrap(), key);
    assert_eq!(primary(&keyring, "new").await.unwrap(), made);
    let sealed = outage(primary(&keyring, "newer").await);
    assert!(matches!(sealed, VaultOutage::Sealed), "{sealed:?}");
    // After 24 h nothing is left, and that is said in the same words.
    clock.advance(Duration::from_secs(24 * 60 * 60));
    let sealed = outage(primary(&keyring, "known").await);
    assert!(matches!(sealed, VaultOutage::Sealed), "{sealed:?}");

    bao.unseal();
    assert_eq!(primary(&keyring, "known").await.unwrap(), key);
    assert!(primary(&keyring, "newer").await.is_ok());
}

/// Counts calls, by operation and purpose.
#[derive(Debug, Default)]
struct Calls(Mutex<BTreeMap<(&'static str, String), u32>>);

impl Observer for Calls {
    fn observe(&self, event: &Event<'_>) {
        if let Event::KekCalled { operation, key, .. } = event {
            let call = (operation.as_str(), key.purpose().as_str().to_owned());
            *self.0.lock().unwrap().entry(call).or_default() += 1;
        }
    }
}

/// A thousand requests at once, and the calls they made.
async fn calls_of_a_thousand(bao: &Bao, store: &Arc<MemoryDekStore>) -> Vec<(String, u32)> {
    let calls = Arc::new(Calls::default());
    let process = Keyring::builder(Arc::new(kek(bao.root())), store.clone())
        .observer(calls.clone() as Arc<dyn Observer>)
        .build();
    let (tenant, purposes) = (tenant("t"), ["email", "phone"].map(purpose));
    let requests = (0..1_000).map(|_| process.prepare(&tenant, &purposes));
    for answer in join_all(requests).await {
        assert!(answer.is_ok(), "{answer:?}");
    }
    let calls = calls.0.lock().unwrap();
    let words = |((operation, purpose), count): (&(&str, String), &u32)| {
        (format!("{operation} {purpose}"), *count)
    };
    calls.iter().map(words).collect()
}

#[tokio::test]
async fn a_thousand_first_requests_of_a_tenant_make_one_call_for_each_purpose() {
    let bao = with_key();
    let store = Arc::new(MemoryDekStore::new());
    let once =
        |calls: &[&str]| -> Vec<_> { calls.iter().map(|call| ((*call).to_owned(), 1)).collect() };
    // A new tenant: each key is made, and serves as it was made.
    let made = ["generate email", "generate phone"];
    assert_eq!(calls_of_a_thousand(&bao, &store).await, once(&made));
    // A process that has just started.
    let unwrapped = ["unwrap_key email", "unwrap_key phone"];
    assert_eq!(calls_of_a_thousand(&bao, &store).await, once(&unwrapped));
}
