//! What one tenant, or one network, does with all its might leaves the others theirs.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use futures_util::future::join_all;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::{
    conservation::assert_balanced_at_rest,
    harness::{ALL_SCOPES, Data, Key, Server, count, page_view, slow_down, wait_for, waiting_rows},
    movement::assert_moved,
};

/// Long enough for anything that is to happen.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to the public listener from an address of this machine.
async fn connect_from(server: &Server, address: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(format!("{address}:0").parse().unwrap())
        .unwrap();
    let to = server.public_address().parse().unwrap();
    timeout(TIMEOUT, socket.connect(to)).await.unwrap().unwrap()
}

/// Sends the head of a request whose body is `length` bytes, and the beginning of the body.
async fn begin(stream: &mut TcpStream, key: &Key, length: usize, beginning: &[u8]) {
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n",
        key.text
    );
    // One that was refused already takes in no more.
    let _ = stream
        .write_all(&[head.as_bytes(), beginning].concat())
        .await;
}

/// Begins so many requests at the same time, from one address.
async fn begin_many(
    server: &Server,
    address: &str,
    key: &Key,
    count: usize,
    (length, beginning): (usize, &[u8]),
) -> Vec<TcpStream> {
    let begin_one = |_| async move {
        let mut stream = connect_from(server, address).await;
        begin(&mut stream, key, length, beginning).await;
        stream
    };
    join_all((0..count).map(begin_one)).await
}

async fn gauge(server: &Server, name: &str) -> f64 {
    server.metrics().await[name]
}

/// The answer to a request that was begun, if there is one by now.
async fn answer(stream: &mut TcpStream) -> Option<String> {
    let mut text = vec![0; 4_096];
    let read = timeout(TIMEOUT, stream.read(&mut text)).await.ok()?.ok()?;
    text.truncate(read);
    Some(String::from_utf8_lossy(&text).into_owned())
}

fn client_at(address: &str) -> Client {
    let client = Client::builder().local_address(Some(address.parse().unwrap()));
    client.pool_max_idle_per_host(0).build().unwrap()
}

/// Sends one event after the other, each of which has to be accepted.
async fn send_all(server: &Server, client: &Client, key: &Key, name: &str, events: usize) {
    for n in 0..events {
        let request = client.post(server.public_url("/v1/events"));
        let request = request
            .bearer_auth(&key.text)
            .json(&page_view(format!("{name}-{n}")));
        let answer = request.send().await.unwrap();
        assert_eq!(
            answer.status(),
            StatusCode::ACCEPTED,
            "{}",
            answer.text().await.unwrap()
        );
    }
}

/// A body has ten seconds, and less is left of it for a test whose machine is slow.
const BODIES_STAND: Duration = Duration::from_secs(8);

/// Bodies that never come, from two addresses, of a key of any tier.
#[tokio::test]
async fn slow_bodies_of_one_key_leave_other_tenants_every_answer() {
    for tier in ["free", "enterprise"] {
        let mut rounds = 0..3;
        while !slow_bodies_leave_others_theirs(tier).await {
            let next = rounds.next();
            next.expect("no share is taken, or this machine is too slow to look at it");
        }
    }
}

/// False if the bodies may have ended before they were looked at.
async fn slow_bodies_leave_others_theirs(tier: &str) -> bool {
    let server = Server::start();
    let attacker = server.issue_tier("attacker", tier, &ALL_SCOPES).await;
    let victim = server.issue("victim", &ALL_SCOPES).await;
    let mut held = Vec::new();
    let begun = Instant::now();
    for address in ["127.0.0.1", "127.0.0.2"] {
        held.push(begin_many(&server, address, &attacker, 300, (1_000, b"{")).await);
    }
    if tier == "enterprise" {
        // All that a tenant gets, and what is more is refused.
        let in_flight = "ingest_requests_in_flight";
        let is_taken = wait_for("the tenant's share to be taken", async || {
            let is_taken = gauge(&server, in_flight).await == 128.0;
            (is_taken || begun.elapsed() > BODIES_STAND).then_some(is_taken)
        })
        .await;
        let over = client_at("127.0.0.3").post(server.public_url("/v1/events"));
        let over = over.bearer_auth(&attacker.text).json(&page_view("over"));
        let over = over.send().await.unwrap();
        let read = server.request(Method::GET, "/v1/leads?email=a@b.example", &attacker);
        let read = read.send().await.unwrap();
        if !is_taken || begun.elapsed() > BODIES_STAND {
            return false;
        }
        assert_eq!(over.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(
            over.headers()["retry-after"]
                .to_str()
                .unwrap()
                .parse::<u32>()
                .unwrap()
                > 0
        );
        let problem: Value = over.json().await.unwrap();
        assert_eq!(problem["reason"], "capacity.tenant_in_flight");
        assert_eq!(read.status(), StatusCode::TOO_MANY_REQUESTS);
    }
    // Those whose key is being looked at are their network's for a moment.
    wait_for("no more than the tenant's share", async || {
        (gauge(&server, "ingest_requests_in_flight").await <= 128.0).then_some(())
    })
    .await;
    for address in ["127.0.0.3", "127.0.0.1", "127.0.0.2"] {
        let name = format!("{tier}-{address}");
        send_all(&server, &client_at(address), &victim, &name, 30).await;
    }
    drop(held);
    assert_balanced_at_rest(&server).await;
    let answer = server.post("/v1/events", &attacker, &page_view("after"));
    let answer = answer.send().await.unwrap().status();
    // Nothing is held any more; a free key may have used up its tokens.
    assert!(answer == StatusCode::ACCEPTED || tier == "free", "{answer}");
    true
}

/// Requests that nobody is known for yet, and their network's share.
#[tokio::test]
async fn unfinished_heads_of_one_network_leave_others_their_connections() {
    let server = Server::start();
    let victim = server.issue("victim", &ALL_SCOPES).await;
    let before = server.metrics().await;
    let mut held = Vec::new();
    for _ in 0..400 {
        let mut stream = connect_from(&server, "127.0.0.2").await;
        stream
            .write_all(b"POST /v1/events HTTP/1.1\r\n")
            .await
            .unwrap();
        held.push(stream);
    }
    send_all(&server, &client_at("127.0.0.3"), &victim, "other", 20).await;
    // Also one that shares the network: the oldest makes room.
    send_all(&server, &client_at("127.0.0.2"), &victim, "same", 20).await;
    let made_room = gauge(
        &server,
        "ingest_connections_refused_total{reason=\"made_room\"}",
    )
    .await;
    assert!(made_room >= 144.0, "{made_room}");
    let after = server.metrics().await;
    assert_moved(&before, &after, ["ingest_connections_refused_total"]);
}

#[tokio::test]
async fn when_all_connections_are_taken_the_oldest_idle_one_makes_room() {
    let data = Data::new();
    let mut command = data.command();
    command.env("INGEST_MAX_CONNECTIONS", "8");
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let event = |n: usize| page_view(n).to_string();
    let mut open = Vec::new();
    for n in 0..8 {
        let address = format!("127.0.0.{}", 1 + n / 2);
        let mut stream = connect_from(&server, &address).await;
        let body = event(n);
        begin(&mut stream, &key, body.len(), body.as_bytes()).await;
        let answer = answer(&mut stream).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        open.push(stream);
    }
    let before = server.metrics().await;
    // The first is busy again; the second is the one that has been idle longest.
    let body = event(100);
    begin(&mut open[0], &key, body.len(), b"{").await;
    let busy = wait_for("a request in flight", async || {
        let metrics = server.metrics().await;
        (metrics["ingest_requests_in_flight"] == 1.0).then_some(metrics)
    })
    .await;
    assert_moved(&before, &busy, ["ingest_requests_in_flight"]);
    let newcomer = client_at("127.0.0.9");
    send_all(&server, &newcomer, &key, "newcomer", 1).await;
    assert_eq!(answer(&mut open[1]).await.as_deref(), Some(""));
    open[0].write_all(&body.as_bytes()[1..]).await.unwrap();
    let answered = answer(&mut open[0]).await.unwrap();
    assert!(answered.starts_with("HTTP/1.1 202"), "{answered}");
    for stream in &mut open[2..] {
        let body = event(200);
        begin(stream, &key, body.len(), body.as_bytes()).await;
        let answer = answer(stream).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    }
}

/// A key may send many large bodies at once: they take no more than a quarter of 64 MiB, counted as
/// they come, and those that were refused or cut off give everything back.
#[tokio::test]
async fn memory_of_bodies_is_bounded_for_a_tenant_and_for_all() {
    const MIB: f64 = 1_048_576.0;
    let server = Server::start();
    let victim = server.issue("victim", &ALL_SCOPES).await;
    let half = vec![b' '; 700 << 10];
    let before = server.metrics().await;
    let mut held = Vec::new();
    let tenants = ["a", "b", "c", "d"];
    for (n, tenant) in tenants.iter().enumerate() {
        let key = server.issue(tenant, &ALL_SCOPES).await;
        let address = format!("127.0.0.{}", 2 + n);
        held.push(begin_many(&server, &address, &key, 40, (1 << 20, &half)).await);
        let filled = wait_for("bodies that fill the share", async || {
            let metrics = server.metrics().await;
            (metrics["ingest_body_bytes"] > 12.0 * MIB).then_some(metrics)
        })
        .await;
        assert_moved(&before, &filled, ["ingest_body_bytes"]);
        let used = filled["ingest_body_bytes"];
        assert!(used <= 64.0 * MIB, "{used}");
        if n == 0 {
            assert!(used <= 16.0 * MIB, "{used}");
            let refused = wait_for("a body that is refused", async || {
                let metrics = server.metrics().await;
                let name = "dq_rejected_total{reason=\"capacity.tenant_memory\"}";
                metrics.get(name).copied().filter(|refused| *refused >= 1.0)
            });
            refused.await;
        }
        if n < 3 {
            send_all(&server, &client_at("127.0.0.9"), &victim, tenant, 10).await;
        }
    }
    drop(held);
    assert_balanced_at_rest(&server).await;
    send_all(&server, &client_at("127.0.0.9"), &victim, "after", 10).await;
}

/// Few bytes can become a lot: packed ones, and small objects.
#[tokio::test]
async fn what_a_body_becomes_counts_and_what_no_tenant_may_use_is_told() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let objects = |count: usize| {
        let mut event = page_view("objects");
        event["data"]["list"] = vec![json!({ "a": 0 }); count].into();
        event.to_string()
    };
    let packed = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    // 800 KB that would become some 100 MB.
    let large = objects(100_000);
    for (encoding, body) in [
        ("identity", large.clone().into_bytes()),
        ("gzip", packed(&large)),
    ] {
        let request = server.request(Method::POST, "/v1/events", &key);
        let request = request
            .header("content-type", "application/json")
            .header("content-encoding", encoding);
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["reason"], "transport.too_large");
    }
    assert_balanced_at_rest(&server).await;
}

/// The queue has a bound in bytes, and a tenant a share of it.
#[tokio::test]
async fn rows_that_wait_are_bounded_in_bytes_for_each_tenant() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let victim = server.issue("victim", &ALL_SCOPES).await;
    slow_down(server.data(), 4).await;
    let slow = tokio::spawn(
        server
            .post("/v1/events", &victim, &page_view("slow"))
            .send(),
    );
    wait_for("a commit that takes long", async || {
        (waiting_rows(&server).await == 1).then_some(())
    })
    .await;
    let large = |n: usize| {
        let event = page_view(format!("large-{n}")).to_string();
        event.replacen('{', &format!("{{{}", " ".repeat(900 << 10)), 1)
    };
    let send = async |n: usize| {
        let request = server.request(Method::POST, "/v1/events", &key);
        let request = request.header("content-type", "application/json");
        request.body(large(n)).send().await.unwrap()
    };
    let others = async {
        wait_for("the share to be full", async || {
            let rejected = server.metrics().await;
            rejected
                .get("dq_rejected_total{reason=\"capacity.tenant_queue\"}")
                .copied()
                .filter(|rejected| *rejected >= 1.0)
        })
        .await;
        let waiting = gauge(&server, "ingest_write_queue_bytes").await;
        assert!(waiting <= f64::from(5 << 20), "{waiting}");
        send_all(&server, &client_at("127.0.0.9"), &victim, "other", 1).await;
    };
    let (answers, ()) = tokio::join!(join_all((0..6).map(send)), others);
    let statuses: Vec<u16> = answers
        .iter()
        .map(|answer| answer.status().as_u16())
        .collect();
    let accepted = statuses.iter().filter(|status| **status == 202).count();
    assert_eq!(accepted, 4, "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [202, 429].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(count(server.data(), "event").await, 6);
    assert_balanced_at_rest(&server).await;
}

/// Resident memory of the server in KiB.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse().unwrap()
}

/// Large bodies, packed and slow, of keys that may send them: health answers meanwhile, and the
/// memory is given back.
#[tokio::test]
async fn health_answers_under_a_flood_and_memory_is_given_back_afterwards() {
    let server = Server::start();
    let key = server.issue("attacker", &ALL_SCOPES).await;
    let victim = server.issue("victim", &ALL_SCOPES).await;
    send_all(&server, &client_at("127.0.0.9"), &victim, "before", 50).await;
    let before = resident(&server);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let mut text = page_view("packed").to_string();
    text.insert_str(1, &" ".repeat(1_000_000));
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let half = vec![b' '; 700 << 10];
    let held = begin_many(&server, "127.0.0.2", &key, 40, (1 << 20, &half)).await;
    let flood = join_all((0..168).map(|_| {
        let request = server.request(Method::POST, "/v1/events", &key);
        let request = request
            .header("content-type", "application/json")
            .header("content-encoding", "gzip");
        request.body(packed.clone()).send()
    }));
    let health = async {
        for path in ["/healthz", "/readyz"].repeat(20) {
            let asked = server.admin(Method::GET, path);
            let answer = asked.timeout(Duration::from_secs(2)).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
        }
        send_all(&server, &client_at("127.0.0.9"), &victim, "during", 20).await;
    };
    let (flooded, ()) = tokio::join!(flood, health);
    for answer in flooded {
        let status = answer.unwrap().status().as_u16();
        assert!([202, 429].contains(&status), "{status}");
    }
    drop(held);
    assert_balanced_at_rest(&server).await;
    wait_for("memory that is given back", async || {
        (resident(&server) <= 2 * before).then_some(())
    })
    .await;
}

/// Who connects and sends nothing costs what a connection is known by, and no buffers.
#[tokio::test]
async fn connections_without_a_byte_take_hardly_any_memory() {
    /// Four networks' shares of 1,024.
    const CONNECTIONS: u64 = 800;
    /// For each; a parser's buffers alone would be 16.
    const MOST_KIB: u64 = 6;
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    send_all(&server, &client_at("127.0.0.9"), &key, "before", 50).await;
    let before = resident(&server);
    let mut held = Vec::new();
    for n in 0..CONNECTIONS {
        held.push(connect_from(&server, &format!("127.0.0.{}", 2 + n % 4)).await);
    }
    // The last of them are accepted, and wait.
    let mut last = held.pop().unwrap();
    let event = page_view("last").to_string();
    begin(&mut last, &key, event.len(), event.as_bytes()).await;
    let answered = answer(&mut last).await.unwrap();
    assert!(answered.starts_with("HTTP/1.1 202"), "{answered}");
    let more = resident(&server).saturating_sub(before);
    assert!(more < MOST_KIB * CONNECTIONS, "{more} KiB more");
}
