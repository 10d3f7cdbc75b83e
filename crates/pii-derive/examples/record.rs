//! A record is sealed, changed and opened; what did not change stays as it is stored.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{error::Error, sync::Arc};

use portcullis_keyring::{Keyring, Purpose, TenantId, kek::MemoryKek, store::MemoryDekStore};
use portcullis_pii_crypto::{
    Cipher, Email, IndexRoots, PersonName, Pii, Seal,
    record::{Seal as _, SealedRecord as _},
    secrets::VersionedSecrets,
};

#[derive(Seal)]
struct Customer {
    plan: String,
    #[pii(purpose = "email", field = "customer.email", index(unique))]
    email: Pii<Email>,
    #[pii(purpose = "name", field = "customer.name")]
    name: Option<Pii<PersonName>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let kek = Arc::new(MemoryKek::new()?);
    let keyring = Keyring::builder(kek, Arc::new(MemoryDekStore::new())).build();
    let purposes = [Purpose::new("email")?, Purpose::new("name")?];
    let tenant = TenantId::new("tenant-7")?;
    let cipher = Cipher::new(keyring.prepare(&tenant, &purposes).await?);
    // For a service of yours: 32 random bytes from where it keeps its secrets.
    let root = "1:MHD2FJtWYQHDo5bV+nE3cWkUCFpFeAgUJ0KLPS2kj0U=";
    let roots = IndexRoots::new(VersionedSecrets::parse(&root.into(), None)?)?;

    let mut customer = Customer {
        plan: "silver".to_owned(),
        email: Pii::parse("jo@example.com")?,
        name: None,
    };
    let stored = customer.seal(&cipher, &roots, "0198c0de")?;
    println!("{stored:?}");

    customer.plan = "gold".to_owned();
    customer.name = Some(Pii::parse("Jo Doe")?);
    let changed = customer.seal_changes(&stored, &cipher, &roots, "0198c0de")?;
    assert_eq!(changed.email, stored.email);

    let opened = changed.open(&cipher, "0198c0de")?;
    let name = opened.name.as_ref().map(Pii::masked);
    println!("{}: {}, {name:?}", opened.plan, opened.email.masked());
    Ok(())
}
