use std::{net::Ipv4Addr, time::Duration};

use axum::{Router, body::Bytes, routing::get};
use portcullis_ratelimit::TrustedProxies;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::timeout,
};

use super::{Limits, Listener};

#[tokio::test]
async fn a_peer_that_asks_and_never_reads_loses_its_place() {
    let limits = Limits {
        connections: 1,
        write_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let listener = Listener::bind(any, limits, TrustedProxies::none()).await;
    let listener = listener.unwrap();
    let address = listener.address().unwrap();
    // More than the buffers of both ends take.
    let large = Bytes::from(vec![0; 64 << 20]);
    let router = Router::new()
        .route("/large", get(async move || large))
        .route("/small", get(async || "small"));
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(listener.serve(router, stopped));

    let mut deaf = TcpStream::connect(address).await.unwrap();
    let request = "GET /large HTTP/1.1\r\nhost: x\r\n\r\n".repeat(10);
    deaf.write_all(request.as_bytes()).await.unwrap();
    deaf.readable().await.unwrap();

    // The only place is the first one's until it is taken away.
    let mut next = TcpStream::connect(address).await.unwrap();
    let request = b"GET /small HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    next.write_all(request).await.unwrap();
    let mut answer = String::new();
    let read = timeout(Duration::from_secs(5), next.read_to_string(&mut answer));
    read.await.unwrap().unwrap();
    assert!(answer.ends_with("small"), "{answer}");
    drop(deaf);
}
