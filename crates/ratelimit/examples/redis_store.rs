//! Limits that two processes share on one Redis server, and what they see when it is gone.
//!
//! `cargo run -p portcullis-ratelimit --example redis_store --features redis -- redis://127.0.0.1:6379`
//!
//! Without a URL it starts a private `redis-server`, if there is one.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{
    env,
    error::Error,
    io::ErrorKind,
    net::TcpListener,
    num::NonZeroU32,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use portcullis_ratelimit::{
    Category, CheckError, RateLimitRequest, RateLimiter, Tier,
    observer::{Event, Observer},
    policy::Policies,
    store::{NodeCount, RedisHeartbeat, RedisStore, StoreError},
};

/// A server: its URL, and its process if it is a private one.
type Server = (String, Option<Child>);

/// Where a service has its metrics.
#[derive(Debug)]
struct Log(&'static str);

impl Observer for Log {
    fn observe(&self, event: &Event<'_>) {
        if let Event::RoundTrip { elapsed, end } = event {
            println!("{}: {end:?} after {elapsed:?}", self.0);
        }
    }
}

/// What each process builds at its start, whether the server is up or not.
fn process(
    name: &'static str,
    url: &str,
) -> Result<(RateLimiter, Arc<RedisStore>), Box<dyn Error>> {
    let store = RedisStore::builder([url])?
        .key_prefix(format!("example-{}", std::process::id()))
        // The default is 25 ms, which a machine that compiles meanwhile may miss.
        .deadline(Duration::from_secs(2))
        .observer(Arc::new(Log(name)))
        .build()?;
    let store = Arc::new(store);
    let limiter = RateLimiter::builder()
        .policies(Policies::tier_defaults())
        .store(store.clone())
        .build()?;
    Ok((limiter, store))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let Some((url, server)) = server()? else {
        println!("there is no redis-server here: give the URL of one");
        return Ok(());
    };
    let (one, store) = process("one", &url)?;
    let (two, other_store) = process("two", &url)?;
    while store.ping().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    // A burst of 20 for both together.
    let batch = RateLimitRequest::new("acme", &Tier::FREE, &Category::INGEST).with_cost(15);
    assert!(one.check(&batch).await?.is_admitted());
    assert!(!two.check(&batch).await?.is_admitted());

    // Among how many a fallback divides the limits while the server is gone.
    let nodes = NodeCount::starting_at(NonZeroU32::MIN);
    RedisHeartbeat::new(store, nodes.clone()).beat().await?;
    RedisHeartbeat::new(other_store, nodes.clone())
        .beat()
        .await?;
    assert_eq!(nodes.current().get(), 2);

    if let Some(mut server) = server {
        server.kill()?;
        server.wait()?;
        // Neither admitted nor refused: that is for a `FallbackStore`, or for the caller, to decide.
        let failed = one.check(&batch).await;
        let is_unavailable = matches!(failed, Err(CheckError::Store(StoreError::Unavailable(_))));
        assert!(is_unavailable, "{failed:?}");
    }
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
