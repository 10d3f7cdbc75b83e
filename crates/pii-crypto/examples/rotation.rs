//! A value is sealed, its key is rotated, and the old value is opened and sealed again.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{sync::Arc, time::Duration};

use portcullis_keyring::{
    Keyring, TenantId, clock::FakeClock, kek::MemoryKek, store::MemoryDekStore,
};
use portcullis_pii_crypto::{Cipher, Email, FieldContext, OpenError, Pii, PiiType};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Arc::new(FakeClock::new());
    let keyring = Keyring::builder(Arc::new(MemoryKek::new()?), Arc::new(MemoryDekStore::new()))
        .clock(clock.clone())
        .build();
    let (tenant, purposes) = (TenantId::new("tenant-7")?, [Email::purpose()]);
    let here = FieldContext::new("lead.email", "lead-1");

    let cipher = Cipher::new(keyring.prepare(&tenant, &purposes).await?);
    let email = Pii::<Email>::parse("john.smith@example.com")?;
    let old = cipher.seal("lead.email", "lead-1", &email)?;
    println!("sealed under {}", old.key_id());

    keyring.rotate(&tenant, &Email::purpose()).await?;
    clock.advance(Duration::from_secs(15));
    keyring.rotate(&tenant, &Email::purpose()).await?;

    let keys = keyring.prepare(&tenant, &purposes).await?;
    let cipher = Cipher::new(keys.clone());
    let error = cipher
        .open("lead.email", "lead-1", &old)
        .expect_err("another key");
    assert_eq!(error, OpenError::NeedsKey(old.key_id()));
    println!("after the rotation: {error}");

    let old_keys = keyring.prepare_ids(&tenant, &[old.key_id()]).await?;
    let cipher = Cipher::new(keys.merge(old_keys));
    let new = cipher.rebind(&old, here, here)?;
    assert_ne!(new.key_id(), old.key_id());
    println!("sealed again under {}", new.key_id());

    // Other processes may have sealed with the old key until they knew of the new one, and stored that a
    // little later. From then on a service opens every row (`Reencryptor::verify`) to see that none needs the
    // old key any more; the one value there is here is sealed again.
    let ready_in = keyring.verify_from(&tenant, old.key_id()).await?;
    clock.advance(ready_in);
    keyring.disable(&tenant, old.key_id()).await?;
    let old_keys = keyring.prepare_ids(&tenant, &[old.key_id()]).await?;
    let cipher = Cipher::new(keyring.prepare(&tenant, &purposes).await?.merge(old_keys));
    let answer = cipher.open("lead.email", "lead-1", &old);
    assert_eq!(
        answer.expect_err("it is disabled"),
        OpenError::KeyUnavailable
    );
    let opened = cipher.open("lead.email", "lead-1", &new)?;
    println!("opened under the new key: {}", opened.masked());
    Ok(())
}
