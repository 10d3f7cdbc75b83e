//! The life of a key over the memory store: issued, validated from memory, moved to a new pepper,
//! revoked, refused.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{error::Error, sync::Arc};

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, Denied, KeyStatus, NewKey, Peppers, Tier, secrets::VersionedSecrets,
    store::MemoryKeyStore,
};
use secrecy::SecretBox;

/// Peppers of the versions 1 to `count`, the last of them primary. A service reads them from its
/// secret store, `1:<base64 of 32 bytes>,2:<…>`, with `VersionedSecrets::parse`.
fn peppers(count: u8) -> Result<Peppers, Box<dyn Error>> {
    let mut secrets = Vec::new();
    for version in 1..=count {
        let secret = SecretBox::new(Box::new([version; 32]));
        secrets.push((u32::from(version).try_into()?, secret));
    }
    let primary = u32::from(count).try_into()?;
    Ok(Peppers::new(VersionedSecrets::new(primary, secrets)?)?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Arc::new(MemoryKeyStore::new());
    let cache = ApiKeyCache::builder(store.clone(), store.clone(), peppers(1)?).build();
    // Reads the change feed; without it every validation would ask the store.
    tokio::spawn(cache.follow());

    let scopes = "events:write leads:read".parse()?;
    let new = NewKey::new("tenant-7".parse()?, Tier::STANDARD, scopes);
    let issued = cache.issue(new).await?;
    // EXPOSE: shown to its owner, once.
    let text = issued.key().hazmat_expose().to_owned();
    println!("issued    {}, {} characters", issued.kid(), text.len());

    let key = ApiKey::parse(&text)?;
    let principal = cache.validate(&key).await?;
    assert_eq!(principal.tenant().as_str(), "tenant-7");
    assert!(principal.has_scope("leads:read") && !principal.has_scope("pii:read"));
    println!("validated {principal:?}");

    // The pepper is rotated: the next process has a second one, under which the key is hashed
    // again when it is next used. Its owner notices nothing.
    let next = ApiKeyCache::builder(store.clone(), store, peppers(2)?).build();
    tokio::spawn(next.follow());
    next.validate(&key).await?;
    println!("rotated   to pepper 2");

    next.revoke(key.kid()).await?;
    let refused = next.validate(&key).await;
    assert!(matches!(refused, Err(Denied::Unauthorized)));
    assert_eq!(next.record(key.kid()).await?.status(), KeyStatus::Revoked);
    println!("revoked   {}", key.kid());
    Ok(())
}
