//! Two caches on one SQLite file, as two processes would have them: what one revokes, the other
//! refuses within 500 ms, though it has the key in memory.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    ApiKeyCache, Denied, NewKey, Peppers, Tier, secrets::VersionedSecrets, store::SqliteKeyStore,
};
use secrecy::SecretBox;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use tokio::time::{sleep, timeout};

/// What each process does at its start.
async fn open(file: &Path) -> Result<ApiKeyCache, Box<dyn Error>> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let store = Arc::new(SqliteKeyStore::new(
        SqlitePool::connect_with(options).await?,
    ));
    store.migrate().await?;
    let secret = SecretBox::new(Box::new([7; 32]));
    let peppers = Peppers::new(VersionedSecrets::single(secret))?;
    Ok(ApiKeyCache::builder(store.clone(), store, peppers).build())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("keys.db");
    let (server, admin) = (open(&file).await?, open(&file).await?);
    tokio::spawn(server.follow());

    let new = NewKey::new("tenant-7".parse()?, Tier::STANDARD, "events:write".parse()?);
    let key = admin.issue(new).await?.into_key();
    let from_memory = async {
        while server.stats().hits == 0 {
            server.validate(&key).await?;
            sleep(Duration::from_millis(10)).await;
        }
        Ok::<_, Denied>(())
    };
    timeout(Duration::from_secs(20), from_memory).await??;
    println!("the server answers from memory: {:?}", server.stats());

    admin.revoke(key.kid()).await?;
    let refused = async {
        while server.validate(&key).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), refused).await?;
    assert!(server.stats().confirmed_for > Duration::ZERO);
    println!("the server learned of the revocation from the outbox");
    Ok(())
}
