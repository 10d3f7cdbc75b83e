//! Data keys in a SQLite file that two processes share: both open what either has sealed.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use portcullis_keyring::{
    KeyId, Keyring, Purpose, TenantId, kek::LocalKek, secrets::VersionedSecrets,
    store::SqliteDekStore,
};
use secrecy::SecretBox;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("keys.db");
    let (one, other) = (process(&file).await?, process(&file).await?);

    let (tenant, email) = (TenantId::new("tenant-7")?, Purpose::new("email")?);
    let made = primary(&one, &tenant, &email).await?;
    assert_eq!(primary(&other, &tenant, &email).await?, made);
    println!("both seal under data key {made}");

    one.erase_tenant(&tenant).await?;
    let keys = process(&file).await?.prepare(&tenant, &[email]).await;
    println!("afterwards: {}", keys.expect_err("the tenant was erased"));
    Ok(())
}

/// What each process makes at its start. The pool is the application's.
async fn process(file: &Path) -> Result<Keyring, Box<dyn Error>> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(5))
        .pragma("secure_delete", "ON");
    let store = SqliteDekStore::new(SqlitePoolOptions::new().connect_with(options).await?);
    store.migrate().await?;
    // 32 random bytes from the configuration, the same in every process.
    let secret = SecretBox::new(Box::new([7; 32]));
    let kek = LocalKek::new(VersionedSecrets::single(secret));
    Ok(Keyring::builder(Arc::new(kek), Arc::new(store)).build())
}

async fn primary(
    keyring: &Keyring,
    tenant: &TenantId,
    purpose: &Purpose,
) -> Result<KeyId, Box<dyn Error>> {
    let keys = keyring
        .prepare(tenant, std::slice::from_ref(purpose))
        .await?;
    let now = keys.clock().monotonic();
    Ok(keys.primary(purpose.as_str(), now)?.id())
}
