//! Whom a request is counted for: the address that the last trusted proxy names, and never one that
//! a client has written.

use std::net::{IpAddr, SocketAddr};

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
};

use crate::harness::{Data, Server};

/// A server behind the proxies 127.0.0.0/8 that lets each address ask once.
async fn server() -> Server {
    let data = Data::new();
    let mut command = data.command();
    command.env("INGEST_TRUSTED_PROXIES", "127.0.0.0/8, fd00::/8");
    let server = Server::start_command(&data, command);
    let policies = json!({ "client-address": { "per-hour": 1, "burst": 1 } });
    let put = server.admin(Method::PUT, "/admin/limits").json(&policies);
    assert_eq!(put.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    server
}

/// Asks without a key over a connection of that proxy: 401, or 429 where the address has asked.
async fn ask(server: &Server, proxy: IpAddr, fields: &[u8]) -> u16 {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(proxy, 0)).unwrap();
    let address = server.public_address().parse().unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let head = b"GET /v1/leads/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    let request = [head, fields, b"\r\n"].concat();
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let status = answer
        .get(9..12)
        .and_then(|status| str::from_utf8(status).ok());
    status.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_request_counts_for_the_address_that_the_last_trusted_proxy_names() {
    let server = server().await;
    let prober = IpAddr::from([127, 9, 9, 9]);
    // `@` is an address of the case's own, `&` one that a client made up, and `-` stands for the
    // proxy of the connection.
    for (case, (fields, counted)) in (1..).zip([
        (&b"X-Forwarded-For: @"[..], "@"),
        (b"x-forwarded-for: &, @", "@"),
        (b"X-Forwarded-For: evil\xff, @", "@"),
        (b"X-Forwarded-For: \xff\xfe\r\nX-Forwarded-For: @", "@"),
        (
            b"X-Forwarded-For: &\r\nX-Forwarded-For: @\r\nX-Forwarded-For: 127.8.8.8",
            "@",
        ),
        (b"X-Forwarded-For: &, @, fd00::7, [fd00::8]:80", "@"),
        (b"X-Forwarded-For: @:4711", "@"),
        (b"X-Forwarded-For: ::ffff:@", "@"),
        (b"X-Forwarded-For: [::ffff:@]:80", "@"),
        (b"X-Forwarded-For: &,, @ ,\t, ", "@"),
        (b"X-Forwarded-For: @, \xff", "-"),
        (b"X-Forwarded-For: @\xff", "-"),
        (b"X-Forwarded-For: &, unknown", "-"),
        (b"X-Forwarded-For: &, _hidden", "-"),
        (b"X-Forwarded-For: &\r\nX-Forwarded-For: garbage", "-"),
        (b"X-Forwarded-For: &, 127.8.8.8.8", "-"),
        (b"X-Forwarded-For: ", "-"),
        (b"X-Real-IP: &", "-"),
        (b"Forwarded: for=@", "@"),
        (b"forwarded: For=\"@:4711\";proto=https", "@"),
        (b"Forwarded: for=&, by=_x;FOR=@", "@"),
        (
            b"Forwarded: for=&\r\nForwarded: for=@, for=\"[fd00::7]:_x\"",
            "@",
        ),
        (b"Forwarded: for=\"&, for=@", "@"),
        (b"Forwarded: \xff\";, for=@", "@"),
        (b"Forwarded: for=\"[::ffff:@]\"", "@"),
        (b"Forwarded: for=&, for=unknown", "-"),
        (b"Forwarded: for=&, for=\"_hidden:80\"", "-"),
        (b"Forwarded: for=&, proto=https", "-"),
        (b"Forwarded: for=&;for=@", "-"),
        (b"Forwarded: for=@\r\nX-Forwarded-For: @", "@"),
        (b"Forwarded: for=&\r\nX-Forwarded-For: @", "-"),
        (b"Forwarded: for=@\r\nX-Forwarded-For: &", "-"),
        (b"Forwarded: for=unknown\r\nX-Forwarded-For: @", "-"),
        (b"Forwarded: \r\nX-Forwarded-For: @", "@"),
    ]) {
        let proxy = IpAddr::from([127, 0, 1, case]);
        let (client, made_up) = (format!("198.51.100.{case}"), format!("203.0.113.{case}"));
        let mut sent = Vec::new();
        for byte in fields {
            match byte {
                b'@' => sent.extend(client.bytes()),
                b'&' => sent.extend(made_up.bytes()),
                byte => sent.push(*byte),
            }
        }
        sent.extend(b"\r\n");
        let what = String::from_utf8_lossy(&sent).into_owned();
        assert_eq!(ask(&server, proxy, &sent).await, 401, "{what}");
        let named = |address: &str| format!("X-Forwarded-For: {address}\r\n").into_bytes();
        let has_asked = [
            ("@", ask(&server, prober, &named(&client)).await),
            ("&", ask(&server, prober, &named(&made_up)).await),
            ("-", ask(&server, proxy, b"").await),
        ];
        for (address, status) in has_asked {
            let expected = if address == counted { 429 } else { 401 };
            assert_eq!(status, expected, "{what} counted for {address}");
        }
    }
}

#[test]
fn proxies_that_match_nothing_or_everyone_are_refused() {
    for (proxies, reason) in [
        ("::ffff:127.0.0.0/104", "write it as IPv4"),
        ("::ffff:10.0.0.1", "write it as IPv4"),
        ("10.0.0.1/8", "has bits set beyond its length"),
        ("fd00::1/64", "has bits set beyond its length"),
        ("0.0.0.0/0", "trusts everyone"),
        ("::/0", "trusts everyone"),
        ("128.0.0.0/1,0.0.0.0/1", "trusts everyone"),
        ("10.0.0.0/8,,::1", "entry 2 is empty"),
        ("10.0.0.0/8,", "entry 2 is empty"),
        ("224.0.0.0/4", "would match nothing"),
        ("0.0.0.0", "would match nothing"),
        ("10.0.0.0/33", "must be an address or a network"),
        ("proxy.internal", "must be an address or a network"),
        ("fe80::1%eth0", "must be an address or a network"),
    ] {
        let data = Data::new();
        let mut command = data.command();
        command
            .env("INGEST_TRUSTED_PROXIES", proxies)
            .arg("check-config");
        let output = command.output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{proxies}: {message}");
        let line = message
            .lines()
            .find(|line| line.contains("INGEST_TRUSTED_PROXIES: "));
        assert!(
            line.is_some_and(|line| line.contains(reason)),
            "{proxies}: {message}"
        );
    }
}
