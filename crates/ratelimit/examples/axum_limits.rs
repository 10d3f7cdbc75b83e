//! The layer under axum: client addresses limited before authentication, with the few lines that
//! hand the address of the connection from axum to the layer.
//!
//! `cargo run -p portcullis-ratelimit --example axum_limits --features tower`

use std::{error::Error, net::SocketAddr, num::NonZeroUsize, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use portcullis_ratelimit::{
    RateLimiter,
    address::TrustedProxies,
    layer::{ByClientAddress, PeerAddress, RateLimitLayer},
    policy::{Limit, Policies, Rate, Rule},
    store::{MemoryStore, WhenFull},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// From axum's [`ConnectInfo`] to the [`PeerAddress`] that the layer reads.
async fn peer_address(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(PeerAddress(peer.ip()));
    next.run(request).await
}

fn router() -> Result<Router, Box<dyn Error>> {
    let two_at_once = Rule::new(Limit::new(Rate::tokens_per_hour(2), 2)?);
    let capacity = NonZeroUsize::new(10_000).ok_or("above zero")?;
    let limiter = RateLimiter::builder()
        .policies(Policies::builder().client_address(two_at_once).build()?)
        .store(Arc::new(MemoryStore::new(
            capacity,
            WhenFull::SharedOverflow,
        )))
        .build()?;
    let by_address = Arc::new(ByClientAddress::new(TrustedProxies::none()));
    Ok(Router::new()
        .route("/", get(async || "hello"))
        .layer(RateLimitLayer::new(limiter, by_address))
        // Added last, so it runs first.
        .layer(middleware::from_fn(peer_address)))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = router()?.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, service).into_future());

    for expected in ["200 OK", "200 OK", "429 Too Many Requests"] {
        let answer = answer(address).await?;
        let status = answer.lines().next().unwrap_or_default();
        assert_eq!(status, format!("HTTP/1.1 {expected}"));
        assert!(answer.contains("ratelimit-policy: \"client-address\";q=2;w=3600"));
    }
    Ok(())
}

async fn answer(address: SocketAddr) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    connection.write_all(request).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    Ok(answer)
}
