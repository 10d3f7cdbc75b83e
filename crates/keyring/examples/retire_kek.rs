//! A version of the key-encryption key is retired: every data key is wrapped again under the next.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{error::Error, num::NonZeroU32, sync::Arc};

use portcullis_keyring::{
    Keyring, Purpose, TenantId,
    kek::LocalKek,
    secrets::VersionedSecrets,
    store::MemoryDekStore,
    sweep::{Pace, Progress},
};
use secrecy::SecretString;

const OLD: &str = "1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=";
const NEW: &str = "2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const PAGE: NonZeroU32 = NonZeroU32::new(2).expect("it is not zero");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Arc::new(MemoryDekStore::new());
    let purposes = [Purpose::new("email")?, Purpose::new("phone")?];
    let tenants = ["tenant-7", "tenant-8"].map(TenantId::new);
    let before = keyring(OLD, "1", &store)?;
    for tenant in tenants.clone() {
        before.prepare(&tenant?, &purposes).await?;
    }

    let both = keyring(&format!("{OLD},{NEW}"), "2", &store)?;
    let pace = Pace::batches_of(PAGE);
    let mut tell = |progress: &Progress| println!("{} of {}", progress.done, progress.total);
    let rewrapped = both.rewrap_all(pace, &mut tell).await?.progress.changed;
    assert_eq!(rewrapped, 4);
    let left = both.key_states().await?.kek_versions;
    assert!(!left.contains_key(&Some("1".to_owned())));

    let without_the_old = keyring(NEW, "2", &store)?;
    for tenant in tenants {
        without_the_old.prepare(&tenant?, &purposes).await?;
    }
    println!("{rewrapped} data keys need version 1 no more");
    Ok(())
}

fn keyring(
    configured: &str,
    primary: &str,
    store: &Arc<MemoryDekStore>,
) -> Result<Keyring, Box<dyn Error>> {
    let configured = SecretString::from(configured);
    let secrets = VersionedSecrets::parse(&configured, Some(primary.parse()?))?;
    let kek = Arc::new(LocalKek::new(secrets));
    Ok(Keyring::builder(kek, store.clone()).build())
}
