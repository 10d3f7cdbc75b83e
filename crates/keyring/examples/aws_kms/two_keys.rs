//! From a former KMS key to the next.

use std::{error::Error, sync::Arc};

use portcullis_keyring::{
    Keyring, Purpose, TenantId, kek::AwsKms, secrets::aws::AwsConnection, store::MemoryDekStore,
    sweep::Pace,
};

pub(crate) async fn run(
    connection: &AwsConnection,
    former: &str,
    next: &str,
) -> Result<(), Box<dyn Error>> {
    let store = Arc::new(MemoryDekStore::new());
    let (tenant, email) = (TenantId::new("tenant-7")?, [Purpose::new("email")?]);

    // One call makes the data key, and one opens it; for an hour there are no more.
    let kek = AwsKms::new(connection, former)?;
    let keyring = Keyring::builder(Arc::new(kek), store.clone()).build();
    let keys = keyring.prepare(&tenant, &email).await?;
    let id = keys.primary("email", keys.clock().monotonic())?.id();

    // Every process opens with both keys before any wraps with the next.
    let both = AwsKms::new(connection, next)?.also_opens(former)?;
    let both = Keyring::builder(Arc::new(both), store.clone()).build();
    let wrapped = both.rewrap_all(Pace::default(), &mut |_| {}).await?;
    assert!(wrapped.failed.is_empty());

    // The former key is needed no more, and the data key is the same.
    let kek = AwsKms::new(connection, next)?;
    let keyring = Keyring::builder(Arc::new(kek), store).build();
    let keys = keyring.prepare(&tenant, &email).await?;
    assert_eq!(keys.primary("email", keys.clock().monotonic())?.id(), id);
    Ok(())
}
