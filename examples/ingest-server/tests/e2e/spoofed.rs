//! Forwarded addresses that a client made up: they change nothing, in no form and for no limit.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::Command,
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
};

use crate::harness::{ADMIN_TOKEN, ALL_SCOPES, Data, Server};

/// Ways to say that a request is another's: `&` is the other.
const CLAIMS: [&str; 12] = [
    "X-Forwarded-For: &",
    "x-forwarded-for: &, &",
    "X-Forwarded-For: &\r\nX-Forwarded-For: &",
    "X-Forwarded-For: &:4711",
    "X-Forwarded-For: ::ffff:&",
    "X-Forwarded-For: 127.1.0.1, &, 127.1.0.1",
    "Forwarded: for=&",
    "Forwarded: for=\"&:4711\";proto=https",
    "Forwarded: for=\"[::ffff:&]\"",
    "Forwarded: for=127.1.0.1, for=&, for=127.1.0.1",
    "Forwarded: for=&\r\nX-Forwarded-For: &",
    "X-Real-IP: &\r\nTrue-Client-IP: &\r\nCF-Connecting-IP: &\r\nX-Client-IP: &",
];

/// The networks that are believed.
const PROXIES: &str = "127.1.0.0/16, ::1, 10.0.0.0/8";
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 1, 0, 1));

async fn start(data: &Data, mut command: Command, policies: Value) -> Server {
    command.env("INGEST_TRUSTED_PROXIES", PROXIES);
    let server = Server::start_command(data, command);
    let put = server.admin(Method::PUT, "/admin/limits").json(&policies);
    assert_eq!(put.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    server
}

/// A server that lets each address ask once before its key is looked at.
async fn of_addresses(data: &Data, command: Command) -> Server {
    let policies = json!({ "client-address": { "per-hour": 1, "burst": 1 } });
    start(data, command, policies).await
}

/// Asks for a lead that is not there, or whatever else is at the address, and gives the status.
async fn ask(address: SocketAddr, from: IpAddr, path: &str, fields: &str) -> u16 {
    let socket = match from {
        IpAddr::V4(_) => TcpSocket::new_v4().unwrap(),
        IpAddr::V6(_) => TcpSocket::new_v6().unwrap(),
    };
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
    let fields = fields.split("\r\n").filter(|field| !field.is_empty());
    fields.for_each(|field| request.extend([field, "\r\n"]));
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let status = answer.get(9..12).map(String::from_utf8_lossy);
    status.unwrap().parse().unwrap()
}

async fn ask_lead(server: &Server, from: IpAddr, fields: &str) -> u16 {
    let address = server.public_address().parse().unwrap();
    ask(address, from, "/v1/leads/x", fields).await
}

fn claim(index: usize, of: &str) -> String {
    CLAIMS[index].replace('&', of)
}

#[tokio::test]
async fn a_peer_that_is_not_trusted_counts_for_itself_whatever_it_claims() {
    let data = Data::new();
    let server = of_addresses(&data, data.command()).await;
    for (index, last) in (1..).enumerate().take(CLAIMS.len()) {
        let peer = IpAddr::from([127, 2, 0, last]);
        let others: Vec<String> = (1..4).map(|n| format!("198.51.{n}.{last}")).collect();
        let said = claim(index, &others[0]);
        assert_eq!(ask_lead(&server, peer, &said).await, 401, "{said}");
        // It has asked, and is nobody else now.
        for other in &others {
            let said = claim(index, other);
            assert_eq!(ask_lead(&server, peer, &said).await, 429, "{said}");
        }
        assert_eq!(ask_lead(&server, peer, "").await, 429, "{said}");
        // Those that it named have not.
        for other in &others {
            let named = format!("X-Forwarded-For: {other}");
            assert_eq!(ask_lead(&server, PROXY, &named).await, 401, "{said}");
        }
    }
}

#[tokio::test]
async fn nor_does_a_claim_change_the_limit_of_an_address_with_a_key() {
    let data = Data::new();
    let read = json!({ "address": { "per-hour": 1, "burst": 1, "debt": 0 } });
    let policies = json!({ "tier": { "free": { "category": { "read": read } } } });
    let server = start(&data, data.command(), policies).await;
    let key = server.issue_tier("acme", "free", &ALL_SCOPES).await;
    let authorization = format!("Authorization: Bearer {}", key.text);
    let ask = async |from: IpAddr, fields: &str| {
        ask_lead(&server, from, &format!("{authorization}\r\n{fields}")).await
    };
    for (index, last) in (1..).enumerate().take(CLAIMS.len()) {
        let peer = IpAddr::from([127, 2, 0, last]);
        let other = format!("198.51.100.{last}");
        assert_eq!(ask(peer, "").await, 404, "{last}");
        let said = claim(index, &other);
        assert_eq!(ask(peer, &said).await, 429, "{said}");
        let named = format!("X-Forwarded-For: {other}");
        assert_eq!(ask(PROXY, &named).await, 404, "{said}");
        assert_eq!(ask(PROXY, &named).await, 429, "{said}");
    }
}

/// Nobody stands before the admin listener, also where one is trusted before the other.
#[tokio::test]
async fn the_admin_listener_believes_no_proxy() {
    let data = Data::new();
    let admin = json!({ "address": { "per-hour": 60, "burst": 3 } });
    let policies = json!({ "tier": { "operator": { "category": { "admin": admin } } } });
    let server = start(&data, data.command(), policies).await;
    let address = server.admin_address().parse().unwrap();
    let token = format!("Authorization: Bearer {ADMIN_TOKEN}");
    let path = "/admin/limits?shoe=1";
    for (index, last) in (1..).enumerate().take(CLAIMS.len()) {
        let peer = IpAddr::from([127, 1, 0, last]);
        let mut statuses = Vec::new();
        for n in 0..4 {
            let said = claim(index, &format!("198.51.{n}.{last}"));
            statuses.push(ask(address, peer, path, &format!("{token}\r\n{said}")).await);
        }
        assert_eq!(statuses, [400, 400, 400, 429], "{}", CLAIMS[index]);
    }
    // Nor with wrong tokens: five at once, then one every ten seconds.
    let mut statuses = Vec::new();
    for n in 0..7 {
        let said = format!("Authorization: Bearer wrong\r\nX-Forwarded-For: 198.51.{n}.200");
        statuses.push(ask(address, PROXY, path, &said).await);
    }
    assert_eq!(statuses[..5], [401; 5]);
    assert!(statuses[5..].contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn an_ipv6_client_counts_as_its_network() {
    let data = Data::new();
    let mut command = data.command();
    command.env("INGEST_LISTEN", "[::1]:0");
    let server = of_addresses(&data, command).await;
    let proxy = IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]);
    for (field, status) in [
        ("X-Forwarded-For: 2001:db8:1:2::1", 401),
        ("X-Forwarded-For: 2001:db8:1:2:ffff:ffff:ffff:ffff", 429),
        ("X-Forwarded-For: [2001:db8:1:2::3]:4711", 429),
        ("Forwarded: for=\"[2001:db8:1:2::4]\"", 429),
        ("Forwarded: for=\"[2001:db8:1:2::5]:4711\"", 429),
        ("X-Forwarded-For: 2001:db8:1:3::1", 401),
        ("Forwarded: for=\"[2001:DB8:1:3::2]\"", 429),
        // An address of IPv4 is the same in its other spelling.
        ("X-Forwarded-For: 203.0.113.1", 401),
        ("X-Forwarded-For: ::ffff:203.0.113.1", 429),
        ("X-Forwarded-For: ::ffff:cb00:7101", 429),
        ("X-Forwarded-For: ::ffff:203.0.113.2", 401),
        // What a client put before what the proxy saw.
        ("X-Forwarded-For: 2001:db8:1:9::1, 2001:db8:1:2::6", 429),
        ("X-Forwarded-For: 2001:db8:1:9::1", 401),
    ] {
        assert_eq!(ask_lead(&server, proxy, field).await, status, "{field}");
    }
    server.kill();

    // The same peer, believed no longer.
    let mut command = data.command();
    command.env("INGEST_LISTEN", "[::1]:0");
    let server = Server::start_command(&data, command);
    assert_eq!(ask_lead(&server, proxy, "").await, 401);
    for index in 0..CLAIMS.len() {
        let said = claim(index, "203.0.113.9");
        assert_eq!(ask_lead(&server, proxy, &said).await, 429, "{said}");
    }
    let said = "X-Forwarded-For: 2001:db8:7::1\r\nForwarded: for=\"[2001:db8:7::1]\"";
    assert_eq!(ask_lead(&server, proxy, said).await, 429);
}

/// On a listener for both, peers of IPv4 have mapped addresses: they are whom they are.
#[tokio::test]
async fn a_peer_with_a_mapped_address_is_trusted_as_what_it_is() {
    let data = Data::new();
    let mut command = data.production();
    command.env("INGEST_LISTEN", "[::]:0");
    let server = of_addresses(&data, command).await;
    let port = server
        .public_address()
        .parse::<SocketAddr>()
        .unwrap()
        .port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let ask = async |from: IpAddr, fields: &str| ask(address, from, "/v1/leads/x", fields).await;
    let named = |last: u8| format!("X-Forwarded-For: 203.0.113.{last}");
    assert_eq!(ask(PROXY, &named(1)).await, 401);
    assert_eq!(ask(PROXY, &named(1)).await, 429);
    assert_eq!(ask(PROXY, &named(2)).await, 401);
    let peer = IpAddr::from([127, 2, 0, 1]);
    assert_eq!(ask(peer, &named(3)).await, 401);
    assert_eq!(ask(peer, &named(4)).await, 429);
    assert_eq!(ask(PROXY, &named(3)).await, 401);
    // The peer is the same address as one that a proxy names.
    assert_eq!(ask(PROXY, "X-Forwarded-For: 127.2.0.1").await, 429);
}
