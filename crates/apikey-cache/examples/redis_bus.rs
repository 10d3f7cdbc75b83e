//! Two processes that share a store, and tell each other of changes on one Redis server, or go on without it.
//!
//! `cargo run -p portcullis-apikey-cache --example redis_bus --features redis -- redis://127.0.0.1:6379`
//!
//! Without a URL it starts a private `redis-server`, if there is one.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{
    env,
    error::Error,
    io::ErrorKind,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use portcullis_apikey_cache::{
    ApiKeyCache, NewKey, Peppers, Tier,
    bus::{InvalidationBus as _, RedisBus},
    feed::ChangeFeed as _,
    secrets::VersionedSecrets,
    store::MemoryKeyStore,
};
use secrecy::SecretBox;
use tokio::time::{sleep, timeout};

/// A server: its URL, and its process if it is a private one.
type Server = (String, Option<Child>);

/// What each process builds at its start, whether the server is up or not.
fn process(
    url: &str,
    store: &Arc<MemoryKeyStore>,
) -> Result<(ApiKeyCache, Arc<RedisBus>), Box<dyn Error>> {
    // From your secret store, and the same in all processes: what they tell is authenticated under it.
    let secret = SecretBox::new(Box::new([7; 32]));
    let peppers = Peppers::new(VersionedSecrets::single(secret))?;
    let bus = Arc::new(RedisBus::builder([url])?.build(&peppers)?);
    let cache = ApiKeyCache::builder(store.clone(), store.clone(), peppers);
    let cache = cache.bus(bus.clone()).build();
    tokio::spawn(cache.follow());
    Ok((cache, bus))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let Some((url, server)) = server()? else {
        println!("there is no redis-server here: give the URL of one");
        return Ok(());
    };
    let store = Arc::new(MemoryKeyStore::new());
    let ((one, bus), (two, _)) = (process(&url, &store)?, process(&url, &store)?);
    let feed = store.id().await?;
    timeout(Duration::from_secs(20), async {
        while bus.tell(feed, &[]).await.is_err() || bus.listen(feed).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await?;

    issue_and_revoke(&one, &two).await?;
    if let Some(mut server) = server {
        server.kill()?;
        server.wait()?;
        let listening = bus.listen(feed).await;
        println!("without the server: {listening:?}");
        // The feed tells of the revocation, a little later.
        issue_and_revoke(&one, &two).await?;
    }
    Ok(())
}

/// What one process revokes, the other refuses.
async fn issue_and_revoke(one: &ApiKeyCache, two: &ApiKeyCache) -> Result<(), Box<dyn Error>> {
    let new = NewKey::new("tenant-7".parse()?, Tier::STANDARD, "events:write".parse()?);
    let key = one.issue(new).await?.into_key();
    two.validate(&key).await?;
    one.revoke(key.kid()).await?;
    let refused = async {
        while two.validate(&key).await.is_ok() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(20), refused).await?;
    println!("the other process refuses the key");
    Ok(())
}

/// The server of the URL given, or a private one.
fn server() -> Result<Option<Server>, Box<dyn Error>> {
    if let Some(url) = env::args().nth(1) {
        return Ok(Some((url, None)));
    }
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let started = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no"])
        .stdout(Stdio::null())
        .spawn();
    match started {
        Ok(server) => Ok(Some((format!("redis://127.0.0.1:{port}"), Some(server)))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
