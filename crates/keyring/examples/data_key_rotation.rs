//! A data key from its first use to its destruction, with a local key-encryption key and a store in
//! memory, and what an observer is told of it.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{sync::Arc, time::Duration};

use portcullis_keyring::{
    DESTROY_DELAY, KeyMissing, Keyring, Purpose, Rotation, TenantId,
    clock::FakeClock,
    kek::LocalKek,
    observer::{Event, Observer},
    secrets::VersionedSecrets,
    store::MemoryDekStore,
};
use secrecy::SecretString;

/// Prints every event; a service counts them and logs some.
#[derive(Debug)]
struct Printer;

impl Observer for Printer {
    fn observe(&self, event: &Event<'_>) {
        println!("  {event:?}");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let configured = SecretString::from("1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=");
    let kek = LocalKek::new(VersionedSecrets::parse(&configured, None)?);
    let clock = Arc::new(FakeClock::new());
    let keyring = Keyring::builder(Arc::new(kek), Arc::new(MemoryDekStore::new()))
        .clock(clock.clone())
        .observer(Arc::new(Printer))
        .build();
    let (tenant, email) = (TenantId::new("tenant-7")?, Purpose::new("email")?);

    println!("first use");
    let keys = keyring
        .prepare(&tenant, std::slice::from_ref(&email))
        .await?;
    let old = keys.primary("email", keys.clock().monotonic())?.id();

    println!("rotation");
    keyring.rotate(&tenant, &email).await?;
    clock.advance(Duration::from_secs(15));
    let step = keyring.rotate(&tenant, &email).await?;
    assert!(matches!(step, Rotation::Promoted { demoted, .. } if demoted == old));

    println!("what was sealed under the old key still opens");
    let keys = keyring.prepare(&tenant, &[email]).await?;
    let keys = keys.merge(keyring.prepare_ids(&tenant, &[old]).await?);
    let now = keys.clock().monotonic();
    assert!(keys.primary("email", now).is_ok());
    assert!(keys.find(old, "email", now).is_ok());

    println!("disabled when nobody seals with it any more, and destroyed when its delay is over");
    let refused = async || -> Result<Option<KeyMissing>, Box<dyn std::error::Error>> {
        let keys = keyring.prepare_ids(&tenant, &[old]).await?;
        Ok(keys.find(old, "email", keys.clock().monotonic()).err())
    };
    clock.advance(Duration::from_secs(60));
    keyring.disable(&tenant, old).await?;
    keyring.schedule_destruction(&tenant, old).await?;
    assert_eq!(refused().await?, Some(KeyMissing::Unavailable));
    clock.advance(DESTROY_DELAY);
    keyring.destroy(&tenant, old).await?;
    assert_eq!(refused().await?, Some(KeyMissing::Destroyed));

    println!("erasure of the tenant");
    keyring.erase_tenant(&tenant).await?;
    assert!(
        keyring
            .prepare(&tenant, &[Purpose::new("email")?])
            .await
            .is_err()
    );
    Ok(())
}
