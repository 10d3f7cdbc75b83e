//! What requests cost, and that what is above the burst is owed: no batch, body or page gets more in
//! than the rate.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    harness::{ALL_SCOPES, Key, Server, page_view},
    tier_limits::limit,
};

const MIB: usize = 1 << 20;

/// The tokens left, as an answer within the limits says.
fn left(answer: &Response) -> i64 {
    let field = answer.headers()["ratelimit"].to_str().unwrap();
    let (_, left) = field.split_once(";r=").unwrap();
    left.split(';').next().unwrap().parse().unwrap()
}

fn retry_after(answer: &Response) -> Duration {
    let seconds = answer.headers()["retry-after"].to_str().unwrap();
    Duration::from_secs(seconds.parse().unwrap())
}

fn batch(name: &str, events: usize) -> Value {
    (0..events)
        .map(|n| page_view(format!("{name}-{n}")))
        .collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A text of one event or a batch, with white space to that many bytes.
fn padded(text: &Value, bytes: usize) -> Vec<u8> {
    let mut text = text.to_string().into_bytes();
    assert!(text.len() <= bytes);
    text.resize(bytes, b' ');
    text
}

async fn send(server: &Server, key: &Key, content: (&str, &str), body: Vec<u8>) -> Response {
    let (media_type, encoding) = content;
    let request = server.request(Method::POST, "/v1/events", key);
    let request = request.header("content-type", media_type);
    let request = request.header("content-encoding", encoding).body(body);
    request.send().await.unwrap()
}

/// Accepted or not, and for whatever reason: what was looked at is paid for.
#[tokio::test]
async fn a_request_costs_its_events_and_its_unpacked_bytes() {
    let server = Server::start();
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    limit(&server, "ingest", json!({ "per-hour": 1, "burst": 20_000 })).await;
    let json = ("application/json", "identity");
    let packed = ("application/json", "gzip");
    let one = page_view("one");
    let mut cut_off = gzip(&padded(&one, MIB));
    cut_off.truncate(cut_off.len() - 8);
    let mut damaged = gzip(&padded(&one, MIB));
    *damaged.last_mut().unwrap() ^= 1;
    let members = [gzip(&padded(&one, MIB / 2)), gzip(&vec![b' '; MIB / 2])].concat();
    let thousand = batch("thousand", 1_000).to_string().into_bytes();
    let blocks = i64::try_from(thousand.len().div_ceil(4_096)).unwrap();
    let too_many = batch("many", 1_500);
    let too_many_bytes = padded(&too_many, 300_000);
    let broken = |bytes| [vec![b' '; bytes - 1], b"x".to_vec()].concat();
    for (what, content, body, status, cost) in [
        ("one event", json, padded(&one, 200), 202, 1),
        (
            "one of a whole block",
            json,
            padded(&page_view(2), 4_096),
            202,
            1,
        ),
        (
            "one of a byte more",
            json,
            padded(&page_view(3), 4_097),
            202,
            2,
        ),
        ("fifteen", json, padded(&batch("a", 15), 4_096), 202, 15),
        ("an empty object", json, b"{}".to_vec(), 422, 1),
        ("a thousand", json, thousand, 202, 1_000 + blocks - 1),
        ("1,001 and more", json, too_many_bytes, 413, 1_001 + 74 - 1),
        (
            "packed",
            packed,
            gzip(&padded(&page_view(4), MIB)),
            202,
            256,
        ),
        ("packed in two", packed, members, 202, 256),
        ("packed, broken", packed, gzip(&broken(MIB)), 400, 256),
        (
            "packed, too large",
            packed,
            gzip(&vec![b' '; 100 * MIB]),
            413,
            256,
        ),
        ("packed, cut off", packed, cut_off, 400, 256),
        ("packed, damaged", packed, damaged, 400, 256),
        ("broken", json, broken(40_000), 400, 10),
        // Its length is refused before anything of it is taken in.
        ("too large", json, vec![b' '; MIB + 1], 413, 1),
        (
            "not JSON",
            ("text/plain", "identity"),
            vec![b' '; MIB],
            415,
            1,
        ),
        (
            "of a coding",
            ("application/json", "br"),
            vec![b' '; MIB],
            415,
            1,
        ),
    ] {
        let before = left(&send(&server, &key, json, padded(&page_view(0), 200)).await);
        let answer = send(&server, &key, content, body).await;
        assert_eq!(answer.status(), status, "{what}");
        if answer.status() == StatusCode::ACCEPTED {
            assert_eq!(left(&answer), before - cost, "{what}");
        }
        let after = left(&send(&server, &key, json, padded(&page_view(0), 200)).await);
        assert_eq!(after, before - cost - 1, "{what}");
    }
    let before = left(&send(&server, &key, json, padded(&page_view(0), 200)).await);
    let lead = json!({ "email": "a@b.example" });
    let answer = server.post("/v1/leads", &key, &lead).send().await.unwrap();
    assert_eq!(
        (answer.status(), left(&answer)),
        (StatusCode::CREATED, before - 1)
    );
}

#[tokio::test]
async fn a_batch_above_the_burst_is_owed_in_full_and_the_answers_say_so() {
    let server = Server::start();
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let began = Instant::now();
    let body = batch("first", 1_000);
    let blocks = body.to_string().len().div_ceil(4_096);
    let answer = server.post("/v1/events", &key, &body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(left(&answer), 0);
    // All that it cost above 19 of the burst of 20 has to drain, at ten a second.
    let owed = Duration::from_millis(u64::try_from((999 + blocks - 19) * 100).unwrap());
    for body in [json!(page_view(1)), batch("second", 1_000), json!([])] {
        let answer = server.post("/v1/events", &key, &body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(retry_after(&answer) + began.elapsed() >= owed);
        assert!(
            retry_after(&answer) <= owed * 2,
            "a quarter later at most, and rounded up"
        );
        let field = answer.headers()["ratelimit"].to_str().unwrap();
        assert!(field.contains("r=0;t="), "{field}");
    }
    let limited = server
        .admin(Method::GET, "/admin/limits")
        .send()
        .await
        .unwrap();
    let limited: Value = limited.json().await.unwrap();
    assert_eq!(limited["limited"][0]["refusals"], 3, "{limited}");
}

/// A kilobyte that unpacks to a megabyte of nothing, again and again.
#[tokio::test]
async fn a_flood_of_packed_bodies_pays_for_what_it_unpacks() {
    let server = Server::start();
    let packed = ("application/json", "gzip");
    let bomb = gzip(&[vec![b' '; MIB - 1], b"x".to_vec()].concat());
    let key = server.issue_tier("one", "free", &ALL_SCOPES).await;
    let began = Instant::now();
    let answer = send(&server, &key, packed, bomb.clone()).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    for _ in 0..10 {
        let answer = send(&server, &key, packed, bomb.clone()).await;
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(
            began.elapsed() + retry_after(&answer) >= Duration::from_secs(23),
            "237 tokens at ten a second"
        );
    }
    // With a token in use the megabyte cannot be owed, and only what fits is unpacked: the one
    // token that was taken at first is kept.
    let key = server.issue_tier("two", "free", &ALL_SCOPES).await;
    limit(&server, "ingest", json!({ "per-hour": 1, "burst": 20 })).await;
    let single = async || {
        let json = ("application/json", "identity");
        left(&send(&server, &key, json, padded(&page_view(0), 200)).await)
    };
    assert_eq!(single().await, 19);
    let answer = send(&server, &key, packed, bomb).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(single().await, 17);
    // What fits is looked at, and what is wrong with it said.
    let small = gzip(&[vec![b' '; 8 * 4_096 - 1], b"x".to_vec()].concat());
    let answer = send(&server, &key, packed, small).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(single().await, 8);
}

/// Its limits had no room for the body when its head came, and have it when the body is there.
#[tokio::test]
async fn a_body_that_comes_slowly_is_paid_for_with_the_tokens_of_the_meantime() {
    let server = Server::start();
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    limit(&server, "ingest", json!({ "per-second": 50, "burst": 20 })).await;
    let answer = server
        .post("/v1/events", &key, &batch("a", 18))
        .send()
        .await;
    assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
    let body = gzip(&padded(&page_view(1), 18 * 4_096));
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        key.text,
        body.len()
    );
    let mut stream = TcpStream::connect(server.public_address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    stream.write_all(&body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
}

#[tokio::test]
async fn a_request_refused_for_its_content_counts_once() {
    let server = Server::start();
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    limit(&server, "ingest", json!({ "per-hour": 1, "burst": 20 })).await;
    for (name, status) in [("a", 202), ("b", 429)] {
        let answer = server
            .post("/v1/events", &key, &batch(name, 15))
            .send()
            .await;
        assert_eq!(answer.unwrap().status(), status);
    }
    let quality = server
        .admin(Method::GET, "/admin/quality?tenant=small")
        .send()
        .await;
    let quality: Value = quality.unwrap().json().await.unwrap();
    assert_eq!(quality["outcomes"]["accepted"], 15, "{quality}");
    assert_eq!(quality["outcomes"]["rate_limited"], 1, "{quality}");
    let metrics = server.metrics().await;
    for outcome in ["admitted", "refused"] {
        let name = format!(
            "ratelimit_decisions_total{{policy=\"free/ingest\",outcome=\"{outcome}\",source=\"memory\"}}"
        );
        assert_eq!(metrics[&name], 1.0, "{outcome}");
    }
}

/// Ten times the tier's rate, so that the test takes a tenth of the time: senders of single events
/// and of batches, over several connections and without a pause, and one that waits as it is told.
#[tokio::test]
async fn no_mix_of_batches_gets_in_more_than_the_rate() {
    const SECONDS: u64 = 6;
    let server = Server::start();
    limit(&server, "ingest", json!({ "per-second": 100, "burst": 20 })).await;
    let hasty = server.issue_tier("hasty", "free", &ALL_SCOPES).await;
    let obedient = server.issue_tier("obedient", "free", &ALL_SCOPES).await;
    let began = Instant::now();
    let is_over = || began.elapsed() >= Duration::from_secs(SECONDS);
    let hammer = async |sender: usize| {
        let mut accepted = 0;
        for round in 0.. {
            if is_over() {
                break;
            }
            let events = [1_000, 1, 100, 1, 300, 25][(round + sender) % 6];
            let body = batch(&format!("{sender}-{round}"), events);
            let answer = server
                .post("/v1/events", &hasty, &body)
                .send()
                .await
                .unwrap();
            if answer.status() == StatusCode::ACCEPTED {
                accepted += events;
            }
        }
        accepted
    };
    let obey = async || {
        for round in 0.. {
            if is_over() {
                break;
            }
            let body = batch(&format!("obedient-{round}"), 100);
            let sent = Instant::now();
            let answer = server
                .post("/v1/events", &obedient, &body)
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), StatusCode::ACCEPTED, "round {round}");
            // What it is told is when one request is admitted; a batch needs the whole burst.
            let empty = server
                .post("/v1/events", &obedient, &json!(7))
                .send()
                .await
                .unwrap();
            let batch_later = Duration::from_millis(200);
            let wait = if empty.status() == StatusCode::TOO_MANY_REQUESTS {
                retry_after(&empty) + batch_later
            } else {
                // The 80 that were owed are paid by now.
                assert!(sent.elapsed() >= Duration::from_millis(700));
                batch_later
            };
            tokio::time::sleep(wait).await;
        }
    };
    let hammering = join_all((0..4).map(hammer));
    let (accepted, ()) = futures_util::future::join(hammering, obey()).await;
    let accepted: usize = accepted.into_iter().sum();
    let elapsed = usize::try_from(began.elapsed().as_millis()).unwrap();
    let most = 20 + 100 * elapsed / 1_000 + 1_256;
    assert!(accepted <= most, "{accepted} of {most} in {elapsed} ms");
    // They got the rate, less what their refused requests cost.
    assert!(accepted > 0);
}

#[tokio::test]
async fn a_page_of_leads_costs_its_leads() {
    let server = Server::start();
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let writer = server.issue("small", &ALL_SCOPES).await;
    for n in 0..30 {
        let lead = json!({ "email": format!("p{n}@b.example"), "phone": "+442079460958" });
        server.lead(&writer, &lead).await;
    }
    limit(&server, "read", json!({ "per-hour": 1, "burst": 100 })).await;
    let get = async |path: &str| {
        let request = server.request(Method::GET, path, &key);
        request.send().await.unwrap()
    };
    let page = "/v1/leads?phone=%2B442079460958";
    for (path, status, tokens) in [
        (page, 200, 70),
        ("/v1/leads?phone=%2B442079460959", 200, 69),
        ("/v1/leads?shoe_size=40", 400, 68),
        ("/v1/leads/00000000-0000-7000-8000-000000000000", 404, 67),
        (page, 200, 37),
    ] {
        let answer = get(path).await;
        assert_eq!(
            (answer.status().as_u16(), left(&answer)),
            (status, tokens),
            "{path}"
        );
    }
    // More than the burst: while all of it is free.
    limit(&server, "read", json!({ "per-hour": 1, "burst": 10 })).await;
    let other = server.issue_tier("other", "free", &ALL_SCOPES).await;
    let writer = server.issue("other", &ALL_SCOPES).await;
    for n in 0..30 {
        let lead = json!({ "email": format!("p{n}@b.example"), "phone": "+442079460958" });
        server.lead(&writer, &lead).await;
    }
    for (status, refused) in [(200, false), (429, true)] {
        let request = server.request(Method::GET, page, &other);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(left(&answer), 0);
        assert_eq!(answer.headers().contains_key("retry-after"), refused);
    }
}
