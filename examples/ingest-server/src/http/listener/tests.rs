//! Connections that stall, and shares of them.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Bytes, routing::get};
use portcullis_ratelimit::address::TrustedProxies;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::timeout,
};

use super::{Limits, Listener, client_address::Client, connection, idle::Idle};

/// Long enough for anything that happens at all.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Serves until the sender is dropped.
async fn serve(limits: Limits, proxies: TrustedProxies) -> (SocketAddr, watch::Sender<bool>) {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let listener = Listener::bind(any, limits, proxies).await.unwrap();
    let address = listener.address().unwrap();
    // More than the buffers of both ends take.
    let large = Bytes::from(vec![0; 64 << 20]);
    let router = Router::new()
        .route("/large", get(async move || large))
        .route("/small", get(async || "small"));
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(listener.serve(router, stopped));
    (address, stop)
}

/// What the server answers; nothing if it closes the connection instead.
async fn ask(stream: &mut TcpStream) -> Option<u8> {
    let request = b"GET /small HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request).await.ok()?;
    timeout(TIMEOUT, stream.read_u8()).await.unwrap().ok()
}

#[tokio::test]
async fn a_peer_that_asks_and_never_reads_loses_its_permit() {
    let limits = Limits {
        connections: 1,
        write_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    // A proxy waits for a permit, and a client network would be refused.
    let proxy = TrustedProxies::new(["127.0.0.1"]).unwrap();
    let (address, _stop) = serve(limits, proxy).await;
    let mut deaf = TcpStream::connect(address).await.unwrap();
    let request = "GET /large HTTP/1.1\r\nhost: x\r\n\r\n".repeat(10);
    deaf.write_all(request.as_bytes()).await.unwrap();
    deaf.readable().await.unwrap();

    // The only permit is the first one's until it is taken away.
    let mut next = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut next).await, Some(b'H'));
    drop(deaf);
}

#[tokio::test]
async fn one_client_network_gets_a_quarter_of_the_permits_and_a_proxy_all() {
    let limits = Limits {
        connections: 8,
        ..Limits::default()
    };
    let proxy = TrustedProxies::new(["127.0.0.1"]).unwrap();
    for (proxies, served) in [(TrustedProxies::none(), 2), (proxy, 8)] {
        let (address, _stop) = serve(limits, proxies).await;
        let mut open = Vec::new();
        for _ in 0..served {
            let mut stream = TcpStream::connect(address).await.unwrap();
            assert_eq!(ask(&mut stream).await, Some(b'H'));
            open.push(stream);
        }
        // The next one takes the permit of the one that has been idle longest.
        let mut next = TcpStream::connect(address).await.unwrap();
        assert_eq!(ask(&mut next).await, Some(b'H'));
        let mut rest = Vec::new();
        drop(
            timeout(TIMEOUT, open[0].read_to_end(&mut rest))
                .await
                .unwrap(),
        );
        open.push(next);
        for stream in &mut open[1..] {
            let rest = b"TTP/1.1 200 OK".len();
            stream.read_exact(&mut vec![0; rest]).await.unwrap();
        }
        // A permit that was given back is another's.
        drop(open);
        let again = async {
            loop {
                let mut stream = TcpStream::connect(address).await.unwrap();
                if ask(&mut stream).await.is_some() {
                    break;
                }
            }
        };
        timeout(TIMEOUT, again).await.unwrap();
    }
}

#[tokio::test]
async fn a_head_that_is_not_whole_makes_room_and_an_answer_that_is_not_read_does_not() {
    let limits = Limits {
        connections: 8,
        ..Limits::default()
    };
    let (address, _stop) = serve(limits, TrustedProxies::none()).await;
    let mut reading = TcpStream::connect(address).await.unwrap();
    let request = b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n";
    reading.write_all(request).await.unwrap();
    assert_eq!(reading.read_u8().await.unwrap(), b'H');
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /small HT").await.unwrap();

    let mut next = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut next).await, Some(b'H'));
    let mut ended = Vec::new();
    drop(
        timeout(TIMEOUT, slow.read_to_end(&mut ended))
            .await
            .unwrap(),
    );
    assert!(ended.is_empty());
    let mut answer = vec![0; 1 << 20];
    timeout(TIMEOUT, reading.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn an_idle_connection_can_be_closed_from_outside() {
    let (address, stop) = (
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        watch::channel(false),
    );
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (stream, address) = listener.accept().await.unwrap();
    let client = Client::new(address.ip(), Arc::new(TrustedProxies::none()));
    let router = Router::new().route("/small", get(async || "small"));
    let idle = Idle::new();
    let limits = Limits::default();
    let served = connection::serve(stream, client, router, limits, stop.1, idle.clone());
    tokio::spawn(served);

    let opened = idle.since().unwrap();
    let mut answer = [0; 256];
    peer.write_all(b"GET /small HTTP/1.1\r\nhost")
        .await
        .unwrap();
    let begun = async {
        while idle.since().is_some() {
            tokio::task::yield_now().await;
        }
    };
    timeout(TIMEOUT, begun).await.unwrap();
    peer.write_all(b": x\r\n\r\n").await.unwrap();
    assert!(peer.read(&mut answer).await.unwrap() > 0);
    let idle_again = async {
        while idle.since().is_none() {
            tokio::task::yield_now().await;
        }
    };
    timeout(TIMEOUT, idle_again).await.unwrap();
    assert!(idle.since().unwrap() > opened);

    idle.close();
    let end = timeout(TIMEOUT, peer.read(&mut answer)).await.unwrap();
    assert_eq!(end.unwrap(), 0);
}
