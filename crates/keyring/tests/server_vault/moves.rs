//! From a key-encryption key of the process to Vault, and back, while others open what there is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use portcullis_keyring::{
    Keyring,
    kek::{KekProvider, KekProviders, LocalKek, VaultTransit},
    secrets::VersionedSecrets,
    store::MemoryDekStore,
    sweep::Pace,
};
use secrecy::SecretBox;

use crate::{kek, purpose, raw, tenant, with_key};

fn local() -> Arc<dyn KekProvider> {
    let secret = SecretBox::new(Box::new([0x41; 32]));
    Arc::new(LocalKek::new(VersionedSecrets::single(secret)))
}

/// As every process is configured: two that wrap with one and open both, of which one is to wrap with the other.
fn both(primary: &Arc<dyn KekProvider>, other: &Arc<dyn KekProvider>) -> Arc<dyn KekProvider> {
    Arc::new(KekProviders::new(Arc::clone(primary)).also_opens(Arc::clone(other)))
}

#[tokio::test]
async fn data_keys_move_to_vault_and_back_while_they_are_opened() {
    let bao = with_key();
    let vault: Arc<dyn KekProvider> = Arc::new(kek(bao.root()));
    let local = local();
    let store = Arc::new(MemoryDekStore::new());
    let keyring = |kek: Arc<dyn KekProvider>| Keyring::builder(kek, store.clone()).build();
    let tenants: Vec<_> = (0..20)
        .map(|number| tenant(&format!("t-{number}")))
        .collect();
    let before = keyring(Arc::clone(&local));
    for tenant in &tenants {
        before.prepare(tenant, &[purpose("email")]).await.unwrap();
    }

    for (from, to) in [(&local, &vault), (&vault, &local)] {
        let is_over = Arc::new(AtomicBool::new(false));
        // One that is not yet told to wrap with the next one, and holds no key: it unwraps each time.
        let (reader, stop) = (both(from, to), Arc::clone(&is_over));
        let (store, names) = (store.clone(), tenants.clone());
        let reading = tokio::spawn(async move {
            let mut rounds = 0;
            while !stop.load(Ordering::Relaxed) || rounds == 0 {
                let keyring = Keyring::builder(Arc::clone(&reader), store.clone()).build();
                for tenant in &names {
                    keyring.prepare(tenant, &[purpose("email")]).await.unwrap();
                }
                rounds += 1;
            }
            rounds
        });
        let moving = keyring(both(to, from));
        let moved = moving
            .rewrap_all(Pace::default(), &mut |_| {})
            .await
            .unwrap();
        assert!(moved.failed.is_empty(), "{moved:?}");
        assert_eq!(moved.progress.changed, 20);
        is_over.store(true, Ordering::Relaxed);
        assert!(reading.await.unwrap() > 0);
        let counted = moving.key_states().await.unwrap().kek_versions;
        let expected = to.primary().await.unwrap();
        assert_eq!(counted.into_iter().collect::<Vec<_>>(), [(expected, 20)]);
        // Now the former one can go.
        let after = keyring(Arc::clone(to));
        for tenant in &tenants {
            after.prepare(tenant, &[purpose("email")]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn another_key_of_vault_is_another_provider() {
    let bao = with_key();
    bao.cli(&["write", "-f", "transit/keys/next", "derived=true"]);
    let former: Arc<dyn KekProvider> = Arc::new(kek(bao.root()));
    let next = VaultTransit::new(bao.root(), "transit", "next").unwrap();
    let next: Arc<dyn KekProvider> = Arc::new(next);
    let here = crate::context("t", 1);
    let made = former.generate(&here).await.unwrap();
    let after = both(&next, &former);
    let opened = after.unwrap_key(&here, &made.wrapped).await.unwrap();
    assert_eq!(raw(&opened), raw(&made.key));
    let moved = after.rewrap(&here, &made.wrapped).await.unwrap();
    assert_eq!(next.version_of(&moved).unwrap(), "transit/next:v1");
    let opened = next.unwrap_key(&here, &moved).await.unwrap();
    assert_eq!(raw(&opened), raw(&made.key));
}

/// The latest version is made when the key is rotated.
#[tokio::test]
async fn vault_says_since_when_there_is_the_version_that_wraps() {
    let bao = with_key();
    let kek = kek(bao.root());
    let first = kek.primary_since().await.unwrap().unwrap();
    // Vault says it in whole seconds.
    let next_second = first + Duration::from_secs(1);
    while now() < next_second {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bao.cli(&["write", "-f", "transit/keys/ingest/rotate"]);
    let second = kek.primary_since().await.unwrap().unwrap();
    assert!(second > first, "{second:?}");
    assert!(second <= now());
}

fn now() -> SystemTime {
    SystemTime::now()
}
